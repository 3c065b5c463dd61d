"""Data as columns of equally many rows, in the formats that ``mmdc`` reads: IDX, NPY, folders of PNG files, masks."""

import gzip
import struct
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from .diffusion import Batch
from .rng import Stream, batch_rows
from .roles import GIVEN, PRODUCED, RoleSampler
from .schema import Modality, Source, Spec

Array = npt.NDArray[Any]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

OTHER_PICTURES = {".jpg", ".jpeg", ".webp", ".bmp", ".gif", ".tif", ".tiff", ".avif"}


def read_idx(path: Path) -> Array:
    """An IDX file, plain or gzip-compressed. Raises ValueError when it is none, truncated or longer."""
    raw = path.read_bytes()
    data = gzip.decompress(raw) if raw[:2] == b"\x1f\x8b" else raw
    if len(data) < 4 or data[:2] != b"\0\0" or data[2] not in IDX_TYPES or data[3] == 0:
        raise ValueError(f"{path} is not an IDX file")
    shape = struct.unpack_from(f">{data[3]}I", data, 4)
    dtype = np.dtype(IDX_TYPES[data[2]])
    start = 4 + 4 * data[3]
    expected = start + int(np.prod(shape)) * dtype.itemsize
    if len(data) != expected:
        raise ValueError(f"{path} has {len(data)} bytes where its header says {expected}")
    return np.frombuffer(data, dtype, offset=start).reshape(shape).astype(dtype.newbyteorder("="))


def read_npy(path: Path) -> Array:
    """A NumPy array, mapped into memory; pickled objects are refused."""
    array: Array = np.load(path, mmap_mode="r", allow_pickle=False)
    return array


def read_images(folder: Path, channels: int) -> Array:
    """A folder of PNG files in the order of their names, [n, H, W, C]: bytes, or reals in [-1, 1] of 16-bit files."""
    return np.stack([_read_image(path, channels) for path in png_files(folder)])


def read_masks(folder: Path) -> Array:
    """A folder of grey or palette PNG files of at most 8 bits: their values are classes, [n, H, W]."""
    masks = []
    for path in png_files(folder):
        with Image.open(path) as image:
            if image.mode not in ("L", "P", "1"):
                raise ValueError(f"{path} is not a mask: its mode is {image.mode}")
            # Pillow scales files of 1, 2 and 4 bits to 8 where they are grey; the stored values are wanted.
            bits = _bit_depth(path)
            scale = 255 // (2**bits - 1) if image.mode == "L" and bits < 8 else 1
            masks.append(np.asarray(image, dtype=np.uint8) // scale)
    return np.stack(masks)


def png_files(folder: Path) -> list[Path]:
    """PNG files of a folder by name. Raises ValueError where there are none, or other pictures beside them."""
    for p in folder.iterdir():
        if p.suffix.lower() in OTHER_PICTURES or (p.is_dir() and not p.name.startswith(".")):
            raise ValueError(f"{p} would be left out: only PNG files of one folder are read")
    paths = [p for p in folder.iterdir() if p.suffix.lower() == ".png" and not p.name.startswith(".")]
    if not paths:
        raise ValueError(f"{folder} holds no PNG files")
    return sorted(paths, key=lambda p: p.name.encode("utf-16-be", "surrogatepass"))


def _bit_depth(path: Path) -> int:
    with path.open("rb") as file:
        return file.read(25)[24]


def _read_image(path: Path, channels: int) -> Array:
    with Image.open(path) as image:
        if image.mode in ("I", "I;16", "I;16B"):
            grey = np.asarray(image, dtype=np.float64) / 65535 * 2 - 1
            array: Array = grey.astype(np.float32)[..., None]
        else:
            if image.mode in ("RGBA", "LA") and image.getchannel("A").getextrema()[0] != 255:
                raise ValueError(f"{path} has transparent pixels")
            array = np.asarray(image.convert("L" if channels == 1 else "RGB"))
            array = array.reshape(*array.shape[:2], -1)
    if array.shape[-1] != channels:
        raise ValueError(f"{path} has {array.shape[-1]} channels; expected are {channels}")
    return array


@dataclass(frozen=True)
class Column:
    """One modality's data. ``take`` gives rows as networks' input: f32, or i64 classes (-1 where there is none)."""

    rows: int
    take: Callable[[Array], Tensor]


def column(modality: Modality, array: Array, void: int | None, name: str) -> Column:
    """A checked column over an array. Axes of size 1 may be missing or added. Raises ValueError for another shape, or a
    class that does not exist."""
    rows, *shape = array.shape
    if [d for d in shape if d != 1] != [d for d in modality.data_shape if d != 1]:
        raise ValueError(f"{name} has rows of shape {shape}; `{modality.name}` has {modality.data_shape}")
    if modality.discrete:
        classes = array[:] if void is None else array[array != void]
        if classes.size and not (0 <= classes.min() and classes.max() < modality.classes):
            raise ValueError(f"{name} has values that are not one of the {modality.classes} classes")
    full = modality.data_shape

    def take(index: Array) -> Tensor:
        picked = np.asarray(array[index])
        if modality.discrete:
            value = picked.astype(np.int64).reshape(-1, *full)
            return torch.from_numpy(np.where(value == void, -1, value) if void is not None else value)
        if modality.type == "image" and picked.dtype == np.uint8:
            return torch.from_numpy((picked / 127.5 - 1).astype(np.float32).reshape(-1, *full))
        return torch.from_numpy(picked.astype(np.float32).reshape(-1, *full))

    return Column(rows, take)


class Dataset:
    """Columns by modality, and the range of rows that is used."""

    def __init__(self, columns: dict[str, Column], first: int, last: int) -> None:
        self.columns = columns
        self.first = first
        self.rows = last - first

    def take(self, rows: Tensor) -> dict[str, Tensor]:
        """The given rows of every modality."""
        index = (rows + self.first).numpy()
        return {name: column.take(index) for name, column in self.columns.items()}


def open_data(spec: Spec, root: Path | None, part: str = "train") -> Dataset:
    """Opens what the spec's ``data`` block names, ``part`` being ``train`` or ``eval``.

    Raises ValueError where a source is missing, or columns differ in their numbers of rows.
    """
    data = spec.data
    columns = {}
    if data.builtin is not None:
        folder = Path(__file__).parent / data.builtin / ("val" if part == "eval" else "train")
        for modality in spec.modalities:
            path = folder / f"{modality.name}.npy"
            columns[modality.name] = column(modality, read_npy(path), None, str(path))
    else:
        for modality in spec.modalities:
            if modality.name not in data.sources:
                raise ValueError(f"the data block names no source for `{modality.name}`")
            if root is None:
                raise ValueError("the data block names files: give their folder with --data")
            source = data.sources[modality.name]
            path = root / source.path
            columns[modality.name] = column(modality, _read(source, path, modality), source.void, str(path))
    counts = {name: c.rows for name, c in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"columns are joined row by row, and have {counts} rows")
    total = next(iter(counts.values()))
    window = data.rows if part == "train" else data.eval_rows if data.builtin is None else None
    first, last = window or (0, total)
    if not 0 <= first < last <= total:
        raise ValueError(f"the data have {total} rows, and not {first}..{last}")
    return Dataset(columns, first, last)


def _read(source: Source, path: Path, modality: Modality) -> Array:
    if source.form == "idx":
        return read_idx(path)
    if source.form == "npy":
        return read_npy(path)
    return read_masks(path) if source.form == "masks" else read_images(path, modality.data_shape[-1])


class Batches:
    """Batches as a pure function of seed and step; a worker makes its own rows of each and no others."""

    def __init__(self, spec: Spec, data: Dataset, seed: int, batch: int, device: torch.device) -> None:
        self.spec = spec
        self.data = data
        self.seed = seed
        self.batch = batch
        self.device = device
        self.roles = RoleSampler(spec)

    def at(self, step: int, first: int = 0, rows: int | None = None) -> Batch:
        """Rows ``first .. first + rows`` of the batch of step 1, 2, ..."""
        n = self.batch if rows is None else rows
        last = first + n
        picked = batch_rows(self.data.rows, self.seed, step - 1, self.batch)[first:last]
        stream = Stream(self.seed, "roles", step)
        roles = [self.roles.draw(stream) for _ in range(self.batch)]
        times = self.roles.timesteps(roles, Stream(self.seed, "time", step))[first:last]
        flags = [
            torch.tensor([[float(role == kind) for role in row] for row in roles[first:last]], device=self.device)
            for kind in (GIVEN, PRODUCED)
        ]
        size = torch.Size(self.spec.space).numel()
        noise = Stream(self.seed, "noise", step).normal_at(first * size, n * size, self.device)
        return Batch(
            data={name: value.to(self.device) for name, value in self.data.take(picked).items()},
            given=flags[0],
            produced=flags[1],
            t=torch.tensor([time.t for time in times], device=self.device),
            inverse_probability=torch.tensor([time.inverse_probability for time in times], device=self.device),
            noise=noise.reshape(n, *self.spec.space),
        )
