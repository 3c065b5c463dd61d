"""Batches of emitted packages: python readers.py JOBS OUT. Writes them as safetensors, and prints what was refused as JSON."""

import importlib
import json
import sys
from pathlib import Path

import torch
from safetensors.torch import save_file

result, refused = {}, {}
for job in json.loads(Path(sys.argv[1]).read_text()):
    name = job["package"]
    sys.path.insert(0, job["folder"])
    data = importlib.import_module(f"{name}.data")
    spec = importlib.import_module(f"{name}.spec").SPEC
    try:
        dataset = getattr(data, job["open"])(spec, Path(job["data"]))
        batches = data.Batches(spec, dataset, job["seed"], job["batch"], torch.device("cpu"))
        for n in (1, 2):
            # Two workers' parts of the batch.
            half = job["batch"] // 2
            parts = [batches.at(n, 0, half), batches.at(n, half, job["batch"] - half)]
            for key in ("given", "produced", "t", "noise"):
                result[f"{name}/{n}/{key}"] = torch.cat([getattr(p, key) for p in parts]).contiguous()
            for key in parts[0].data:
                result[f"{name}/{n}/x.{key}"] = torch.cat([p.data[key] for p in parts]).contiguous()
        if spec.data.eval_rows:
            for key, value in data.open_data(spec, Path(job["data"]), "eval").take(torch.arange(2)).items():
                result[f"{name}/eval/x.{key}"] = value
    except ValueError as error:
        refused[name] = str(error)
save_file(result, sys.argv[2])
print(json.dumps(refused))
