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
    asked = {one.label: _command(one, plugins) for one in configurations
             if any(_to_blame(one, status, reason) for label, status, reason, _ in failures if label == one.label)}
    return [f"{label}: `{command}` says what is wrong with it, rule by rule" for label, command in asked.items()]


def _to_blame(one: Configuration, status: str, reason: str) -> bool:
    """True if the codec caused a failure. The reason of any other failure begins with the sample or the metric."""
    return status in ("crashed", "timeout") or (status == "failed" and reason.startswith(f"{one.info.id} (plugin "))


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
