"""The files in a run's folder: its plan, the settings of its codecs and data sets, and the machine of each session."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from benchbox import machine
from benchbox.codec import options_json
from benchbox.errors import StoreError
from benchbox.files import what_to_do
from benchbox.plan import Resolved
from benchbox.registry import Registry


def write_run(folder: Path, resolved: Resolved, registry: Registry, session: Mapping[str, Any]) -> None:
    """Write ``plan.toml``, ``settings.json`` and ``environment.json``; earlier sessions stay listed.

    Raises:
        StoreError: the folder cannot be written.
    """
    record = {**session, "start": _now(), **machine.describe(), "plugins": registry.versions}
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _replace(folder / "plan.toml", resolved.text)
        _replace(folder / "settings.json", json.dumps(_settings(resolved), indent=1))
        _replace(folder / "environment.json", json.dumps({"sessions": [*_sessions(folder), record]}, indent=1))
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}; {what_to_do(error)} or choose another --workspace"
                         ) from error


def note_pictures(folder: Path, notes: Mapping[str, Mapping[str, Sequence[str]]]) -> None:
    """Add the reader's notes on pictures, data set id -> sample id -> notes, to ``settings.json``.

    Raises:
        StoreError: the folder cannot be written.
    """
    try:
        settings = json.loads((folder / "settings.json").read_text(encoding="utf-8"))
        for dataset, about in settings["datasets"].items():
            about["pictures"] = {sample: list(lines) for sample, lines in notes.get(dataset, {}).items()}
        _replace(folder / "settings.json", json.dumps(settings, indent=1))
    except OSError as error:
        raise StoreError(f"cannot write {folder}: {error.strerror}; {what_to_do(error)} or choose another --workspace"
                         ) from error


def note_end(folder: Path, hosts: Mapping[str, Mapping[str, Any]], workers: int | None) -> None:
    """Record the end of the last session, the other machines `hosts` that measured for it, by name, and the number of
    `workers` where it is known now only. A full disk is ignored here, since the run's own error matters more."""
    sessions = _sessions(folder)
    if sessions:
        sessions[-1]["end"] = _now()
        if hosts:
            sessions[-1]["hosts"] = dict(hosts)
        if workers is not None:
            sessions[-1]["workers"] = workers
        with contextlib.suppress(OSError):
            _replace(folder / "environment.json", json.dumps({"sessions": sessions}, indent=1))


def _sessions(folder: Path) -> list[dict[str, Any]]:
    try:
        sessions = json.loads((folder / "environment.json").read_text(encoding="utf-8"))["sessions"]
    except (OSError, ValueError, KeyError, TypeError, RecursionError):
        return []
    return [session for session in sessions if isinstance(session, dict)] if isinstance(sessions, list) else []


def _replace(path: Path, text: str) -> None:
    """Write a file whole or not at all."""
    part = path.with_name(f".{path.name}.part")
    try:
        part.write_text(text, encoding="utf-8")
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _settings(resolved: Resolved) -> dict[str, Any]:
    return {
        "metrics": [metric.id for metric in resolved.metrics],
        "datasets": {
            d.id: {"title": d.title, "version": d.version, "source": d.source, "notes": list(d.notes)}
            for d in resolved.datasets
        },
        "codecs": {
            c.label: {
                "id": c.info.id, "title": c.info.title, "identity": c.identity, "device": c.device,
                "options": json.loads(options_json(c.options)), "qualities": c.qualities,
                "axis": None if c.axis is None else {"name": c.axis.name, "unit": c.axis.unit},
            }
            for c in resolved.configurations
        },
        "left_out": dict(resolved.left_out),
    }  # fmt: skip
