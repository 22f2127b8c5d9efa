"""Codec settings, pictures and sessions of a run, as rows of text."""

from __future__ import annotations

import json
import shlex
from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd
from markupsafe import Markup, escape

from benchbox.report import Results
from benchbox_reports.analysis import Analysis
from benchbox_reports.matched import is_matched

CODEC_HEAD = ("Codec", "Title", "Options", "Quality axis", "Qualities", "Plugin and library", "Device")
_KINDS = {1: "gray", 3: "RGB", 4: "RGBA"}


def codec_rows(analysis: Analysis) -> list[tuple[str, ...]]:
    """A row under `CODEC_HEAD` for each label, from the run's settings or, where they lack a value, from the frame."""
    frame = analysis.results.frame
    rows: list[tuple[str, ...]] = []
    for label in analysis.labels:
        known = analysis.results.codec_settings.get(label, {})
        own = _own(frame, label, "codec", "options", "quality", "identity", "device", "target")

        def setting(name: str, column: str, known: Mapping[str, Any] = known, own: Any = own) -> str:
            if known.get(name) not in (None, ""):
                return text(known[name])
            return " | ".join(str(v) for v in own[column].dropna().unique()) if column in own else ""

        identity = "; ".join(filter(None, [setting("identity", "identity"), text(known.get("note") or "")]))
        qualities = known.get("qualities") or sorted(own["quality"].dropna().unique())
        rows.append((
            label, setting("title", "codec"), setting("options", "options"), _axis(known.get("axis")),
            "searched picture by picture" if is_matched(own) else
            ", ".join(f"{q:g}" for q in qualities if q is not None) or "lossless", identity,
            setting("device", "device"),
        ))
    return rows


def filled(head: Sequence[str], rows: Sequence[Sequence[str]]) -> tuple[list[str], list[list[str]]]:
    """A table without the columns that are empty in every row; the first column, which names the row, stays."""
    kept = [k for k in range(len(head)) if k == 0 or any(row[k] for row in rows)]
    return [head[k] for k in kept], [[row[k] for k in kept] for row in rows]


def command(analysis: Analysis, label: str) -> str:
    """The line that encodes a picture as `label` did, at the middle one of its qualities: ``benchbox encode ...``."""
    own = _own(analysis.results.frame, label, "codec", "options", "quality", "device")
    codec, options = str(own["codec"].iloc[0]), own["options"].dropna()
    given = json.loads(str(options.iloc[0])) if len(options) else {}
    pairs = ",".join(f"{key}={_flag(value)}" for key, value in given.items() if value is not None)
    qualities = sorted(own["quality"].dropna().unique())
    quality = f" --quality {qualities[len(qualities) // 2]:g}" if qualities else ""
    devices = [str(device) for device in own["device"].dropna().unique()] if "device" in own else []
    device = f" --device {shlex.quote(devices[0])}" if devices and devices[0] != "cpu" else ""
    named = shlex.quote(f"{codec}:{pairs}" if pairs else codec)
    return f"benchbox encode PICTURE.png --codec {named}{quality}{device} --output stream.bin"


def breakable(line: str) -> Markup:
    """A command for a narrow column: broken between words, and after the commas of options; its text stays the same."""
    words = (escape(word).replace(",", Markup(",<wbr>")) for word in line.split(" "))
    return Markup(" ").join(Markup('<span class="word">{}</span>').format(word) if word.startswith("--") else word
                            for word in words)


def measured_here(analysis: Analysis, label: str) -> bool:
    """Whether the run has measured `label`, rather than read its values from literature."""
    keys = _own(analysis.results.frame, label, "key")["key"]
    return not keys.astype(str).str.startswith("not measured here").all()


def _own(frame: pd.DataFrame, label: str, *columns: str) -> pd.DataFrame:
    """The rows of a label; of `columns`, those that the frame has."""
    return frame.loc[(frame["label"] == label).to_numpy(dtype=bool), [name for name in columns if name in frame]]


def _flag(value: Any) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)


def datasets(results: Results) -> list[tuple[str, list[str]]]:
    """(data set, lines about it): how many pictures of which sizes and kinds, then the run's notes."""
    pictures = results.frame.drop_duplicates(["dataset", "sample"])
    described = []
    for dataset, rows in pictures.groupby("dataset", observed=True, sort=False):
        parts = [f"{len(rows)} picture{'' if len(rows) == 1 else 's'}"]
        sizes = [f"{w}×{h}" for w, h in rows[["width", "height"]].dropna().drop_duplicates().itertuples(index=False)]
        if sizes:
            parts.append(", ".join(sizes) if len(sizes) <= 4 else f"{len(sizes)} sizes")
        parts += [", ".join(_KINDS.get(int(c), f"{c} channels") for c in rows["channels"].dropna().unique()),
                  ", ".join(f"{int(d)} bit" for d in rows["bit_depth"].dropna().unique())]
        described.append((str(dataset), ["; ".join(filter(None, parts)), *results.dataset_notes.get(str(dataset), ())]))
    return described


def sessions(environment: Mapping[str, Any]) -> list[tuple[str, list[tuple[str, str]]]]:
    """(heading, rows of name and value): the last session in full, then what was different in the earlier ones."""
    listed = environment.get("sessions")
    if not isinstance(listed, Sequence) or not listed:
        return [("", flat(environment))]
    last = flat(listed[-1])
    rest = flat({key: value for key, value in environment.items() if key != "sessions"})
    earlier = []
    for k, session in enumerate(listed[:-1], 1):
        earlier.append((f"Session {k} of {len(listed)}, where it differs", [p for p in flat(session) if p not in last]))
    heading = f"Session {len(listed)} of {len(listed)}" if earlier else ""
    return [(heading, [*rest, *last]), *reversed(earlier)]


def day(environment: Mapping[str, Any]) -> str:
    """The date of the last session, ``"2026-11-24"``, or ``""``."""
    listed = environment.get("sessions")
    start = listed[-1].get("start") if isinstance(listed, Sequence) and listed else environment.get("start")
    return str(start)[:10] if start else ""


def flat(value: Any, prefix: str = "") -> list[tuple[str, str]]:
    """Nested mappings as (dotted name, text)."""
    if isinstance(value, Mapping):
        return [pair for key, inner in value.items() for pair in flat(inner, f"{prefix}{key}.")]
    return [(prefix.rstrip("."), text(value))]


def text(value: Any) -> str:
    """A value for readers: ``"quality=75, progressive=no"``."""
    if isinstance(value, Mapping):
        return ", ".join(f"{k}={text(v)}" for k, v in value.items()) or "none"
    if isinstance(value, (list, tuple)):
        return ", ".join(text(v) for v in value) or "none"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:g}"
    return "unknown" if value is None else str(value)


def _axis(axis: Any) -> str:
    if not isinstance(axis, Mapping):
        return "" if axis is None else str(axis)
    unit = axis.get("unit")
    return f"{axis.get('name', '')} ({unit})" if unit else str(axis.get("name", ""))
