"""Plans a training: ``python -m PACKAGE.plan --gpus 8 --batch 2048``. Every figure is counted from the model itself.

Parameters and their gradients, both moments and the moving average are f32; arithmetic is counted by running one row
through forward and backward (``torch.utils.flop_counter``); activations are the tensors that the backward pass keeps.
"""

import argparse
import json

import torch
from torch import Tensor
from torch.utils.flop_counter import FlopCounterMode

from . import Model
from .checkpoint import start, trained
from .diffusion import Batch
from .spec import SPEC
from .train import blocks


def example(rows: int) -> Batch:
    """A batch of the right shapes with everything produced."""
    data = {
        m.name: torch.zeros(rows, *m.data_shape, dtype=torch.int64 if m.discrete else torch.float32)
        for m in SPEC.modalities
    }
    flags = torch.ones(rows, len(SPEC.modalities))
    return Batch(
        data,
        given=torch.zeros_like(flags),
        produced=flags,
        t=torch.full((rows,), 1 + SPEC.process.steps // 2),
        inverse_probability=torch.ones(rows),
        noise=torch.randn(rows, *SPEC.space),
    )


def plan(gpus: int, batch: int, peak: float, utilisation: float) -> dict[str, float]:
    """Figures of one step with ``gpus`` devices of ``peak`` FLOP/s, of which a share ``utilisation`` is reached."""
    model = Model()
    start(model, SPEC.train.seed)
    kept: dict[int, int] = {}

    def pack(x: Tensor) -> Tensor:
        kept[x.untyped_storage().data_ptr()] = x.untyped_storage().nbytes()
        return x

    owned = {p.untyped_storage().data_ptr() for p in model.parameters()}
    with FlopCounterMode(display=False) as counter, torch.autograd.graph.saved_tensors_hooks(pack, lambda x: x):
        losses = model(example(1))
        losses.loss.backward()
    activations = sum(size for pointer, size in kept.items() if pointer not in owned)
    parameters = sum(p.numel() for p in model.parameters())
    largest = max((sum(p.numel() for p in block.parameters()) for block in blocks(model)), default=parameters)
    flops = counter.get_total_flops()
    rows = batch / gpus
    state = 4 * sum(p.numel() for p in trained(model).values())
    kept_fixed = 4 * parameters - state
    # A ring moves 2 (n - 1) / n of the data for an all-reduce, half of that for a gather or a reduce-scatter.
    ring = (gpus - 1) / gpus
    seconds = flops * rows / (peak * utilisation)
    return {
        "parameters": parameters,
        "flops_per_row": flops,
        "flops_per_step": flops * batch,
        "rows_per_gpu": rows,
        "activation_bytes_per_row": activations,
        "ddp_state_bytes_per_gpu": 5 * state + kept_fixed,
        "ddp_bytes_sent_per_gpu": 2 * ring * state,
        "fsdp_state_bytes_per_gpu": (5 * state + kept_fixed) / gpus + 4 * largest,
        "fsdp_bytes_sent_per_gpu": 3 * ring * state,
        "seconds_per_step": seconds,
        "days": seconds * SPEC.train.steps / 86_400,
    }


def main() -> None:
    parser = argparse.ArgumentParser(description=f"Plans a training of {SPEC.name}.")
    parser.add_argument("--gpus", type=int, default=1)
    parser.add_argument("--batch", type=int, default=SPEC.train.batch)
    parser.add_argument("--peak", type=float, default=989e12, help="FLOP/s of a device (default: H100, dense bf16)")
    parser.add_argument("--utilisation", type=float, default=0.35, help="share of it that is reached")
    options = parser.parse_args()
    print(json.dumps(plan(options.gpus, options.batch, options.peak, options.utilisation), indent=2))


if __name__ == "__main__":
    main()
