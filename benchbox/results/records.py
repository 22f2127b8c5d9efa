"""What lies beside a run's results, as others may have written it: settings, machine and table, checked where read."""

from __future__ import annotations

import json
import tomllib
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

import numpy as np
from pydantic import BaseModel, ConfigDict, ValidationError

from benchbox.appearance import Appearance
from benchbox.errors import StoreError
from benchbox.files import Foreign, read_json

if TYPE_CHECKING:
    import pandas as pd

RECORD = Foreign("record of a run", StoreError, "run the plan again, or publish the run again")

T = TypeVar("T", bound=BaseModel)

_NAMES = ("run", "dataset", "sample", "codec", "label", "status", "key")
"""Columns of names, which every row has."""
_LONGEST_NAME = 4096


class _Record(BaseModel):
    model_config = ConfigDict(frozen=True, extra="allow", strict=True)


class DatasetSettings(_Record):
    """A data set of a run, to be named in reports."""

    title: str
    source: str = ""
    notes: list[str] = []
    pictures: dict[str, list[str]] = {}


class Settings(_Record):
    """``settings.json``: the run's metrics by id, its data sets and codecs by name."""

    metrics: list[str]
    datasets: dict[str, DatasetSettings]
    codecs: dict[str, dict[str, Any]]


class _Environment(_Record):
    sessions: list[dict[str, Any]]


def read_settings(path: Path) -> Settings:
    """A run's ``settings.json``. Raises StoreError that names the file, the place in it and the remedy."""
    return _valid(Settings, path)


def read_environment(path: Path) -> dict[str, Any]:
    """A run's ``environment.json``: the sessions it was measured in. Raises StoreError likewise."""
    return _valid(_Environment, path).model_dump()


def read_appearance(plan: str, path: Path) -> Appearance:
    """The table ``[report]`` in the text of a run's plan, at `path`. Raises StoreError likewise."""
    try:
        return Appearance.model_validate(tomllib.loads(plan).get("report", {}))
    except (ValueError, RecursionError) as error:
        said = error.errors()[0]["msg"] if isinstance(error, ValidationError) else str(error)
        raise StoreError(f"{path}: report: {said}; {RECORD.remedy}") from error


def _valid(kind: type[T], path: Path) -> T:
    try:
        return kind.model_validate(read_json(path, RECORD))
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(part) for part in first["loc"]) or "the file"
        raise StoreError(f"{path}: {place}: {first['msg']}; {RECORD.remedy}") from error


def check_table(table: pd.DataFrame, absent: Collection[str]) -> None:
    """Raise ValueError where a published table holds what no run gives: it would end as a wrong number, or as an error
    far from here. Columns that are `absent` from the file, and hence null, are not checked."""
    if not table.columns.is_unique:
        raise ValueError("two columns have one name")
    for name in set(_NAMES) - set(absent):
        if table[name].isna().any():
            raise ValueError(f"column {name} has rows without a value")
        if table[name].astype("string").str.len().max() > _LONGEST_NAME:
            raise ValueError(f"column {name} has a text of more than {_LONGEST_NAME} characters")
    for name in ("options", "null_reasons"):
        for text in table[name].dropna().unique():
            _check_object(name, str(text))
    good = table[(table["status"] == "ok").to_numpy(dtype=bool)]
    for name, most in {"width": 10**6, "height": 10**6, "channels": 4, "bit_depth": 16, "bytes": 2**40}.items():
        values = good[name].to_numpy(dtype=np.float64, na_value=np.nan)
        if name not in absent and not ((values >= 1) & (values <= most)).all():
            raise ValueError(f"column {name} has values outside 1 .. {most} in rows that are ok")
    if {"bytes", "width", "height", "bpp"} & set(absent):
        return
    bpp = 8.0 * good["bytes"].to_numpy(dtype=np.float64) / (good["width"] * good["height"]).to_numpy(dtype=np.float64)
    if not np.allclose(good["bpp"].to_numpy(dtype=np.float64), bpp, rtol=1e-6, atol=0):
        raise ValueError("column bpp is not 8 * bytes / (width * height)")


def _check_object(name: str, text: str) -> None:
    try:
        found = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise ValueError(f"column {name} holds '{text[:40]}', which is no JSON") from error
    if not isinstance(found, Mapping):
        raise ValueError(f"column {name} holds '{text[:40]}', which is no JSON object")
