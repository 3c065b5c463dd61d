"""Weights and checkpoints.

``model.safetensors`` holds the moving average of the parameters and the kept statistics under the names of the spec:
``mmdc`` samples from it, and this package from one of ``mmdc``. Checkpoints of a training run are sharded
(``torch.distributed.checkpoint``), written to a temporary folder and renamed once they are whole; those of ``mmdc``
(``step-00001000.safetensors``) are read and written too, so that a run goes on there or here.
"""

import hashlib
import json
import os
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import torch.distributed as dist
from safetensors import safe_open
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.distributed.checkpoint.state_dict_loader import load
from torch.distributed.checkpoint.state_dict_saver import save
from torch.distributed.tensor import DTensor, distribute_tensor

from .layers import initialise
from .losses import TrainedModel
from .schema import Spec


@dataclass
class State:
    """What a run carries from step to step, by the names of parameters; tensors may be shards."""

    step: int
    model: TrainedModel
    moment1: dict[str, Tensor]
    moment2: dict[str, Tensor]
    ema: dict[str, Tensor]


def _tensors(state: State) -> dict[str, dict[str, Any]]:
    """Everything that a checkpoint holds, by kind; what never changes too, so that it needs no other file."""
    return {
        "parameters": trained(state.model),
        "moment1": state.moment1,
        "moment2": state.moment2,
        "ema": state.ema,
        "statistics": statistics_of(state.model),
        "frozen": frozen(state.model),
    }


def spec_name(spec: Spec, path: str) -> str:
    """A parameter's name in checkpoints."""
    return spec.renamed.get(path, path)


def trained(model: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that training changes, by path."""
    return {name: p for name, p in model.named_parameters() if p.requires_grad}


def frozen(model: nn.Module) -> dict[str, nn.Parameter]:
    """Parameters that stay as they are."""
    return {name: p for name, p in model.named_parameters() if not p.requires_grad}


def statistics_of(model: nn.Module) -> dict[str, Tensor]:
    """Kept statistics of learned encoders, by path."""
    return {name: b for name, b in model.named_buffers() if ".normalise." in name}


def full(x: Tensor) -> Tensor:
    """A tensor whole, on every worker."""
    return x.full_tensor() if isinstance(x, DTensor) else x


def fill(target: Tensor, value: Tensor) -> None:
    """Copies a whole tensor into one that may be sharded."""
    with torch.no_grad():
        value = value.to(target.device, target.dtype)
        if isinstance(target, DTensor):
            value = distribute_tensor(value, target.device_mesh, target.placements)
        target.copy_(value)


# ---- weights


def start(model: TrainedModel, seed: int) -> None:
    """Fills a model as training starts: from random streams, then with the weights that the spec loads."""
    spec = model.spec
    initialise(model, seed, spec.renamed)
    if not spec.loaded:
        return
    loaded = load_file(Path(__file__).parent / "loaded.safetensors")
    for name, target in [*model.named_parameters(), *statistics_of(model).items()]:
        if spec_name(spec, name) in loaded:
            fill(target, loaded[spec_name(spec, name)])


def weights_of(state: State) -> dict[str, Tensor]:
    """The weights that samples come from, under the names of the spec. Every worker must call it."""
    spec = state.model.spec
    named = {**state.ema, **frozen(state.model), **statistics_of(state.model)}
    return {spec_name(spec, n): full(x).detach().cpu().contiguous() for n, x in named.items()}


def save_weights(path: Path, state: State) -> None:
    """Writes ``model.safetensors``. Every worker must call it; the first writes."""
    weights = weights_of(state)
    if not dist.is_initialized() or dist.get_rank() == 0:
        metadata = {"format": "mmdc", "spec": state.model.spec.hash, "step": str(state.step)}
        temporary = path.with_suffix(".tmp")
        save_file(weights, temporary, metadata)
        os.replace(temporary, path)


def load_weights(model: TrainedModel, path: Path) -> int:
    """Fills a model from ``model.safetensors``; returns the steps of training behind it.

    Raises ValueError when it belongs to another spec.
    """
    with safe_open(path, "pt") as file:
        metadata = file.metadata() or {}
    if metadata.get("spec") != model.spec.hash:
        raise ValueError(f"{path} was trained with another spec")
    weights = load_file(path)
    for name, target in [*model.named_parameters(), *statistics_of(model).items()]:
        fill(target, weights[spec_name(model.spec, name)])
    return int(metadata.get("step", "0"))


# ---- checkpoints of mmdc


def import_checkpoint(state: State, path: Path) -> None:
    """Takes over a checkpoint of ``mmdc``: parameters, both moments, moving average, statistics, step."""
    tensors = load_file(path)
    spec = state.model.spec
    for kind, targets in _tensors(state).items():
        for name, target in targets.items():
            fill(target, tensors[f"{kind}/{spec_name(spec, name)}"])
    description = json.loads(path.with_suffix(".json").read_text())
    if description["meta"]["hash"] != spec.hash:
        raise ValueError(f"{path} was made by another spec")
    state.step = int(description["step"])


def export_checkpoint(state: State, folder: Path, seed: int) -> Path:
    """Writes a checkpoint that ``mmdc train --resume`` goes on from. Every worker must call it; the first writes."""
    spec = state.model.spec
    tensors = {
        f"{kind}/{spec_name(spec, name)}": full(x).detach().cpu().contiguous()
        for kind, named in _tensors(state).items()
        for name, x in named.items()
    }
    path = folder / f"step-{state.step:08d}.safetensors"
    if not dist.is_initialized() or dist.get_rank() == 0:
        folder.mkdir(parents=True, exist_ok=True)
        save_file(tensors, path, {"format": "mmdc 2", "step": str(state.step)})
        data = path.read_bytes()
        versions = {"mmdc": "pytorch", "node": "none", "executor": f"PyTorch {torch.__version__}"}
        description = {
            "format": 2,
            "step": state.step,
            "sha256": hashlib.sha256(data).hexdigest(),
            "bytes": len(data),
            "metrics": {},
            "meta": {
                "steps": state.step,
                "seconds": 0,
                "hash": spec.hash,
                "seed": seed,
                "batch": spec.train.batch,
                "versions": versions,
            },
        }
        path.with_suffix(".json").write_text(json.dumps(description, indent=2) + "\n")
    return path


# ---- sharded checkpoints


def _barrier() -> None:
    if dist.is_initialized():
        dist.barrier()


def save_checkpoint(folder: Path, state: State, keep: int = 2) -> Path:
    """Writes ``folder/step-N``, whole or not at all, and removes the oldest beyond ``keep``."""
    final = folder / f"step-{state.step:08d}"
    temporary = folder / f"{final.name}.tmp"
    first = not dist.is_initialized() or dist.get_rank() == 0
    if first:
        shutil.rmtree(temporary, ignore_errors=True)
        temporary.mkdir(parents=True)
    _barrier()
    with torch.no_grad():
        save(_tensors(state), checkpoint_id=temporary)
    _barrier()
    if first:
        (temporary / "step.json").write_text(json.dumps({"step": state.step, "spec": state.model.spec.hash}))
        shutil.rmtree(final, ignore_errors=True)
        os.replace(temporary, final)
        for old in checkpoints(folder)[:-keep]:
            shutil.rmtree(old, ignore_errors=True)
    _barrier()
    return final


def checkpoints(folder: Path) -> list[Path]:
    """Whole checkpoints, oldest first."""
    if not folder.is_dir():
        return []
    return sorted(p for p in folder.iterdir() if p.suffix == "" and (p / "step.json").exists())


def load_checkpoint(folder: Path, state: State) -> bool:
    """Goes on from the newest checkpoint, if there is one; the number of workers may be another.

    Raises ValueError when it belongs to another spec.
    """
    found = checkpoints(folder)
    if not found:
        return False
    description = json.loads((found[-1] / "step.json").read_text())
    if description["spec"] != state.model.spec.hash:
        raise ValueError(f"{found[-1]} was made by another spec")
    with torch.no_grad():
        load(_tensors(state), checkpoint_id=found[-1])
    state.step = int(description["step"])
    return True
