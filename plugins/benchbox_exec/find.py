"""Finds descriptions: those that BENCHBOX_EXEC names, and ``benchbox/exec/*.toml`` in the configuration folder."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

from benchbox.errors import PluginError
from benchbox.files import Foreign, read_toml
from benchbox_exec.codec import ExecInfo, capabilities
from benchbox_exec.spec import ID, parse

VARIABLE = "BENCHBOX_EXEC"
"""Environment variable: TOML files and folders of them, separated as in PATH."""

_DESCRIPTION = Foreign("codec description", PluginError, f"correct it or {VARIABLE}", most=1 << 20)


def files() -> list[Path]:
    """The paths of all descriptions in the order of the search, with those of the variable that do not exist."""
    found: list[Path] = []
    for entry in os.environ.get(VARIABLE, "").split(os.pathsep):
        if entry:
            path = Path(os.path.expanduser(entry)).absolute()
            found += sorted(path.glob("*.toml")) if path.is_dir() else [path]
    home = os.environ.get("XDG_CONFIG_HOME") or "~/.config"
    found += sorted((Path(os.path.expanduser(home)) / "benchbox" / "exec").glob("*.toml"))  # "~" stays without a home
    return list(dict.fromkeys(found))


def codecs(paths: Iterable[Path]) -> Sequence[ExecInfo]:
    """The codecs of the descriptions at `paths`; a bad description is an unavailable codec with the reason."""
    found: dict[str, ExecInfo] = {}
    for path in paths:
        for number, info in enumerate(_read(path)):
            twin = found.get(info.id)
            if twin is not None:
                problem = f"{path}: the id '{info.id}' is already used by {twin.source}; choose another"
                info = _bad(path, number, problem)
            while info.id in found:  # two bad files of one name
                info = _bad(path, number, info.problem, info.id + "x")
            found[info.id] = info
    return list(found.values())


def _read(path: Path) -> list[ExecInfo]:
    try:
        document = read_toml(path, _DESCRIPTION)
    except PluginError as error:
        return [_bad(path, 0, _line(error))]
    try:
        tables = _tables(document)
    except PluginError as error:
        return [_bad(path, 0, f"{path}: {_line(error)}")]
    return [_info(path, number, table) for number, table in enumerate(tables)]


def _tables(document: dict[str, Any]) -> list[Any]:
    """The ``[[codec]]`` tables of a file, or the file itself as the one table."""
    if "codec" not in document:
        return [document]
    tables = document.pop("codec")
    if document:
        raise PluginError(f"key '{next(iter(document))}' is outside of the [[codec]] tables; move it into one")
    if not isinstance(tables, list) or not tables:
        raise PluginError("'codec' must be an array of tables; write [[codec]], not [codec]")
    return tables


def _info(path: Path, number: int, table: Any) -> ExecInfo:
    try:
        if not isinstance(table, dict):
            raise PluginError("'codec' must be an array of tables; write [[codec]]")
        spec = parse(table)
    except PluginError as error:
        given = table.get("id") if isinstance(table, dict) else None
        known = isinstance(given, str) and re.fullmatch(ID, given) is not None
        return _bad(path, number, f"{path}: {_line(error)}", given if known and given else "")
    return ExecInfo(id=spec.id, title=spec.title or spec.id, capabilities=capabilities(spec), suffix=spec.suffix,
                    spec=spec, source=path)


def _bad(path: Path, number: int, problem: str, name: str = "") -> ExecInfo:
    stem = re.sub(r"[^a-z0-9]+", "-", path.stem.lower()).strip("-") or "codec"
    name = name or f"exec-{stem}" + (f"-{number + 1}" if number else "")
    return ExecInfo(id=name, title=f"{name} (bad description)", source=path, problem=problem)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]
