"""One worker of a training that is disturbed: writes its process id, and takes its time.

python worker.py PACKAGE.train FOLDER SECONDS ARGS...
"""

import importlib
import os
import sys
import time
from pathlib import Path

name, folder, seconds = sys.argv[1:4]
sys.argv = [name, *sys.argv[4:]]
module = importlib.import_module(name)
update = module.Trainer.update


def slow(self, statistics):
    time.sleep(float(seconds))
    return update(self, statistics)


module.Trainer.update = slow
Path(folder, f"worker-{os.environ.get('RANK', '0')}.pid").write_text(str(os.getpid()))
raise SystemExit(module.main())
