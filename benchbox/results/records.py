"""What lies beside a run's results, as others may have written it: settings, machine and table, checked where read."""

from __future__ import annotations

import tomllib
from collections.abc import Collection
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from benchbox.appearance import PLAIN, Appearance
from benchbox.errors import StoreError, one_line, plain_name, without_controls
from benchbox.files import Foreign, read_json
from benchbox.store import COLUMNS, check_texts, check_values
from benchbox.values import boolean_as_number, wrong

if TYPE_CHECKING:
    import pandas as pd

RECORD = Foreign("record of a run", StoreError, "run the plan again, or publish the run again")

T = TypeVar("T", bound=BaseModel)

_NAMES = ("run", "dataset", "sample", "codec", "label", "status", "key")
"""Columns of names, which every row has."""
_LONGEST_NAME = 4096
_TOLD_APART = ("dataset", "sample", "codec", "label")
"""Columns of names by which rows are told apart."""


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class DatasetSettings(_Record):
    """A data set of a run, to be named in reports."""

    title: str
    source: str = ""
    notes: list[str] = []
    pictures: dict[str, list[str]] = {}


class Settings(_Record):
    """``settings.json``: the run's metrics by id, its data sets and codecs by name, and why codecs were left out; in a
    published folder also the versions of the metrics."""

    metrics: list[str]
    metric_versions: dict[str, str] = {}
    datasets: dict[str, DatasetSettings]
    codecs: dict[str, dict[str, Any]]
    left_out: dict[str, str] = {}


class _Environment(_Record):
    sessions: list[dict[str, Any]]


def read_settings(path: Path) -> Settings:
    """A run's ``settings.json``. Raises StoreError that names the file, the place in it and the remedy."""
    return _valid(Settings, path)


def read_environment(path: Path) -> dict[str, Any]:
    """A run's ``environment.json``: the sessions it was measured in. Raises StoreError likewise."""
    return _valid(_Environment, path).model_dump()


def read_appearance(plan: str, path: Path) -> Appearance:
    """The table ``[report]`` in the text of a run's plan, at `path`; a plan that is no TOML has none. Raises StoreError
    likewise."""
    try:
        given = tomllib.loads(plan).get("report", {})
        look = Appearance.model_validate(given)
    except ValidationError as error:
        first = error.errors()[0]
        key = one_line(".".join(map(str, ("report", *first["loc"]))), 200)
        raise StoreError(f"{path}: {key}: {wrong(first)}; {RECORD.remedy}") from error
    except (ValueError, RecursionError):
        return PLAIN
    if (place := boolean_as_number(given, look)) is not None:
        raise StoreError(f"{path}: report.{place}: must be a number, not true or false; {RECORD.remedy}")
    return look


def _valid(kind: type[T], path: Path) -> T:
    try:
        return kind.model_validate(_tame(read_json(path, RECORD)))
    except ValidationError as error:
        first = error.errors()[0]
        place = one_line(".".join(str(part) for part in first["loc"]) or "the file", 200)
        raise StoreError(f"{path}: {place}: {wrong(first)}; {RECORD.remedy}") from error


def _tame(value: Any) -> Any:
    """A JSON value whose texts are `without_controls`."""
    if isinstance(value, str):
        return without_controls(value)
    if isinstance(value, dict):
        return {without_controls(key): _tame(item) for key, item in value.items()}
    return [_tame(item) for item in value] if isinstance(value, list) else value


def clean_texts(table: pd.DataFrame) -> None:
    """Take control characters out of the texts of a published table. Raises ValueError where two names look alike."""
    import pandas as pd
    import pyarrow as pa
    import pyarrow.compute as pc

    for column in COLUMNS:
        values = table[column.name]
        if column.dtype == "category":
            known = values.cat.categories
            tame = {text: without_controls(str(text)) for text in known}
            if column.name in _TOLD_APART:
                _check_alike(column.name, tame.values())
            if any(text != shown for text, shown in tame.items()):
                table[column.name] = values.astype(object).map(tame).astype("category")
        elif column.dtype == "string" and not pc.all(pc.utf8_is_printable(pa.array(values))).as_py():
            table[column.name] = pd.array([without_controls(text) if isinstance(text, str) else None
                                           for text in values], dtype="string")  # fmt: skip


def _check_alike(column: str, texts: Collection[str]) -> None:
    """Raise ValueError where two names of a column look alike: two curves would be taken for one, or become one."""
    seen: dict[str, str] = {}
    for text in texts:
        name = plain_name(text) if column == "label" else text  # files may have names that look alike
        if name in seen:
            raise ValueError(f"column {column} holds two names that look alike, {seen[name]!a} and {text!a}")
        seen[name] = text


def check_table(table: pd.DataFrame, absent: Collection[str]) -> None:
    """Raise an error where a published table holds what no run gives: it would end as a wrong number, or as an error
    far from here. The columns of the column table come first, then those of metrics. Columns that are `absent` from the
    file, and hence null, are not checked, unless every release has written them."""
    import pandas as pd

    if not table.columns.is_unique:
        raise ValueError("two columns have one name")
    if table.empty:
        raise ValueError("it has no rows")
    for name in _NAMES:
        if table[name].isna().any():
            raise ValueError(f"column {name} has rows without a value")
        if table[name].astype("string").str.len().max() > _LONGEST_NAME:
            raise ValueError(f"column {name} has a text of more than {_LONGEST_NAME} characters")
    check_texts({name: [str(text) for text in table[name].dropna().unique()]
                 for name in ("status", "options", "null_reasons")})
    for name in table.columns[len(COLUMNS) :]:
        if not pd.api.types.is_numeric_dtype(table[name].dtype):
            raise ValueError(f"column {name} is no metric: it holds no numbers")
    check_values(table, [str(name) for name in table.columns[len(COLUMNS) :]], absent)
    good = table[(table["status"] == "ok").to_numpy(dtype=bool)]
    bpp = 8.0 * good["bytes"].to_numpy(dtype=np.float64) / (good["width"] * good["height"]).to_numpy(dtype=np.float64)
    if not np.allclose(good["bpp"].to_numpy(dtype=np.float64), bpp, rtol=1e-6, atol=0):
        raise ValueError("column bpp is not 8 * bytes / (width * height)")
