"""Training: ``torchrun --nproc-per-node=N -m PACKAGE.train --out RUN --data DIR``, or plainly with one process.

The rows, roles, times and noise of step n depend on seed and n alone, whatever the number of workers; parameters are
those of one process up to the order of sums.
"""

import argparse
import importlib
import json
import math
import os
import signal
import sys
import time
import traceback
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from types import FrameType
from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor, nn
from torch.distributed.distributed_c10d import PrefixStore, Store
from torch.distributed.fsdp import MixedPrecisionPolicy, fully_shard
from torch.distributed.rendezvous import rendezvous
from torch.nn.parallel import DistributedDataParallel
from torch.utils.checkpoint import checkpoint

from . import Model
from .checkpoint import (
    State,
    export_checkpoint,
    full,
    import_checkpoint,
    load_checkpoint,
    save_checkpoint,
    save_weights,
    start,
    statistics_of,
    trained,
)
from .data import Batches, open_training
from .diffusion import Batch, Statistics
from .layers import Layer
from .losses import Losses, TrainedModel
from .schema import Spec, Train
from .spec import SPEC


def rate_at(train: Train, n: int) -> float:
    """Learning rate of step n = 1, 2, ..."""
    rate = train.rate
    if n <= rate.warmup:
        return rate.peak * n / rate.warmup
    if rate.form == "constant":
        return rate.peak
    done = min((n - rate.warmup) / max(train.steps - rate.warmup, 1), 1)
    return rate.floor + 0.5 * (rate.peak - rate.floor) * (1 + math.cos(math.pi * done))


def ema_at(train: Train, n: int) -> float:
    """Decay of the moving average, which warms up as min(d, (1 + n) / (10 + n))."""
    return min(train.ema, (1 + n) / (10 + n))


def new_state(model: TrainedModel) -> State:
    """The state before step 1."""
    named = trained(model)
    return State(
        step=0,
        model=model,
        moment1={name: torch.zeros_like(p) for name, p in named.items()},
        moment2={name: torch.zeros_like(p) for name, p in named.items()},
        ema={name: p.detach().clone() for name, p in named.items()},
    )


def decayed_names(model: nn.Module) -> set[str]:
    """Parameters with weight decay."""
    return {
        f"{path}.{name}"
        for path, module in model.named_modules()
        if isinstance(module, Layer)
        for name in module.decayed()
    }


class Trainer:
    """Steps of training on this worker. ``wrapped`` is what is called: the model, or DDP around it."""

    def __init__(self, state: State, wrapped: nn.Module, spec: Spec = SPEC) -> None:
        self.state = state
        self.wrapped = wrapped
        self.spec = spec
        self.parameters = trained(state.model)
        self.decayed = decayed_names(state.model)

    def gradients(self, batches: list[Batch]) -> tuple[Tensor, dict[str, Tensor], dict[str, Statistics]]:
        """Accumulates gradients over parts of the batch; returns loss, terms and statistics, averaged."""
        count = len(batches)
        total: Tensor | None = None
        terms: dict[str, Tensor] = {}
        statistics: dict[str, Statistics] = {}
        for i, batch in enumerate(batches):
            self._sync(i == count - 1)
            losses: Losses = self.wrapped(batch)
            (losses.loss / count).backward()  # type: ignore[no-untyped-call]
            loss = losses.loss.detach() / count
            total = loss if total is None else total + loss
            for name, term in losses.terms.items():
                terms[name] = terms.get(name, torch.zeros_like(term)) + term / count
            for name, (mean, scale) in losses.statistics.items():
                share = Statistics(mean.detach() / count, scale.detach() / count)
                before = statistics.get(name)
                statistics[name] = (
                    share if before is None else Statistics(before.mean + share.mean, before.scale + share.scale)
                )
        assert total is not None
        return total, terms, statistics

    def _sync(self, last: bool) -> None:
        """Workers exchange gradients once a step, in the last part of the batch."""
        if isinstance(self.wrapped, DistributedDataParallel):
            self.wrapped.require_backward_grad_sync = last
        set_sync: Callable[[bool], None] | None = getattr(self.wrapped, "set_requires_gradient_sync", None)
        if set_sync is not None:
            set_sync(last)

    @torch.no_grad()
    def update(self, statistics: dict[str, Statistics]) -> Tensor:
        """Clipping, AdamW (Loshchilov & Hutter, 2019, algorithm 2) and the moving average; returns the norm of the
        gradient."""
        state, train = self.state, self.spec.train
        state.step += 1
        n = state.step
        named = list(self.parameters.items())
        grads = [p.grad if p.grad is not None else torch.zeros_like(p) for _, p in named]
        norm = full(torch.nn.utils.get_total_norm(grads))
        if train.clip > 0:
            torch._foreach_mul_(grads, (train.clip / (norm + 1e-6)).clamp(max=1.0))
        rate, adam = rate_at(train, n), train.optimizer
        values: list[Tensor] = [p for _, p in named]
        m = [state.moment1[name] for name, _ in named]
        v = [state.moment2[name] for name, _ in named]
        torch._foreach_mul_([p for name, p in named if name in self.decayed], 1 - rate * adam.decay)
        torch._foreach_lerp_(m, grads, 1 - adam.beta1)
        torch._foreach_mul_(v, adam.beta2)
        torch._foreach_addcmul_(v, grads, grads, 1 - adam.beta2)
        denominator = torch._foreach_sqrt(v)
        torch._foreach_mul_(denominator, 1 / math.sqrt(1 - adam.beta2**n))
        torch._foreach_add_(denominator, adam.epsilon)
        torch._foreach_addcdiv_(values, m, denominator, -rate / (1 - adam.beta1**n))
        decay = ema_at(train, n)
        torch._foreach_lerp_([state.ema[name] for name, _ in named], values, 1 - decay)
        # A shorter memory than the parameters' average: the encoders keep moving until the rate is low.
        keep = min(decay, 0.99)
        kept = statistics_of(state.model)
        attributes = {m.name: m.attribute for m in self.spec.modalities}
        for name, new in statistics.items():
            path = f"encoder.{attributes[name]}.normalise"
            kept[f"{path}.mean"].lerp_(new.mean, 1 - keep)
            kept[f"{path}.scale"].lerp_(new.scale, 1 - keep)
        for p in self.parameters.values():
            p.grad = None
        return norm


# ---- workers


@dataclass(frozen=True)
class Workers:
    rank: int
    count: int
    device: torch.device


def start_workers(device: str) -> Workers:
    """Joins the group that ``torchrun`` describes, or is alone."""
    count = int(os.environ.get("WORLD_SIZE", "1"))
    rank = int(os.environ.get("RANK", "0"))
    kind = ("cuda" if torch.cuda.is_available() else "cpu") if device == "auto" else device
    place = torch.device(kind, int(os.environ.get("LOCAL_RANK", "0"))) if kind == "cuda" else torch.device(kind)
    if kind == "cuda":
        torch.cuda.set_device(place)
    if count > 1 or "TORCHELASTIC_RUN_ID" in os.environ:
        store, rank, count = next(rendezvous("env://"))
        fresh = PrefixStore(agree_on_start(store, rank, count), store)
        dist.init_process_group("nccl" if kind == "cuda" else "gloo", store=fresh, rank=rank, world_size=count)
    return Workers(rank, count, place)


def agree_on_start(store: Store, rank: int, count: int) -> str:
    """A name for this start of the job, the same for all workers, that no start before it had.

    ``torchrun`` keeps one store through all restarts, and the addresses of workers that are gone still stand in it: a
    worker that reads one before it is replaced cannot connect, and the restart fails. Keys under a new name are new.
    The first worker makes the name; another takes one that it finds, which may be of an earlier start, only once the
    first has answered to its own.
    """
    own = uuid.uuid4().hex
    if rank == 0:
        store.set("start", own)
        for other in range(1, count):
            asking = store.get(f"{own}/asks/{other}").decode()
            store.set(f"{own}/knows/{asking}", "")
        return own
    while True:
        name = store.get("start").decode()
        store.set(f"{name}/asks/{rank}", own)
        while store.get("start").decode() == name:
            if store.check([f"{name}/knows/{own}"]):
                return name
            time.sleep(0.02)


def leave_group() -> None:
    """Leaves the group once every worker is done with it.

    A worker that closes its connections while another still reads from them would make that one fail. Nobody gets past
    the barrier before all have finished what comes before it, so that an error in it says that others have left.
    """
    if not dist.is_initialized():
        return
    try:
        dist.barrier()
    except RuntimeError as error:
        print(f"others have left already: {error}", file=sys.stderr, flush=True)
    dist.destroy_process_group()


def shard(model: nn.Module, bf16: bool) -> None:
    """FSDP2: every block and the rest of the model are gathered for their own work alone."""
    policy = MixedPrecisionPolicy(param_dtype=torch.bfloat16) if bf16 else MixedPrecisionPolicy()
    for module in blocks(model):
        fully_shard(module, mp_policy=policy)
    fully_shard(model, mp_policy=MixedPrecisionPolicy())


def blocks(model: TrainedModel | nn.Module) -> list[nn.Module]:
    """The parts that are gathered, or recomputed, one at a time: rounds of repetitions, else blocks of the backbone."""
    backbone = model.get_submodule("backbone")
    rounds = [m for m in backbone.modules() if isinstance(m, nn.ModuleList) for m in m]
    if rounds:
        return rounds
    candidates = [m for m in backbone.modules() if "Block" in type(m).__name__]
    inside = {id(inner) for m in candidates for inner in m.modules() if inner is not m}
    return [m for m in candidates if id(m) not in inside]


# ---- the run


class Log:
    """``log.jsonl`` as ``mmdc`` writes it, and TensorBoard where it is installed. The first worker writes."""

    def __init__(self, folder: Path, step: int) -> None:
        path = folder / "log.jsonl"
        lines = path.read_text().splitlines() if path.exists() else []
        kept = [line for line in lines if line.endswith("}") and json.loads(line)["step"] <= step]
        path.write_text("".join(f"{line}\n" for line in kept))
        self.file = path.open("a")
        self.board: Any = None
        try:
            tensorboard = importlib.import_module("torch.utils.tensorboard")
        except ImportError:
            return
        self.board = tensorboard.SummaryWriter(str(folder / "tensorboard"), purge_step=step + 1)

    def write(self, step: int, loss: float, terms: dict[str, float], rate: float, norm: float, seconds: float) -> None:
        l2 = {name[3:]: value for name, value in terms.items() if name.startswith("L2.")}
        plain = {name: terms[name] for name in ("L0", "L1", "L3")}
        other = {k: v for k, v in terms.items() if k not in plain and not k.startswith("L2.")}
        record = {"step": step, "loss": loss, "L0": plain["L0"], "L1": plain["L1"], "L2": l2, "L3": plain["L3"]}
        record |= {"simplified": other, "rate": rate, "grad_norm": norm, "seconds": round(seconds, 3)}
        self.file.write(json.dumps(record) + "\n")
        self.file.flush()
        if self.board is not None:
            for name, value in {"loss": loss, **terms, "rate": rate, "grad_norm": norm}.items():
                self.board.add_scalar(name, value, step)

    def close(self) -> None:
        self.file.close()
        if self.board is not None:
            self.board.close()


class Preemption:
    """SIGTERM and SIGINT ask for a checkpoint and the end. Any worker's signal stops all of them at the same step."""

    def __init__(self) -> None:
        self.asked = False
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, self._ask)

    def _ask(self, number: int, frame: FrameType | None) -> None:
        self.asked = True

    def agreed(self, device: torch.device) -> bool:
        if not dist.is_initialized() or dist.get_world_size() == 1:
            return self.asked
        flag = torch.tensor([float(self.asked)], device=device)
        dist.all_reduce(flag, dist.ReduceOp.MAX)
        return bool(flag.item() > 0)


def arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=f"Trains {SPEC.name}.")
    parser.add_argument("--out", type=Path, required=True, help="folder of the run")
    parser.add_argument("--data", type=Path, help="root of the files that the spec's data block names")
    parser.add_argument(
        "--steps", type=int, default=SPEC.train.steps, help="stop after this step; schedules keep the spec's"
    )
    parser.add_argument("--seed", type=int, default=SPEC.train.seed)
    parser.add_argument("--device", choices=["auto", "cpu", "cuda"], default="auto")
    parser.add_argument("--fsdp", action="store_true", help="shard parameters and state (FSDP2) instead of DDP")
    parser.add_argument("--accumulate", type=int, default=1, help="parts of a worker's rows, one after the other")
    parser.add_argument("--bf16", action="store_true", help="networks compute in bfloat16")
    parser.add_argument("--recompute", action="store_true", help="activation checkpointing of every block")
    parser.add_argument("--compile", action="store_true", help="torch.compile")
    parser.add_argument("--log-every", type=int, default=50)
    parser.add_argument("--checkpoint-every", type=int, default=1000)
    parser.add_argument("--resume", action="store_true", help="go on from the newest checkpoint, if there is one")
    parser.add_argument("--import-checkpoint", type=Path, help="start from a checkpoint of mmdc")
    parser.add_argument("--export-checkpoint", action="store_true", help="end with a checkpoint for mmdc as well")
    return parser.parse_args()


def prepare(model: TrainedModel, workers: Workers, options: argparse.Namespace) -> nn.Module:
    """Applies activation checkpointing, compilation and the distribution; returns what is called."""
    model.autocast = options.bf16
    if options.recompute:
        chosen = {id(m) for m in blocks(model)}
        recompute(model, chosen)
    if options.compile:
        for name in ("backbone", "decoder"):
            for module in model.get_submodule(name).children() if name == "decoder" else [model.backbone]:
                module.compile()
    if options.fsdp and dist.is_initialized():
        shard(model, options.bf16)
        return model
    model.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    if workers.count > 1:
        ids = [workers.device.index] if workers.device.type == "cuda" else None
        return DistributedDataParallel(model, device_ids=ids, find_unused_parameters=False)
    return model


def recompute(model: nn.Module, chosen: set[int]) -> None:
    """Forward passes of the chosen blocks are run again in the backward pass instead of being kept."""
    for module in model.modules():
        if id(module) in chosen:
            original = module.forward

            def forward(*inputs: Tensor, original: Callable[..., Any] = original) -> Any:
                return checkpoint(original, *inputs, use_reentrant=False)

            module.forward = forward


def main() -> int:
    """The run. Returns 130 when it was interrupted, after writing a checkpoint.

    A worker of several that fails ends at once: closing the group would wait for exchanges that never end.
    """
    options = arguments()
    workers = start_workers(options.device)
    try:
        return run(options, workers)
    except BaseException as error:
        if workers.count == 1:
            raise
        if isinstance(error, SystemExit):
            print(error, file=sys.stderr, flush=True)
        else:
            traceback.print_exc()
            sys.stderr.flush()
        os._exit(1)


def run(options: argparse.Namespace, workers: Workers) -> int:
    """The run of one worker."""
    torch.manual_seed(options.seed)
    preemption = Preemption()
    model = Model()
    start(model, options.seed)
    model.to(workers.device)
    wrapped = prepare(model, workers, options)
    state = new_state(model)
    folder: Path = options.out / "shards"
    if options.import_checkpoint is not None:
        import_checkpoint(state, options.import_checkpoint)
    if options.resume and load_checkpoint(folder, state) and workers.rank == 0:
        print(f"going on from step {state.step}", flush=True)
    batch = SPEC.train.batch
    if batch % (workers.count * options.accumulate) != 0:
        raise SystemExit(f"a batch of {batch} rows does not divide by {workers.count} x {options.accumulate}")
    rows = batch // workers.count // options.accumulate
    batches = Batches(SPEC, open_training(SPEC, options.data), options.seed, batch, workers.device)
    shares = [((workers.rank * options.accumulate + i) * rows, rows) for i in range(options.accumulate)]
    ahead = batches.ahead(state.step + 1, shares)
    trainer = Trainer(state, wrapped)
    first = workers.rank == 0
    options.out.mkdir(parents=True, exist_ok=True)
    log = Log(options.out, state.step) if first else None
    began = time.perf_counter()
    interrupted = False
    sums: dict[str, float] = {}
    count = 0
    while state.step < options.steps and not interrupted:
        n = state.step + 1
        loss, terms, statistics = trainer.gradients(next(ahead))
        norm = trainer.update(statistics)
        values = torch.stack([loss, *terms.values()])
        if workers.count > 1:
            dist.all_reduce(values)
            values /= workers.count
        if not bool(torch.isfinite(values[0])):
            raise SystemExit(f"the loss is not finite at step {n}: lower the rate or clip gradients, and resume")
        for name, value in zip(["loss", *terms, "norm"], [*values.tolist(), float(norm)], strict=True):
            sums[name] = sums.get(name, 0.0) + value
        count += 1
        interrupted = preemption.agreed(workers.device)
        if log is not None and (n % options.log_every == 0 or n == options.steps):
            mean = {name: total / count for name, total in sums.items()}
            named = {name: mean[name] for name in terms}
            log.write(n, mean["loss"], named, rate_at(SPEC.train, n), mean["norm"], time.perf_counter() - began)
            print(f"step {n} loss {mean['loss']:.4f}", flush=True)
        if n % options.log_every == 0:
            sums, count = {}, 0
        if n % options.checkpoint_every == 0 or n == options.steps or interrupted:
            save_checkpoint(folder, state)
    save_weights(options.out / "model.safetensors", state)
    if options.export_checkpoint:
        export_checkpoint(state, options.out / "checkpoints", options.seed)
    ahead.close()
    if log is not None:
        log.close()
    leave_group()
    return 130 if interrupted else 0


if __name__ == "__main__":
    raise SystemExit(main())
