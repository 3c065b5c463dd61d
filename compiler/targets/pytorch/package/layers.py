"""Layers over channels-last tensors: images are [B, H, W, C], as in the spec, and every convolution reads and writes
them in PyTorch's channels-last memory format, so that the permutations around it move nothing."""

import math
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

import torch
import torch.nn.functional as functional
from torch import Tensor, nn

from .rng import Stream


@dataclass(frozen=True)
class Init:
    """How a parameter starts: ``amount`` is the standard deviation of ``normal``, the bound of ``uniform``."""

    form: Literal["zeros", "ones", "normal", "uniform"]
    amount: float = 0.0

    def fill(self, seed: int, name: str, shape: tuple[int, ...]) -> Tensor:
        """The start of the parameter of that name, from its own random stream, f32."""
        if self.form == "zeros":
            return torch.zeros(shape)
        if self.form == "ones":
            return torch.ones(shape)
        stream = Stream(seed, "init", name)
        n = math.prod(shape)
        if self.form == "normal":
            return (stream.normal(n).double() * self.amount).float().reshape(shape)
        u = (2 * stream.uniform(n).double() - 1) * self.amount
        return u.float().reshape(shape)


ZEROS = Init("zeros")
ONES = Init("ones")


class Network(nn.Module):
    """A module that maps tensors to one tensor."""

    if TYPE_CHECKING:

        def __call__(self, *inputs: Tensor) -> Tensor: ...


class Layer(Network):
    """A module with parameters of its own, which says how they start and whether weight decay applies."""

    def starts(self) -> dict[str, Init]:
        raise NotImplementedError

    def decayed(self) -> tuple[str, ...]:
        """Names of parameters with weight decay: matrices and kernels, not biases, gains and positions."""
        return ()


class Linear(Layer):
    """x W^T + b over the last axis."""

    bias: nn.Parameter | None

    def __init__(self, channels: int, width: int, *, bias: bool = True, init: Init | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, channels))
        self.bias = nn.Parameter(torch.empty(width)) if bias else None
        self.init = init or Init("uniform", 1 / math.sqrt(channels))

    def forward(self, x: Tensor) -> Tensor:
        return functional.linear(x, self.weight, self.bias)

    def starts(self) -> dict[str, Init]:
        return {"weight": self.init, "bias": ZEROS} if self.bias is not None else {"weight": self.init}

    def decayed(self) -> tuple[str, ...]:
        return ("weight",)


class Conv(Layer):
    """Two-dimensional convolution over [B, H, W, C] with zero padding that keeps the size at stride 1."""

    bias: nn.Parameter | None

    def __init__(
        self,
        channels: int,
        width: int,
        *,
        kernel: int = 3,
        stride: int = 1,
        bias: bool = True,
        init: Init | None = None,
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(width, channels, kernel, kernel))
        self.bias = nn.Parameter(torch.empty(width)) if bias else None
        self.init = init or Init("uniform", 1 / math.sqrt(channels * kernel * kernel))
        self.stride = stride
        # Where the stride divides the size, this padding gives size / stride exactly.
        self.padding = kernel // 2

    def forward(self, x: Tensor) -> Tensor:
        image = x.permute(0, 3, 1, 2)
        y = functional.conv2d(image, self.weight, self.bias, self.stride, self.padding)
        return y.permute(0, 2, 3, 1)

    def starts(self) -> dict[str, Init]:
        return {"weight": self.init, "bias": ZEROS} if self.bias is not None else {"weight": self.init}

    def decayed(self) -> tuple[str, ...]:
        return ("weight",)


class GroupNorm(Layer):
    """Group normalisation over [B, ..., C] with a gain and bias per channel (Wu & He, 2018)."""

    def __init__(self, channels: int, groups: int, *, eps: float = 1e-5) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.groups = groups
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        first = x.movedim(-1, 1)
        y = functional.group_norm(first, self.groups, self.weight, self.bias, self.eps)
        return y.movedim(1, -1)

    def starts(self) -> dict[str, Init]:
        return {"weight": ONES, "bias": ZEROS}


class LayerNorm(Layer):
    """Layer normalisation over the last axis with a gain and bias per channel (Ba, Kiros & Hinton, 2016)."""

    def __init__(self, channels: int, *, eps: float = 1e-6) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(channels))
        self.bias = nn.Parameter(torch.empty(channels))
        self.eps = eps

    def forward(self, x: Tensor) -> Tensor:
        return functional.layer_norm(x, x.shape[-1:], self.weight, self.bias, self.eps)

    def starts(self) -> dict[str, Init]:
        return {"weight": ONES, "bias": ZEROS}


class Param(Layer):
    """A learned tensor, the same for every row."""

    def __init__(self, shape: tuple[int, ...], *, init: Init | None = None) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.empty(shape))
        self.init = init or Init("normal", 0.02)

    def forward(self) -> Tensor:
        return self.weight

    def starts(self) -> dict[str, Init]:
        return {"weight": self.init}


class Normalise(nn.Module):
    """Centres a learned encoding per channel and scales it to unit root mean square: by the batch's statistics in
    training, by their moving average after it."""

    mean: Tensor
    scale: Tensor

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(channels))
        self.register_buffer("scale", torch.ones(1))


def layer_norm(x: Tensor, eps: float = 1e-6) -> Tensor:
    """Layer normalisation without parameters."""
    return functional.layer_norm(x, x.shape[-1:], None, None, eps)


def upsample(x: Tensor, factor: int = 2) -> Tensor:
    """Nearest-neighbour enlargement of [B, H, W, C]."""
    image = functional.interpolate(x.permute(0, 3, 1, 2), scale_factor=float(factor), mode="nearest")
    return image.permute(0, 2, 3, 1)


def avg_pool(x: Tensor, factor: int = 2) -> Tensor:
    """Averages of disjoint squares of [B, H, W, C]."""
    return functional.avg_pool2d(x.permute(0, 3, 1, 2), factor).permute(0, 2, 3, 1)


def into(x: Tensor, start: int, stop: int, channels: int) -> Tensor:
    """Places a tensor in the channels ``start .. stop`` of a space with ``channels`` of them; the others are zero."""
    return functional.pad(x, (start, channels - stop))


def initialise(model: nn.Module, seed: int, name_of: dict[str, str]) -> None:
    """Fills every parameter from the random stream of its name in checkpoints."""
    with torch.no_grad():
        for path, module in model.named_modules():
            if not isinstance(module, Layer):
                continue
            for name, init in module.starts().items():
                parameter = module.get_parameter(name)
                full = name_of.get(f"{path}.{name}", f"{path}.{name}")
                parameter.copy_(init.fill(seed, full, tuple(parameter.shape)))
