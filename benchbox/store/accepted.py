"""The values that results may hold: rows that others may have written are checked against them where they enter, and
what workers report is checked and cleaned before it is stored.

A null is a missing value and no fault, except where a row that is ok must have one: PSNR of a lossless codec is null.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Collection, Iterable, Mapping
from typing import Any

import numpy as np

from benchbox.errors import one_line
from benchbox.store.tables import DamagedRows

STATUSES = ("ok", "unsupported", "failed", "timeout", "crashed", "memory")
"""What may become of a point that was tried."""
MISSING = "missing"
"""Status of the rows whose points were not tried yet."""

_SECONDS = (0.0, 1e9)
_FINITE = (-sys.float_info.max, sys.float_info.max)
RANGES: Mapping[str, tuple[float, float]] = {
    "width": (1, 10**6), "height": (1, 10**6), "channels": (1, 4), "bit_depth": (1, 16), "bytes": (1, 2**40),
    "quality": _FINITE, "encode_s": _SECONDS, "decode_s": _SECONDS, "encode_cpu_s": _SECONDS, "decode_cpu_s": _SECONDS,
    "encode_spread_s": _SECONDS, "decode_spread_s": _SECONDS, "peak_bytes": (0, 2**60), "batch": (1, 10**6),
    "threads": (1, 10**6),
}  # fmt: skip
"""Column -> its lowest and highest value."""
NEEDED = frozenset({"width", "height", "channels", "bit_depth", "bytes"})
"""Columns without nulls in rows that are ok."""
_WHOLE = ("width", "height", "channels", "bit_depth", "bytes")
_TEXTS = ("stream_sha256", "pixels_sha256")
_LONGEST_VERSION = 200


def check_values(table: Any, metrics: Collection[str], absent: Collection[str] = ()) -> None:
    """Check the numbers of a results table (a mapping of columns, or a frame), columns of `metrics` among them; those
    that are `absent` from the file, and hence null, are not checked.

    Raises:
        DamagedRows: names the column, the row and what it holds.
    """
    ok = np.asarray(table["status"] == "ok", dtype=bool)
    for name, (lowest, highest) in {**dict.fromkeys(metrics, _FINITE), **RANGES}.items():
        if (name in absent and name not in NEEDED) or name not in table:
            continue
        values = _floats(table[name])
        wrong = (values < lowest) | (values > highest)
        if name in NEEDED:
            wrong |= ok & np.isnan(values)
        if wrong.any():
            row = int(np.argmax(wrong))
            raise DamagedRows(f"column {name}, row {row}: {'null' if np.isnan(values[row]) else f'{values[row]:g}'} is "
                              f"not within {lowest:g} .. {highest:g}")


def check_texts(distinct: Mapping[str, Iterable[str]]) -> None:
    """Check the texts that the columns `status`, `options` and `null_reasons` hold; `distinct` gives them by column.

    Raises:
        DamagedRows: names the column and what it holds.
    """
    for name, texts in distinct.items():
        for text in texts:
            if name == "status" and text not in (*STATUSES, MISSING):
                raise DamagedRows(f"column status holds {one_line(repr(text), 60)}, which is no status")
            if name != "status" and not _is_object(text):
                raise DamagedRows(f"column {name} holds {one_line(repr(text), 60)}, which is no JSON object")


def _is_object(text: str) -> bool:
    try:
        return isinstance(json.loads(text), dict)
    except (ValueError, RecursionError):
        return False


def _floats(values: Any) -> Any:
    if isinstance(values, np.ndarray):
        return np.asarray(values, dtype=np.float64)
    return np.asarray(values.to_numpy(dtype=np.float64, na_value=np.nan), dtype=np.float64)


def number(value: Any, place: str, lowest: float = _FINITE[0]) -> float:
    """A number that was read from the database. Raises DamagedRows, which names the `place`, where it is none, or is
    below `lowest`."""
    if not _within(value, (lowest, _FINITE[1]), (int, float)):
        raise DamagedRows(f"{place} is {one_line(value, 60)}")
    return float(value)


def fault(event: Mapping[str, Any]) -> str:
    """What is wrong with the values of a finished point as a worker reports it; "" if nothing is. Types and presence
    are not its matter."""
    for name in (*_WHOLE, "encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s"):
        value = event.get(name)
        if value is not None and not _within(value, RANGES[name], int if name in _WHOLE else (int, float)):
            return f"{name} is {one_line(value, 60)}"
    for name in _TEXTS:
        value = event.get(name)
        if value is not None and not (isinstance(value, str) and len(value) == 64 and set(value) <= set(_HEX)):
            return f"{name} is {one_line(value, 60)}"
    if not _is_place(event.get("place", {})):
        return f"place is {one_line(event['place'], 60)}"
    for metric, (_, value, _) in event.get("scores", {}).items():
        if value is not None and not _within(value, _FINITE, (int, float)):
            return f"{metric} is {one_line(value, 60)}"
    for name, values in (event.get("timing") or {}).items():
        for value in values if isinstance(values, list) else [values]:
            if value is not None and not _within(value, (0, 2**60), (int, float)):
                return f"{name} is {one_line(value, 60)}"
    return ""


def _is_place(place: Any) -> bool:
    """Whether it tells where a point was measured: `host`, `threads`, `workers`, or nothing."""
    return place == {} or (
        isinstance(place, dict) and place.keys() == {"host", "threads", "workers"} and isinstance(place["host"], str)
        and place["host"].isprintable()
        and all(_within(place[name], (1, 10**6), int) for name in ("threads", "workers"))
    )  # fmt: skip


_HEX = "0123456789abcdef"


def _within(value: Any, limits: tuple[float, float], kind: type | tuple[type, ...]) -> bool:
    if not isinstance(value, kind) or isinstance(value, bool):
        return False
    number: Any = value
    return bool(limits[0] <= number <= limits[1])  # False of NaN


def cleaned(event: Mapping[str, Any]) -> dict[str, Any]:
    """A finished point as it is stored: reasons are one printable line each, and one whose values are no measurement
    is a failure that says so."""
    wrong = fault(event)
    if wrong:
        kept = {"event": "point", "key": event["key"]}
        return {**kept, "status": "failed", "reason": f"the worker reported what cannot be: {wrong}"}
    scores = {one_line(metric): [one_line(version, _LONGEST_VERSION), value, one_line(reason)]
              for metric, (version, value, reason) in event.get("scores", {}).items()}  # fmt: skip
    return {**event, "reason": one_line(event.get("reason", "")), "scores": scores}
