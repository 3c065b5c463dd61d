"""Two starts of two workers on one store, as ``torchrun`` does it: python restart.py PACKAGE.train. Prints their sums.

In the second start one worker comes late: the other then finds addresses of the first start in the store.
"""

import importlib
import multiprocessing
import os
import sys
import time

import torch
import torch.distributed as dist

train = importlib.import_module(sys.argv[1])
store = dist.TCPStore("127.0.0.1", 0, is_master=True, wait_for_workers=False)
os.environ |= {
    "MASTER_ADDR": "127.0.0.1",
    "MASTER_PORT": str(store.port),
    "WORLD_SIZE": "2",
    "TORCHELASTIC_RUN_ID": "restart",
    "TORCHELASTIC_USE_AGENT_STORE": "True",
}


def work(rank, late, results):
    time.sleep(late)
    os.environ["RANK"] = str(rank)
    train.start_workers("cpu")
    total = torch.tensor([rank + 1.0])
    dist.all_reduce(total)
    results.put(float(total))
    # As one that is killed: nothing is closed, and nothing taken out of the store.
    results.close()
    results.join_thread()
    os._exit(0)


fork = multiprocessing.get_context("fork")
for late in ((0, 0), (2, 0), (0, 2)):
    results = fork.Queue()
    workers = [fork.Process(target=work, args=(rank, late[rank], results)) for rank in (0, 1)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(100)
    print([results.get(timeout=1) for _ in workers], [worker.exitcode for worker in workers])
