"""Tables (CSV, TSV, JSON lines, Parquet, Arrow), WebDataset shards, and their values as the rows of a modality."""

import csv
import importlib
import json
import math
import re
import tarfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from .files import Array
from .schema import Modality

NUMBER = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)([eE][+-]?\d+)?|0[xX][0-9a-fA-F]+")


def read_table(path: Path, form: str, names: Sequence[str]) -> dict[str, list[Any]]:
    """The wanted columns. Raises ValueError for files that are no such table, and columns that are not there."""
    if form in ("parquet", "arrow"):
        return _arrow(path, form, names)
    return _lines(path, names) if form == "jsonl" else _text(path, form, names)


def _check(path: Path, there: Sequence[str], wanted: Sequence[str]) -> None:
    for name in there:
        if list(there).count(name) > 1:
            raise ValueError(f"{path} has two columns named {name!r}")
    for name in wanted:
        if name not in there:
            raise ValueError(f"{path} has no column {name!r}; it has {list(there)[:20]}")


def _text(path: Path, form: str, names: Sequence[str]) -> dict[str, list[Any]]:
    with path.open(newline="", encoding="utf-8-sig") as file:
        records = csv.reader(file, delimiter="," if form == "csv" else "\t", strict=True)
        head = next((record for record in records if record), None)
        if head is None:
            raise ValueError(f"{path} is empty; its first line names the columns")
        there = [name.strip() for name in head]
        _check(path, there, names)
        result: dict[str, list[Any]] = {name: [] for name in names}
        places = [(name, there.index(name)) for name in names]
        for record in records:
            if not record:
                continue
            if len(record) != len(there):
                raise ValueError(f"{path}, line {records.line_num}: {len(record)} values, {len(there)} columns")
            for name, at in places:
                result[name].append(record[at])
    return result


def _lines(path: Path, names: Sequence[str]) -> dict[str, list[Any]]:
    result: dict[str, list[Any]] = {name: [] for name in names}
    there: dict[str, None] = {}
    with path.open(encoding="utf-8") as file:
        for n, line in enumerate(file, 1):
            if not line.strip():
                continue
            try:
                record = json.loads(line)
            except json.JSONDecodeError as error:
                raise ValueError(f"{path}, line {n} is not JSON: {error}") from error
            if not isinstance(record, dict):
                raise ValueError(f"{path}, line {n} is not a JSON object")
            there |= dict.fromkeys(record)
            for name in names:
                result[name].append(record.get(name))
    _check(path, list(there), names)
    return result


def _arrow(path: Path, form: str, names: Sequence[str]) -> dict[str, list[Any]]:
    try:
        arrow: Any = importlib.import_module("pyarrow")
        parquet: Any = importlib.import_module("pyarrow.parquet")
    except ImportError as error:
        raise ValueError(f"{path} is read by pyarrow: install the package with its extra `tables`") from error
    try:
        if form == "parquet":
            there = [field.name for field in parquet.read_schema(path)]
            _check(path, there, names)
            table = parquet.read_table(path, columns=list(names))
        else:
            with path.open("rb") as file:
                stream = file.read(6) != b"ARROW1"
            source = arrow.OSFile(str(path))
            table = (arrow.ipc.open_stream if stream else arrow.ipc.open_file)(source).read_all()
            _check(path, table.column_names, names)
    except arrow.ArrowException as error:
        raise ValueError(f"{path} is not a whole {form.capitalize()} file: {error}") from error
    return {name: table.column(name).to_pylist() for name in names}


# ---- values


@dataclass(frozen=True)
class Values:
    """Rows of a modality, and which of them have no value, bool [n]."""

    array: Array
    missing: Array


def values_of(where: str, modality: Modality, columns: Sequence[Sequence[Any]], may_miss: bool) -> Values:
    """Rows out of numbers, text and lists; several columns make up a row. Raises ValueError naming the row."""
    rows = len(columns[0])
    shape = modality.data_shape
    array = np.zeros((rows, *shape), np.int32 if modality.discrete else np.float32)
    missing = np.zeros(rows, bool)
    for row in range(rows):
        values = [column[row] for column in columns]
        if any(v is None or (isinstance(v, str) and not v.strip()) for v in values):
            if not may_miss:
                raise ValueError(f"{where}, row {row} has no value for `{modality.name}`")
            missing[row] = True
            continue
        try:
            numbers = [_class(modality, values[0])] if modality.type == "category" else _numbers(values)
            if len(numbers) != math.prod(shape):
                raise ValueError(f"has {len(numbers)} numbers for `{modality.name}`, which takes {math.prod(shape)}")
            if modality.discrete and any(not float(x).is_integer() for x in numbers):
                raise ValueError(f"has numbers for `{modality.name}` that are not whole")
            array[row] = np.array(numbers, np.float64).reshape(shape)
        except (ValueError, OverflowError) as error:
            raise ValueError(f"{where}, row {row}: {error}") from error
    return Values(array, missing)


def _class(modality: Modality, value: object) -> float:
    if isinstance(value, int | float):
        return float(value)
    text = text_of(value).strip()
    if text in modality.labels:
        return modality.labels.index(text)
    if re.fullmatch(r"-?\d+(\.0*)?", text):
        return float(text)
    raise ValueError(f"has the class {text[:100]!r}; there are {list(modality.labels) or 'numbers from 0'}")


def _numbers(values: Sequence[Any]) -> list[float]:
    """``[1, 2, 3]``, ``1,2,3`` and ``1 2 3`` all are lists of numbers."""
    result: list[float] = []
    for value in values:
        if isinstance(value, int | float):
            result.append(float(value))
        elif isinstance(value, list | tuple | bytes):
            result += _numbers(list(value))
        else:
            for part in re.sub(r"[\[\](),;]", " ", str(value)).split():
                if not NUMBER.fullmatch(part):
                    raise ValueError(f"has {part[:100]!r}, which is no number")
                result.append(float(int(part, 16)) if part[:2] in ("0x", "0X") else float(part))
    return result


def text_of(value: object) -> str:
    """Text, however a table has it; a number is written as one writes it."""
    if isinstance(value, bytes):
        return value.decode()
    return str(int(value)) if isinstance(value, float) and value.is_integer() else str(value)


def picture_bytes(where: str, value: object) -> bytes:
    """Bytes of a picture in a table: as they are, or in a record. Raises ValueError where there are none."""
    data = value.get("bytes") if isinstance(value, dict) else value
    if not isinstance(data, bytes):
        raise ValueError(f"{where} has no bytes of a picture")
    return data


def sidecar_value(ending: str, data: bytes) -> Any:
    """What a small file says: JSON, or text."""
    text = data.decode(errors="replace").strip()
    if ending.lower().lstrip(".") != "json":
        return text
    try:
        return json.loads(text)
    except json.JSONDecodeError:
        return text


# ---- shards


@dataclass(frozen=True)
class Entry:
    path: Path
    offset: int
    size: int

    def read(self) -> bytes:
        with self.path.open("rb") as file:
            file.seek(self.offset)
            data = file.read(self.size)
        if len(data) != self.size:
            raise ValueError(f"{self.path} is shorter than it was")
        return data


def read_shards(paths: list[Path]) -> dict[str, dict[str, Entry]]:
    """Samples of WebDataset archives in their order: files by ending, by the name up to its first dot.

    Nothing is extracted. Raises ValueError for damaged archives and samples in several places.
    """
    rows: dict[str, dict[str, Entry]] = {}
    for path in paths:
        current = None
        for name, entry in _entries(path):
            folder, slash, last = name.rpartition("/")
            stem, dot, ending = last.partition(".")
            if not stem or not dot:
                continue
            key = f"{folder}{slash}{stem}"
            if key != current:
                if key in rows:
                    raise ValueError(f"{path}: the sample {key} is in two places")
                rows[key] = {}
                current = key
            if ending.lower() in rows[key]:
                raise ValueError(f"{path}: {name} is there twice")
            rows[key][ending.lower()] = entry
    if not rows:
        raise ValueError(f"{paths[0]} holds no samples")
    return rows


def _entries(path: Path) -> list[tuple[str, Entry]]:
    size = path.stat().st_size
    found, end = [], 0
    try:
        with tarfile.open(path, "r:") as archive:
            for member in archive:
                end = member.offset_data + (-(-member.size // 512) * 512 if member.isfile() else 0)
                if member.offset_data + member.size > size:
                    raise ValueError(f"{path} is truncated in {member.name}")
                if member.isreg() and member.type in (tarfile.REGTYPE, tarfile.AREGTYPE):
                    found.append((member.name, Entry(path, member.offset_data, member.size)))
    except tarfile.TarError as error:
        raise ValueError(f"{path} is not a tar archive, or is damaged: {error}") from error
    with path.open("rb") as file:
        file.seek(end)
        if file.read(512) != bytes(512):
            raise ValueError(f"{path} is damaged or truncated at byte {end}")
    return found
