"""Pictures and masks as rows: decoded from files, archives and tables, and brought to a modality's size."""

import io
import math
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Literal

import numpy as np
from PIL import Image

from .files import Array

Fit = Literal["none", "stretch", "crop"]


@dataclass(frozen=True)
class Picture:
    """A picture that can be read again: ``where`` is for messages, ``name`` what joins it with others."""

    where: str
    name: str
    read: Callable[[], bytes]


class Pictures:
    """Rows that are pictures, [H, W, C], or masks, [H, W]; ``row`` raises ValueError for what cannot be decoded."""

    def __init__(self, sources: list[Picture], shape: tuple[int, ...], fit: Fit) -> None:
        self.sources = sources
        self.shape = shape
        self.fit: Fit = fit

    def row(self, i: int) -> Array:
        source = self.sources[i]
        try:
            if len(self.shape) == 2:
                return fit_mask(decode_mask(source.read()), self.shape[:2], self.fit)
            picture = decode_image(source.read())
            channels = self.shape[2]
            if picture.shape[2] == 1:
                picture = np.repeat(picture, channels, axis=2)
            if picture.shape[2] != channels:
                raise ValueError(f"has {picture.shape[2]} colour channels; expected are {channels}")
            return fit_picture(picture, self.shape[:2], self.fit)
        except (ValueError, OSError, SyntaxError) as error:
            raise ValueError(f"{source.where}: {error}") from error

    def rows(self, index: Array) -> Array:
        """Several rows, decoded at once. Raises ValueError where some have 16 bits a channel and some 8."""
        with ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as pool:
            rows = list(pool.map(self.row, index.tolist()))
        if len({row.dtype for row in rows}) > 1:
            raise ValueError(f"{self.sources[0].where} and others: some have 8 bits a channel, and some 16")
        return np.stack(rows)

    def damaged(self, check: Callable[[Array], None]) -> Array:
        """Which rows cannot be decoded or fail the check, bool [n].

        Raises ValueError for whole pictures of another size: that is no damage.
        """

        def fails(i: int) -> bool:
            try:
                check(self.row(i))
            except ValueError as error:
                if isinstance(error.__cause__, WrongSize):
                    raise
                return True
            return False

        with ThreadPoolExecutor(min(32, os.cpu_count() or 1)) as pool:
            return np.array(list(pool.map(fails, range(len(self.sources)))), dtype=bool)


class WrongSize(ValueError):
    """A picture that is whole, and not of the modality's size."""


def decode_image(data: bytes) -> Array:
    """[H, W, 1 or 3]: bytes, or reals in [-1, 1] of PNG files with 16 bits a channel. Raises ValueError for transparent
    pixels, and for 16 bits a channel in colour, which Pillow cannot read."""
    with _open(data) as image:
        if image.format == "PNG" and data[24] == 16:
            if image.mode not in ("I", "I;16", "I;16B"):
                raise ValueError("has 16 bits a channel in colour: store such pictures as an array (NPY)")
            grey = np.asarray(image, dtype=np.float64) / 32767.5 - 1
            return np.asarray(grey.astype(np.float32)[..., None])
        if image.has_transparency_data and image.convert("RGBA").getchannel("A").getextrema()[0] != 255:
            raise ValueError("has transparent pixels")
        if image.format == "PNG":
            # Grey files are of one channel and palettes of three, whatever their colours.
            return _channels(image.convert("L" if image.mode in ("1", "L", "LA") else "RGB"))
        rgb = _channels(image.convert("RGB"))
        grey_only = bool((rgb == rgb[..., :1]).all())
        return rgb[..., :1] if grey_only else rgb


def _open(data: bytes) -> Image.Image:
    image = Image.open(io.BytesIO(data), formats=["PNG", "JPEG", "WEBP"])
    if image.format == "JPEG" and b"\xff\xd9" not in data[2:]:
        raise ValueError("is a truncated JPEG file")
    return image


def _channels(image: Image.Image) -> Array:
    array = np.asarray(image)
    return array.reshape(*array.shape[:2], -1)


def decode_mask(data: bytes) -> Array:
    """Grey values or palette indices of a PNG file of at most 8 bits, u8 [H, W]. Raises ValueError for others."""
    with _open(data) as image:
        if image.format != "PNG" or image.mode not in ("L", "P", "1"):
            raise ValueError(f"is not a mask: it is {image.format} of the mode {image.mode}")
        # Pillow scales files of 1, 2 and 4 bits to 8 where they are grey; the stored values are wanted.
        scale = 255 // (2 ** data[24] - 1) if image.mode == "L" and data[24] < 8 else 1
        return np.asarray(np.asarray(image, dtype=np.uint8) // scale)


# ---- sizes


def _window(size: tuple[int, ...], to: tuple[int, ...], fit: Fit) -> tuple[float, float, float, float]:
    """Top, left, height and width of what is kept: everything, or the largest middle part of the target's aspect."""
    if fit != "crop":
        return 0, 0, size[0], size[1]
    scale = min(size[0] / to[0], size[1] / to[1])
    height, width = to[0] * scale, to[1] * scale
    return (size[0] - height) / 2, (size[1] - width) / 2, height, width


def _checked(size: tuple[int, ...], to: tuple[int, ...], fit: Fit) -> bool:
    """Whether a picture has to be resized. Raises WrongSize where it may not be."""
    if size[:2] == to:
        return False
    if fit == "none":
        raise WrongSize(f"is {size[1]} pixels wide and {size[0]} high; expected are {to[1]} and {to[0]}")
    return True


def fit_picture(data: Array, to: tuple[int, ...], fit: Fit) -> Array:
    """Resizes [H, W, C] by the triangle filter, as wide as a target pixel covers of the source: no aliasing."""
    if not _checked(data.shape, to, fit):
        return data
    top, left, height, width = _window(data.shape, to, fit)
    across = _filtered(data.astype(np.float64), 1, to[1], left, width)
    out = _filtered(across, 0, to[0], top, height)
    if data.dtype != np.uint8:
        return np.asarray(out.astype(np.float32))
    whole = np.floor(out)
    return np.asarray(np.clip(whole + (out - whole >= 0.5), 0, 255).astype(np.uint8))


def _filtered(data: Array, axis: int, target: int, start: float, span: float) -> Array:
    size = data.shape[axis]
    scale = span / target
    support = max(1.0, scale)
    taps: list[tuple[int, list[float]]] = []
    for i in range(target):
        centre = start + (i + 0.5) * scale
        first = max(0, math.floor(centre - support + 0.5))
        last = min(size, math.floor(centre + support + 0.5))
        weights = [max(0.0, 1 - abs(j + 0.5 - centre) / support) for j in range(first, max(last, first + 1))]
        total = 0.0
        for weight in weights:
            total += weight
        taps.append((first, [w / total for w in weights]) if total > 0 else (min(first, size - 1), [1.0]))
    out: Array | None = None
    shape = [1] * data.ndim
    shape[axis] = target
    # Tap by tap, in their order: sums are then those of `mmdc`, bit for bit.
    for k in range(max(len(weights) for _, weights in taps)):
        index = [min(first + k, size - 1) for first, _ in taps]
        shares = np.array([weights[k] if k < len(weights) else 0.0 for _, weights in taps])
        part = np.take(data, index, axis=axis) * shares.reshape(shape)
        out = part if out is None else out + part
    assert out is not None
    return out


def fit_mask(data: Array, to: tuple[int, ...], fit: Fit) -> Array:
    """Classes are not mixed: every target pixel of [H, W] takes the one in its middle."""
    if not _checked(data.shape, to, fit):
        return data
    top, left, height, width = _window(data.shape, to, fit)

    def at(n: int, start: float, span: float, most: int) -> list[int]:
        return [min(most - 1, max(0, math.floor(start + ((i + 0.5) * span) / n))) for i in range(n)]

    rows, columns = at(to[0], top, height, data.shape[0]), at(to[1], left, width, data.shape[1])
    return np.asarray(data[np.ix_(rows, columns)])
