"""First training steps of an emitted package: python step.py PACKAGE DATA BATCH OUT [totals].

Writes everything as safetensors; with ``totals`` of one step, and of every tensor its norm and its sum of alternating signs.
"""

import dataclasses
import importlib
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

name, data, batch, out = sys.argv[1:5]
totals = sys.argv[5:] == ["totals"]
package = importlib.import_module(name)
data_module = importlib.import_module(f"{name}.data")
train = importlib.import_module(f"{name}.train")
checkpoint = importlib.import_module(f"{name}.checkpoint")
torch.manual_seed(0)
spec = package.SPEC
model = package.Model()
checkpoint.start(model, spec.train.seed)
state = train.new_state(model)
dataset = data_module.open_data(spec, Path(data) if data != "-" else None)
batches = data_module.Batches(spec, dataset, spec.train.seed, int(batch), torch.device("cpu"))
trainer = train.Trainer(state, model, spec)
result = {}


def names(kind, tensors):
    for key, value in tensors.items():
        value = value.detach()
        if totals:
            flat = value.double().flatten()
            value = torch.stack([flat.norm(), flat[0::2].sum() - flat[1::2].sum()])
        result[f"{kind}/{spec.renamed.get(key, key)}"] = value.clone().contiguous()


for n in (1,) if totals else (1, 2):
    parts = [batches.at(n)]
    for key in ("given", "produced", "t", "inverse_probability", "noise"):
        result[f"{n}.batch/{key}"] = getattr(parts[0], key).contiguous()
    for key, value in parts[0].data.items():
        result[f"{n}.data/{key}"] = value.contiguous()
    loss, terms, statistics = trainer.gradients(parts)
    result[f"{n}.loss"] = loss.detach().reshape(1)
    for key, value in terms.items():
        result[f"{n}.terms/{key}"] = value.reshape(1)
    changed = checkpoint.trained(model)
    names(f"{n}.gradient", {k: p.grad if p.grad is not None else torch.zeros_like(p) for k, p in changed.items()})
    norm = trainer.update(statistics)
    result[f"{n}.norm"] = norm.reshape(1)
    names(f"{n}.parameters", changed)
    names(f"{n}.frozen", checkpoint.frozen(model))
    names(f"{n}.ema", state.ema)
    names(f"{n}.statistics", train.statistics_of(model))
save_file(result, out)
