"""Columns read chunk by chunk equal those that pandas makes from all rows."""

from __future__ import annotations

import sqlite3
from typing import Any

import numpy as np
import pandas as pd
import pytest

from benchbox.store.typed_rows import read_columns

DTYPES = {"name": "category", "text": "string", "whole": "Int64", "real": "float64", "yes": "boolean"}


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 101])
def test_columns_are_those_of_pandas(count: int) -> None:
    rows = [(("b", None, "a", "ä\x00")[k % 4], (None, "x" * k)[k % 2], (None, 2**53 - 1 - k)[k % 3 > 0],
             (0.1 * k, None)[k % 2], (1, 0, None)[k % 3]) for k in range(count)]  # fmt: skip
    with sqlite3.connect(":memory:") as database:
        database.execute("CREATE TABLE t (name TEXT, text TEXT, whole INTEGER, real REAL, yes INTEGER)")
        database.executemany("INSERT INTO t VALUES (?, ?, ?, ?, ?)", rows)
        read = read_columns(database.execute("SELECT * FROM t"), DTYPES, chunk=2)
    database.close()
    assert list(read) == list(DTYPES)
    for k, (name, dtype) in enumerate(DTYPES.items()):
        whole: Any = pd.Series([row[k] for row in rows], dtype="object")
        known = whole.astype("Int64").astype(dtype) if dtype == "boolean" else whole.astype(dtype)
        if dtype == "category":
            known = whole.astype("str").astype(dtype)
        assert pd.Series(read[name]).dtype == known.dtype
        pd.testing.assert_series_equal(pd.Series(read[name]), known)


def test_whole_numbers_are_whole() -> None:
    with sqlite3.connect(":memory:") as database:
        read = read_columns(database.execute("SELECT 9007199254740991 AS whole"), DTYPES, chunk=2)
    database.close()
    assert read["whole"][0] == 2**53 - 1
    assert np.asarray(read["whole"].to_numpy()).dtype == np.int64
