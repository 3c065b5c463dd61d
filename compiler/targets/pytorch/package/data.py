"""Data as columns of equally many rows, in the formats that ``mmdc`` reads, and the batches of every step."""

import hashlib
import re
from collections.abc import Callable, Generator, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from .derive import Draw, derive
from .diffusion import Batch
from .files import PICTURES, Array, files_at, read_cifar, read_idx, read_npy, read_npz, read_safetensors
from .pictures import Picture, Pictures
from .rng import Stream, batch_rows
from .roles import GIVEN, PRODUCED, RoleSampler
from .schema import Modality, Source, Spec
from .tables import picture_bytes, read_shards, read_table, sidecar_value, text_of, values_of

#: Sets of pictures of at most this many values are decoded when they are opened, others row by row.
MOST_DECODED = 2**28


@dataclass(frozen=True)
class Column:
    """One modality's data. ``take`` gives rows as data: f32, or i64 classes (-1 where there is none)."""

    source: str
    rows: int
    take: Callable[[Array], Array]
    #: What rows are called, where they have names.
    names: list[str] | None = None
    #: Rows that have no value, bool [n]; they are zeros or -1.
    missing: Array | None = None
    #: Finds the rows that cannot be decoded, bool [n], where they are decoded when they are read.
    damaged: Callable[[], Array] | None = None


def check_values(modality: Modality, array: Array, void: int | None, name: str) -> None:
    """Raises ValueError for rows of another shape, classes that do not exist, and reals out of range."""
    shape = array.shape[1:]
    if [d for d in shape if d != 1] != [d for d in modality.data_shape if d != 1]:
        raise ValueError(f"{name} has rows of shape {list(shape)}; `{modality.name}` has {list(modality.data_shape)}")
    if modality.type == "image" and array.dtype in (np.uint8, np.bool_):
        return
    if modality.type == "image" and array.dtype.kind != "f":
        raise ValueError(f"{name} has integer pixels that are not bytes: store bytes, or reals in [-1, 1]")
    classes = modality.classes if modality.discrete else 2 if modality.type == "binary" else 0
    for start in range(0, len(array), 4096):
        part = array[start : start + 4096]
        if classes:
            values = part if void is None else part[part != void]
            there = (values >= 0) & (values < classes) & (values == np.floor(values))
            if not there.all():
                raise ValueError(f"{name} has values that are not one of the {classes} classes of `{modality.name}`")
        elif not np.isfinite(part).all() or (modality.type == "image" and np.abs(part).max(initial=0) > 1.001):
            raise ValueError(f"{name} has values of `{modality.name}` that are not finite, or pixels outside [-1, 1]")


def as_rows(modality: Modality, picked: Array, void: int | None) -> Array:
    """Stored values as data: bytes of pictures in [-1, 1], classes as i64 with -1 for what has none."""
    if modality.discrete:
        value = picked.astype(np.int64)
        value = value if void is None else np.where(value == void, -1, value)
    elif modality.type == "image" and picked.dtype in (np.uint8, np.bool_):
        value = (picked / 127.5 - 1).astype(np.float32)
    else:
        value = picked.astype(np.float32)
    return value.reshape(-1, *modality.data_shape)


def array_column(modality: Modality, array: Array, source: str, void: int | None = None) -> Column:
    """A checked column over an array. Axes of size 1 may be missing or added. Raises ValueError."""
    if array.ndim == 0 or len(array) == 0:
        raise ValueError(f"{source} has no rows")
    check_values(modality, array, void, source)
    return Column(source, len(array), lambda index: as_rows(modality, np.asarray(array[index]), void))


def picture_column(modality: Modality, pictures: list[Picture], source: Source, where: str, lazy: bool) -> Column:
    """Pictures as a column: decoded at once where they are few, else when they are read."""
    rows = Pictures(pictures, modality.data_shape, source.fit)
    names = [p.name for p in pictures]
    if not lazy and len(pictures) * int(np.prod(modality.data_shape)) <= MOST_DECODED:
        array = rows.rows(np.arange(len(pictures)))
        return replace(array_column(modality, array, where, source.void), names=names)

    def take(index: Array) -> Array:
        array = rows.rows(index)
        check_values(modality, array, source.void, where)
        return as_rows(modality, array, source.void)

    def damaged() -> Array:
        return rows.damaged(lambda row: check_values(modality, row[None], source.void, where))

    return Column(where, len(pictures), take, names, damaged=damaged)


def open_column(modality: Modality, source: Source, root: Path, lazy: bool = False) -> Column:
    """A modality's column from its source. Raises ValueError for what is unreadable or does not belong."""
    path, where = root / source.path, str(root / source.path)
    if source.form in ("idx", "npy", "npz", "safetensors"):
        return array_column(modality, _array(source, path), where, source.void)
    if source.form == "cifar":
        images, labels = read_cifar(files_at(root, source.path, re.compile(r"\.bin$", re.IGNORECASE)), source.labels)
        return array_column(modality, labels if modality.type == "category" else images, where)
    pictured = modality.type in ("image", "mask")
    if source.form in ("images", "masks"):
        files = files_at(root, source.path, PICTURES)
        pictures = [Picture(str(file), file.name, file.read_bytes) for file in files]
        return picture_column(modality, pictures, source, where, lazy)
    if source.form == "sidecars":
        ending = source.ending if source.ending.startswith(".") else f".{source.ending}"
        files = files_at(root, source.path, re.compile(re.escape(ending) + "$", re.IGNORECASE))
        column = [sidecar_value(ending, file.read_bytes()) for file in files]
        return _table_column(modality, [column], source, where, [file.name for file in files])
    if source.form == "shards":
        rows = read_shards(files_at(root, source.path, re.compile(r"\.tar$", re.IGNORECASE)))
        field = source.ending.lower()
        for key, entries in rows.items():
            if field not in entries and not source.missing:
                raise ValueError(f"{where}: the sample {key} has no {field}; it has {', '.join(entries)}")
        if pictured:
            there = {key: entries[field] for key, entries in rows.items() if field in entries}
            pictures = [Picture(f"{e.path}, {key}.{field}", key, e.read) for key, e in there.items()]
            return picture_column(modality, pictures, source, where, lazy)
        column = [sidecar_value(field, e[field].read()) if field in e else None for e in rows.values()]
        return _table_column(modality, [column], source, where, list(rows))
    wanted = source.columns or (modality.name,)
    table = read_table(path, source.form, list(dict.fromkeys([*wanted, *([source.id] if source.id else [])])))
    names = [text_of(value) for value in table[source.id]] if source.id else None
    if not table[wanted[0]]:
        raise ValueError(f"{path} has no rows")
    if not pictured:
        return _table_column(modality, [table[name] for name in wanted], source, where, names)
    pictures = [
        Picture(f"{path}, row {i}", names[i] if names else str(i), partial(picture_bytes, f"{path}, row {i}", value))
        for i, value in enumerate(table[wanted[0]])
    ]
    return replace(picture_column(modality, pictures, source, where, lazy), names=names)


def _array(source: Source, path: Path) -> Array:
    if source.form == "idx":
        return read_idx(path)
    if source.form == "npy":
        return read_npy(path)
    return read_npz(path, source.key) if source.form == "npz" else read_safetensors(path, source.key or "")


def _table_column(
    modality: Modality, columns: list[list[object]], source: Source, where: str, names: list[str] | None
) -> Column:
    values = values_of(where, modality, columns, source.missing)
    column = replace(array_column(modality, values.array, where, source.void), names=names)
    return column if not values.missing.any() else _with_missing(column, modality, values.missing)


def _with_missing(column: Column, modality: Modality, missing: Array) -> Column:
    def take(index: Array) -> Array:
        value = column.take(index)
        value[missing[index]] = -1 if modality.discrete else 0
        return value

    return replace(column, take=take, missing=missing)


# ---- joining


def _id(name: str) -> str:
    """A file's name without folder and ending."""
    return re.sub(r"\.[^.]*$", "", re.sub(r"^.*[\\/]", "", name, flags=re.DOTALL))


def join_by_id(columns: dict[str, Column], spec: Spec) -> dict[str, Column]:
    """Columns with the rows of one name together, in the order of the first that may not miss any.

    Raises ValueError where rows have no names, a name is there twice, or one has no partner.
    """
    places: dict[str, dict[str, int]] = {}
    for name, column in columns.items():
        if column.names is None:
            raise ValueError(f"{column.source}: the rows of `{name}` have no names to join by")
        places[name] = {}
        for row, own in enumerate(column.names):
            if _id(own) in places[name]:
                raise ValueError(f"{column.source}: the id {_id(own)!r} is there twice")
            places[name][_id(own)] = row
    whole = [name for name in columns if not spec.data.sources[name].missing]
    every = {id for at in places.values() for id in at}
    ids = list(places[whole[0]]) if whole else sorted(every, key=lambda id: id.encode("utf-16-be", "surrogatepass"))
    result = {}
    for name, column in columns.items():
        absent = [id for id in ids if id not in places[name]]
        if absent and name in whole:
            raise ValueError(f"{column.source} has no `{name}` for {absent[:5]}")
        extra = sorted(places[name].keys() - set(ids))
        if extra:
            raise ValueError(f"{columns[whole[0]].source} has no `{whole[0]}` for {extra[:5]}")
        result[name] = _picked(column, spec.modality(name), np.array([places[name].get(id, -1) for id in ids]))
    return result


def _picked(column: Column, modality: Modality, rows: Array) -> Column:
    """The listed rows; -1 is one that is missing."""
    gone = rows < 0 if column.missing is None else (rows < 0) | column.missing[rows]

    def take(index: Array) -> Array:
        there = rows[index]
        value = np.full((len(index), *modality.data_shape), -1 if modality.discrete else 0)
        value = value.astype(np.int64 if modality.discrete else np.float32)
        if (there >= 0).any():
            value[there >= 0] = column.take(there[there >= 0])
        return value

    def damaged() -> Array:
        assert column.damaged is not None
        return np.where(rows < 0, False, column.damaged()[rows])

    names = None if column.names is None else [column.names[row] if row >= 0 else "" for row in rows]
    lazy = None if column.damaged is None else damaged
    return Column(column.source, len(rows), take, names, gone if gone.any() else None, lazy)


def check_order(columns: dict[str, Column]) -> None:
    """Raises ValueError where columns differ in their numbers of rows, or files of one name are in different rows."""
    counts = {name: c.rows for name, c in columns.items()}
    if len(set(counts.values())) != 1:
        raise ValueError(f"columns are joined row by row, and have {counts} rows")
    named = [c for c in columns.values() if c.names is not None]
    for other in named[1:]:
        a, b = ([re.sub(r"\.[^.]*$", "", n) for n in c.names or []] for c in (named[0], other))
        there = set(b)
        for row, name in enumerate(a):
            if name != b[row] and name in there:
                raise ValueError(f"row {row} is {name} in {named[0].source} and {b[row]} in {other.source}")


# ---- sets


class Dataset:
    """Columns by modality, and the rows that are used of them; derived modalities are made when rows are read."""

    def __init__(self, spec: Spec, columns: dict[str, Column], index: Array) -> None:
        self.spec = spec
        self.columns = columns
        self.index = index
        self.rows = len(index)

    def take(self, rows: Tensor, position: int | None = None) -> dict[str, Tensor]:
        """The given rows of every modality. ``position``: that of the first in the run, where derived rows are drawn
        anew; else a row is always the same."""
        index = self.index[rows.numpy()]
        data = {name: column.take(index) for name, column in self.columns.items()}
        for modality in self.spec.modalities:
            if modality.derived is None:
                continue
            made = []
            for i, row in enumerate(index.tolist()):
                draw = Draw("row", row) if position is None else Draw("step", position + i)

                def of(name: str, i: int = i) -> Array:
                    return np.asarray(data[name][i], dtype=np.float32)

                made.append(derive(modality.derived, of, self.spec.train.seed, draw))
            data[modality.name] = np.stack(made).astype(np.int64 if modality.discrete else np.float32)
        return {m.name: torch.from_numpy(data[m.name]) for m in self.spec.modalities}

    def missing(self, rows: Tensor) -> list[tuple[bool, ...]]:
        """For every row, which modalities have no value; empty where no row lacks any."""
        flags = [self._missing(m) for m in self.spec.modalities]
        if all(flag is None for flag in flags):
            return []
        index = self.index[rows.numpy()].tolist()
        return [tuple(False if flag is None else bool(flag[row]) for flag in flags) for row in index]

    def _missing(self, modality: Modality) -> Array | None:
        if modality.name in self.columns:
            return self.columns[modality.name].missing
        return self._missing(self.spec.modality(modality.sources[0])) if modality.sources else None


def open_data(spec: Spec, root: Path | None, part: str = "train") -> Dataset:
    """Opens what the spec's ``data`` block names, ``part`` being ``train`` or ``eval``.

    Raises ValueError where a source is missing or unreadable, or columns do not belong together.
    """
    return _open(spec, root, (part,))[0]


def open_training(spec: Spec, root: Path | None) -> Dataset:
    """The rows to train on, without copies of rows that are held out. Raises ValueError as ``open_data``."""
    if spec.data.builtin is not None or spec.data.eval_rows is None:
        return open_data(spec, root)
    training, held = _open(spec, root, ("train", "eval"))
    reals = sum(int(np.prod(m.data_shape)) for m in spec.modalities if not m.discrete)
    # Rows of classes and short vectors alone are equal without being copies.
    if reals < 16:
        return training
    most = max(1, int(4e8 / sum(int(np.prod(m.data_shape)) for m in spec.modalities) / 2))
    there = set(_hashes(held, most))
    copies = np.array([own in there for own in _hashes(training, most)], dtype=bool)
    if 2 * copies.sum() > training.rows:
        raise ValueError(f"{copies.sum()} of {training.rows} training rows are rows for evaluation too: part them")
    keep = np.concatenate([~copies, np.ones(training.rows - len(copies), dtype=bool)])
    return Dataset(spec, training.columns, training.index[keep])


def _hashes(data: Dataset, most: int) -> Iterator[bytes]:
    for first in range(0, min(data.rows, most), 256):
        rows = data.take(torch.arange(first, min(first + 256, data.rows, most)))
        for i in range(len(next(iter(rows.values())))):
            yield hashlib.sha1(b"".join(value[i].numpy().tobytes() for value in rows.values())).digest()


def _open(spec: Spec, root: Path | None, parts: tuple[str, ...]) -> list[Dataset]:
    if spec.data.builtin is not None:
        return [_open_builtin(spec, spec.data.builtin, part) for part in parts]
    data = spec.data
    columns = {}
    for modality in spec.modalities:
        if modality.derived is not None:
            continue
        if modality.name not in data.sources:
            raise ValueError(f"the data block names no source for `{modality.name}`")
        if root is None:
            raise ValueError("the data block names files: give their folder with --data")
        columns[modality.name] = open_column(modality, data.sources[modality.name], root, data.skip)
    if data.join == "id":
        columns = join_by_id(columns, spec)
    check_order(columns)
    total = next(iter(columns.values())).rows
    whole = np.ones(total, dtype=bool)
    if data.skip:
        for column in columns.values():
            if column.damaged is not None:
                whole &= ~column.damaged()
        if not whole.all():
            print(f"{total - whole.sum()} of {total} rows cannot be decoded and are left out", flush=True)
    result = []
    for part in parts:
        first, last = (data.rows if part == "train" else data.eval_rows) or (0, total)
        if not 0 <= first < last <= total:
            raise ValueError(f"the data have {total} rows, and not {first}..{last}")
        index = np.arange(first, last)
        result.append(Dataset(spec, columns, index[whole[index]]))
    return result


def _open_builtin(spec: Spec, name: str, part: str) -> Dataset:
    folder = Path(__file__).parent / name / ("val" if part == "eval" else "train")
    columns = {}
    for modality in spec.modalities:
        if modality.derived is None:
            path = folder / f"{modality.name}.npy"
            columns[modality.name] = array_column(modality, read_npy(path), str(path))
    total = next(iter(columns.values())).rows
    first, last = (spec.data.rows if part == "train" else None) or (0, total)
    return Dataset(spec, columns, np.arange(first, last))


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
        picked = batch_rows(self.data.rows, self.seed, step - 1, self.batch)
        missing = self.data.missing(picked) or [()] * self.batch
        stream = Stream(self.seed, "roles", step)
        roles = [self.roles.draw(stream, gone) for gone in missing]
        times = self.roles.timesteps(roles, Stream(self.seed, "time", step))[first:last]
        flags = [
            torch.tensor([[float(role == kind) for role in row] for row in roles[first:last]], device=self.device)
            for kind in (GIVEN, PRODUCED)
        ]
        size = torch.Size(self.spec.space).numel()
        noise = Stream(self.seed, "noise", step).normal_at(first * size, n * size, self.device)
        data = self.data.take(picked[first:last], (step - 1) * self.batch + first)
        return Batch(
            data={name: value.to(self.device) for name, value in data.items()},
            given=flags[0],
            produced=flags[1],
            t=torch.tensor([time.t for time in times], device=self.device),
            inverse_probability=torch.tensor([time.inverse_probability for time in times], device=self.device),
            noise=noise.reshape(n, *self.spec.space),
        )

    def ahead(self, step: int, parts: list[tuple[int, int]]) -> Generator[list[Batch], None, None]:
        """Parts of the batches of ``step``, ``step + 1``, ..., each made while the step before it runs."""

        def make(n: int) -> list[Batch]:
            return [self.at(n, first, rows) for first, rows in parts]

        with ThreadPoolExecutor(1) as pool:
            following = pool.submit(make, step)
            while True:
                made = following.result()
                step += 1
                following = pool.submit(make, step)
                yield made
