"""Rows of derived modalities, made of those of others whenever they are read, with the numbers of ``mmdc``.

What is random is a function of the seed of the spec and, in training, of the row's position in the run.
"""

import math
from collections.abc import Callable
from typing import Literal, NamedTuple

import numpy as np

from .files import Array
from .rng import Stream
from .schema import Transform


class Draw(NamedTuple):
    """Which of its random versions a row is: that of the row itself, or of a position in the run."""

    kind: Literal["row", "step"]
    at: int


def derive(step: Transform | str, rows: Callable[[str], Array], seed: int, draw: Draw) -> Array:
    """One row, f32; ``rows`` gives those of other modalities, classes as numbers."""
    if isinstance(step, str):
        return rows(step)
    x = np.zeros(0, np.float32) if step.input is None else derive(step.input, rows, seed, draw)
    stream = None if step.stream is None else Stream(seed, "derive", step.stream, draw.kind, draw.at)
    if step.name == "holes":
        return _holes(step, stream).astype(np.float32)[..., None]
    if step.name == "erase":
        assert step.hole is not None
        return _hidden(step, x, rows(step.hole)[..., 0] != 0)
    if step.name == "cutout":
        return _hidden(step, x, _holes(step, stream))
    if step.name == "noise":
        assert stream is not None
        noise = stream.normal(x.size).double().numpy().reshape(x.shape)
        noisy = x.astype(np.float64) + step.sigma * noise
        return (noisy.clip(-1, 1) if step.kind == "image" else noisy).astype(np.float32)
    if step.name == "grayscale":
        wide = x.astype(np.float64)
        return (0.299 * wide[..., :1] + 0.587 * wide[..., 1:2] + 0.114 * wide[..., 2:]).astype(np.float32)
    if step.name == "blur":
        return _smooth(_smooth(x, step.sigma, 1), step.sigma, 0)
    if step.name == "shrink":
        f = step.factor
        total = np.zeros((x.shape[0] // f, x.shape[1] // f, x.shape[2]), np.float32)
        for i in range(f):
            for j in range(f):
                total += x[i::f, j::f]
        return (total.astype(np.float64) / f**2).astype(np.float32)
    if step.name == "enlarge":
        return x.repeat(step.factor, 0).repeat(step.factor, 1)
    return (x.astype(np.float64) > step.level).astype(np.float32)


def _holes(step: Transform, stream: Stream | None) -> Array:
    """Pixels of random rectangles, all inside, bool [H, W]."""
    assert stream is not None
    pixels = np.zeros(step.shape[:2], bool)
    height, width = step.height, step.width
    if step.most > 0:
        side = math.sqrt((step.area + stream.next() * (step.most - step.area)) / step.count)
        height, width = (max(1, math.floor(side * size + 0.5)) for size in step.shape[:2])
    for _ in range(step.count):
        top = stream.below(step.shape[0] - height + 1)
        left = stream.below(step.shape[1] - width + 1)
        pixels[top : top + height, left : left + width] = True
    return pixels


def _hidden(step: Transform, x: Array, pixels: Array) -> Array:
    """An image gets the fill value, a mask no class."""
    out = x.copy()
    out[pixels] = -1 if step.kind == "mask" else step.fill
    return out


def _smooth(x: Array, sigma: float, axis: int) -> Array:
    """Gaussian means along an axis, up to three standard deviations; at the border the weights inside count."""
    reach = max(1, math.ceil(3 * sigma))
    wide = np.moveaxis(x.astype(np.float64), axis, 0)
    size = wide.shape[0]
    total = np.zeros_like(wide)
    weights = np.zeros(size)
    for d in range(-min(reach, size - 1), min(reach, size - 1) + 1):
        weight = math.exp(-0.5 * (d / sigma) ** 2)
        inside = slice(max(0, -d), min(size, size - d))
        total[inside] += weight * wide[inside.start + d : inside.stop + d]
        weights[inside] += weight
    out = total / weights.reshape(-1, *(1,) * (wide.ndim - 1))
    return np.moveaxis(out, 0, axis).astype(np.float32)
