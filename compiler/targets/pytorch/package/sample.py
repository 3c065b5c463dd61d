"""Samples a task: ``python -m PACKAGE.sample RUN --task NAME --out DIR``. Writes ``NAME.npy`` for every modality."""

import argparse
from pathlib import Path

import numpy as np
import torch

from . import Model
from .checkpoint import load_weights
from .data import open_data
from .sampling import sample, to_data
from .spec import SPEC


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Samples from {SPEC.name}.")
    parser.add_argument("run", type=Path, help="folder with model.safetensors")
    parser.add_argument("--task", choices=[task.name for task in SPEC.tasks], default=SPEC.tasks[0].name)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("-n", type=int, default=16, help="rows")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--data", type=Path, help="where the held-out rows of what is given come from")
    parser.add_argument("--device", default="cuda" if torch.cuda.is_available() else "cpu")
    options = parser.parse_args()
    model = Model()
    load_weights(model, options.run / "model.safetensors")
    model.to(options.device).eval()
    task = SPEC.task(options.task)
    given = {}
    if task.given:
        rows = open_data(SPEC, options.data, "eval").take(torch.arange(options.n))
        given = {name: rows[name] for name in task.given}
    produced = to_data(model, sample(model, task, options.n, options.seed, given))
    options.out.mkdir(parents=True, exist_ok=True)
    for name, value in {**given, **produced}.items():
        array = value.cpu().numpy()
        np.save(options.out / f"{name}.npy", array.astype(np.int32 if SPEC.modality(name).discrete else np.float32))


if __name__ == "__main__":
    main()
