"""One worker of a training that is disturbed: the last one sends itself a signal within step 5, once.

python worker.py PACKAGE.train MARK SIGNAL ARGS...

MARK is a file that says that it happened; a job that starts again goes through.
"""

import importlib
import os
import signal
import sys
from pathlib import Path

name, mark, number = sys.argv[1:4]
sys.argv = [name, *sys.argv[4:]]
module = importlib.import_module(name)
update = module.Trainer.update
last = int(os.environ.get("RANK", "0")) == int(os.environ.get("WORLD_SIZE", "1")) - 1


def disturbed(self, statistics):
    if last and self.state.step == 4 and not Path(mark).exists():
        Path(mark).write_text(str(os.getpid()))
        os.kill(os.getpid(), signal.Signals[number])
    return update(self, statistics)


module.Trainer.update = disturbed
raise SystemExit(module.main())
