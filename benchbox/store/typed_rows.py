"""The rows of a database cursor as typed columns, a chunk at a time.

A million rows of twenty columns as Python objects take two gigabytes, and pandas would guess the type of each value.
Here each chunk of rows becomes typed columns at once: repeated texts as categories, numbers as numbers.
"""

from __future__ import annotations

import sqlite3
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa

from benchbox.errors import one_line
from benchbox.store.tables import DamagedRows

CHUNK = 50_000
"""Rows that are held as Python objects at a time."""


def read_columns(cursor: sqlite3.Cursor, dtypes: Mapping[str, str], chunk: int = CHUNK) -> dict[str, Any]:
    """Every column of `cursor` by name, as an array of the pandas dtype that `dtypes` gives: ``category`` (categories
    in order), ``string``, ``Int64``, ``boolean`` or ``float64`` (a numpy array). SQL's NULL is a missing value.

    Raises:
        DamagedRows: a value has another type, as SQLite allows; names the column.
    """
    names = [column[0] for column in cursor.description]
    columns = [_COLUMNS[dtypes[name]]() for name in names]
    while rows := cursor.fetchmany(chunk):
        for name, column, values in zip(names, columns, zip(*rows, strict=True), strict=True):
            with _naming(name):
                column.take(values)
    found = {}
    for name, column in zip(names, columns, strict=True):
        with _naming(name):
            found[name] = column.array()
    return found


@contextmanager
def _naming(column: str) -> Iterator[None]:
    try:
        yield
    except (ValueError, TypeError, OverflowError, pa.ArrowException) as error:
        raise DamagedRows(f"column {column}: {one_line(error, 200)}") from error


class _Column(ABC):
    """A column that grows chunk by chunk."""

    def __init__(self) -> None:
        self._parts: list[Any] = []

    @abstractmethod
    def take(self, values: Sequence[Any]) -> None:
        """Append a chunk; None is a missing value."""

    @abstractmethod
    def array(self) -> Any:
        """The whole column."""


class _Texts(_Column):
    def take(self, values: Sequence[Any]) -> None:
        self._parts.append(pa.array(values, pa.large_string()))

    def array(self) -> Any:
        return pd.array(pa.chunked_array(self._parts, pa.large_string()), dtype="string")


class _Categories(_Column):
    def __init__(self) -> None:
        super().__init__()
        self._codes: dict[str, int] = {}

    def take(self, values: Sequence[Any]) -> None:
        chunk = pa.array(values, pa.large_string()).dictionary_encode()
        codes = [self._codes.setdefault(name, len(self._codes)) for name in chunk.dictionary.to_pylist()]
        indices = chunk.indices.fill_null(len(codes)).to_numpy(zero_copy_only=False)
        self._parts.append(np.array([*codes, -1], dtype=np.int32)[indices])

    def array(self) -> Any:
        names = sorted(self._codes)
        place = np.full(len(names) + 1, -1, dtype=np.int32)  # the last entry, -1, is for missing values
        for k, name in enumerate(names):
            place[self._codes[name]] = k
        codes = place[np.concatenate(self._parts)] if self._parts else place[:0]
        return pd.Categorical.from_codes(codes, pd.Index(names, dtype="str"))


class _Floats(_Column):
    def take(self, values: Sequence[Any]) -> None:
        self._parts.append(np.array(values, dtype=np.float64))

    def array(self) -> Any:
        return np.concatenate(self._parts) if self._parts else np.empty(0)


class _Whole(_Floats):
    """Whole numbers below 2^53, which float64 holds exactly."""

    def array(self) -> Any:
        numbers = super().array()
        missing = np.isnan(numbers)
        if not np.all(missing | ((numbers == np.floor(numbers)) & (np.abs(numbers) < 2**53))):
            raise ValueError("holds what is no whole number")
        return pd.arrays.IntegerArray(np.where(missing, 0, numbers).astype(np.int64), missing)


class _Booleans(_Floats):
    def array(self) -> Any:
        numbers = super().array()
        if not np.all(np.isnan(numbers) | (numbers == 0) | (numbers == 1)):
            raise ValueError("holds neither 0 nor 1")
        return pd.arrays.BooleanArray(numbers == 1, np.isnan(numbers))


_COLUMNS: Mapping[str, type[_Column]] = {
    "string": _Texts, "category": _Categories, "float64": _Floats, "Int64": _Whole, "boolean": _Booleans,
}  # fmt: skip
