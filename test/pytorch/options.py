"""One step of an emitted package under each option of training, against the plain step: python options.py PACKAGE DATA COMPILE.

Prints JSON: relative differences of gradients, and what shows that the option did something.
"""

import argparse
import importlib
import json
import sys
from pathlib import Path

import torch

name, data, compiled = sys.argv[1:]
package = importlib.import_module(name)
train = importlib.import_module(f"{name}.train")
layers = importlib.import_module(f"{name}.layers")
spec = package.SPEC
batch = spec.train.batch
workers = train.Workers(0, 1, torch.device("cpu"))
batches = train.Batches(spec, importlib.import_module(f"{name}.data").open_data(spec, Path(data)), spec.train.seed, batch, workers.device)


def step(parts=1, **chosen):
    """Gradients of step 1, types that convolutions gave, and how often the first block ran."""
    torch.manual_seed(0)
    model = package.Model()
    layers.initialise(model, spec.train.seed, spec.renamed)
    options = {"bf16": False, "recompute": False, "compile": False, "fsdp": False, **chosen}
    types, runs = set(), [0]
    inner = next(m for m in train.blocks(model)[0].modules() if not list(m.children()))
    if not options["compile"]:
        for module in model.backbone.modules():
            if not list(module.children()):
                module.register_forward_hook(lambda m, i, o: types.add(str(o.dtype)) if torch.is_tensor(o) else None)
        inner.register_forward_hook(lambda m, i, o: runs.__setitem__(0, runs[0] + 1))
    wrapped = train.prepare(model, workers, argparse.Namespace(**options))
    trainer = train.Trainer(train.new_state(model), wrapped, spec)
    rows = batch // parts
    loss, _, _ = trainer.gradients([batches.at(1, i * rows, rows) for i in range(parts)])
    flat = torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]).clone()
    return float(loss), flat, types, runs[0], trainer


def apart(a, b):
    return float((a - b).norm() / b.norm())


loss, plain, types, runs, trainer = step()
result = {"runs": runs, "types": sorted(types)}
more_loss, gradient, *_ = step(parts=4)
result["accumulate"] = {"loss": abs(more_loss / loss - 1), "gradient": apart(gradient, plain)}
_, gradient, _, again, _ = step(recompute=True)
result["recompute"] = {"gradient": apart(gradient, plain), "runs": again}
_, gradient, types, _, _ = step(bf16=True)
result["bf16"] = {"gradient": apart(gradient, plain), "types": sorted(types)}
if compiled == "compile":
    result["compile"] = {"gradient": apart(step(compile=True)[1], plain)}
# The moving average by its definition, over three steps.
state = trainer.state
ours = {k: v.clone() for k, v in state.ema.items()}
trainer.update({})
for n in (1, 2, 3):
    decay = min(spec.train.ema, (1 + n) / (10 + n))
    ours = {k: decay * v + (1 - decay) * trainer.parameters[k].detach() for k, v in ours.items()}
    if n < 3:
        trainer.gradients([batches.at(n + 1)])
        trainer.update({})
moved = torch.cat([(p.detach() - state.ema[k]).flatten() for k, p in trainer.parameters.items()]).norm()
whole = lambda d: torch.cat([d[k].flatten() for k in sorted(d)])  # noqa: E731
result["ema"] = {"apart": apart(whole(state.ema), whole(ours)), "moved": float(moved)}
print(json.dumps(result))
