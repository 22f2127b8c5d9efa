"""The `benchbox check` command for each codec that failed by its own fault."""

from __future__ import annotations

import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

from benchbox.plan import Configuration
from benchbox.registry import Registry
from benchbox.store import shown


def checks(
    failures: Sequence[tuple[str, str, str, int]], configurations: Iterable[Configuration], plugins: Registry
) -> list[str]:
    """One line for each codec that is to blame for some of `failures`, (label, status, reason, rows): the command that
    tries it by the rules of the conformance kit."""
    to_blame = {label for label, status, reason, _ in failures
                if status in ("crashed", "timeout") or (status == "failed" and " (plugin " in reason)}  # fmt: skip
    asked = {one.label: _command(one, plugins) for one in configurations if one.label in to_blame}
    return [f"{label}: `{command}` says what is wrong with it, rule by rule" for label, command in asked.items()]


def _command(one: Configuration, plugins: Registry) -> str:
    changed = one.options.model_dump(mode="json", exclude_defaults=True)
    options = ",".join(f'{key}="{value}"' if set(",@") & set(str(value)) else f"{key}={value}"
                       for key, value in changed.items())  # fmt: skip
    words = ["benchbox", "check", f"{one.info.id}:{options}" if options else one.info.id]
    owner = plugins.owners("codecs").get(one.info.id)
    if owner is not None and owner.file is not None:
        words += ["--plugin", shown(Path(owner.file.path))]
    if one.device != "cpu":
        words += ["--device", one.device]
    return shlex.join(words)
