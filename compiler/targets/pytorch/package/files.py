"""Arrays in files: IDX, NPY, NPZ, safetensors, CIFAR; and the files that a folder or a pattern names."""

import glob
import gzip
import re
import struct
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
from safetensors import safe_open

Array = npt.NDArray[Any]

IDX_TYPES = {0x08: ">u1", 0x09: ">i1", 0x0B: ">i2", 0x0C: ">i4", 0x0D: ">f4", 0x0E: ">f8"}

PICTURES = re.compile(r"\.(png|jpe?g|webp)$", re.IGNORECASE)


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


def read_npz(path: Path, key: str | None) -> Array:
    """An array of a NumPy archive, or the only one. Raises ValueError where it is not there, or there are several."""
    with np.load(path, allow_pickle=False) as archive:
        names = list(archive.files)
        if key is None and len(names) != 1:
            raise ValueError(f"{path} holds the arrays {names}: say which with `key`")
        if key is not None and key not in names:
            raise ValueError(f"{path} has no array {key!r}; it has {names}")
        array: Array = archive[names[0] if key is None else key]
    return array


def read_safetensors(path: Path, key: str) -> Array:
    """One tensor of a safetensors file. Raises ValueError where there is none of that name."""
    with safe_open(path, "np") as file:
        if key not in file.keys():
            raise ValueError(f"{path} has no tensor {key!r}; it has {list(file.keys())[:10]}")
        array: Array = file.get_tensor(key)
    return array


def read_cifar(paths: list[Path], label_bytes: int) -> tuple[Array, Array]:
    """Images [n, 32, 32, 3] and labels [n] of CIFAR's binary form (Krizhevsky, 2009); of CIFAR-100, with two label
    bytes, the fine ones. Raises ValueError where a file does not hold whole rows."""
    row = label_bytes + 3 * 32 * 32
    images, labels = [], []
    for path in paths:
        data = np.fromfile(path, np.uint8)
        if data.size == 0 or data.size % row != 0:
            raise ValueError(f"{path} has {data.size} bytes, which are not whole rows of {row}")
        rows = data.reshape(-1, row)
        labels.append(rows[:, label_bytes - 1])
        images.append(rows[:, label_bytes:].reshape(-1, 3, 32, 32).transpose(0, 2, 3, 1))
    return np.concatenate(images), np.concatenate(labels)


def files_at(root: Path, path: str, wanted: re.Pattern[str]) -> list[Path]:
    """Files of a folder, or that a pattern such as ``train/**/*.jpg`` matches, in the order of their UTF-16 names.

    Raises ValueError where there are none.
    """
    if re.search(r"[*?\[\]{}]", path):
        names = [n for one in _braces(path) for n in glob.glob(str(Path(glob.escape(str(root)), one)), recursive=True)]
        found = sorted({n for n in names if wanted.search(n) and Path(n).is_file()}, key=_utf16)
        paths = [Path(name) for name in found]
    else:
        place = root / path
        if not place.exists():
            raise ValueError(f"{place} does not exist")
        names = [p.name for p in place.iterdir()] if place.is_dir() else []
        chosen = sorted((n for n in names if wanted.search(n) and not n.startswith(".")), key=_utf16)
        paths = [place / name for name in chosen] if place.is_dir() else [place]
    if not paths:
        raise ValueError(f"{root / path} holds no files of the wanted kind ({wanted.pattern})")
    return paths


def _utf16(name: str) -> bytes:
    return name.encode("utf-16-be", "surrogatepass")


def _braces(pattern: str) -> list[str]:
    """``a.{png,jpg}`` and ``{0..3}`` as the patterns that they stand for."""
    group = re.search(r"\{([^{}]*)\}", pattern)
    if group is None:
        return [pattern]
    span = re.fullmatch(r"(\d+)\.\.(\d+)", group[1])
    if span is None:
        choices = group[1].split(",")
    else:
        width = max(map(len, span.groups())) if any(len(n) > 1 and n[0] == "0" for n in span.groups()) else 0
        choices = [f"{n:0{width}d}" for n in range(int(span[1]), int(span[2]) + 1)]
    before, after = pattern[: group.start()], pattern[group.end() :]
    return [p for choice in choices for p in _braces(f"{before}{choice}{after}")]
