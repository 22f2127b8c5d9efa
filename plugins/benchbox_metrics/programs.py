"""Runs the programs that compute a metric."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from benchbox import program
from benchbox.errors import BenchboxError

LIMIT = program.Limit(600.0, "leave this metric out")
"""The time for one picture."""


def run(metric: str, arguments: Sequence[str], folder: Path) -> str:
    """The standard output of a command that ran in `folder`; raises BenchboxError, which names `metric`."""
    try:
        return program.run(arguments, folder=folder, limit=LIMIT).stdout
    except BenchboxError as error:
        raise BenchboxError(f"{metric}: {error}") from error
