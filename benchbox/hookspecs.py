"""The six hooks of a plugin. A plugin is a module named in the entry-point group ``benchbox``. It implements any of
these functions, marked with `@hookimpl`. Each takes no arguments and returns a list. A hook whose docstring does not
say otherwise is called once, when its items are first looked for."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pluggy

if TYPE_CHECKING:
    import click

    from benchbox.codec import CodecInfo
    from benchbox.dataset import DatasetInfo
    from benchbox.metric import Metric
    from benchbox.reference import Reference, ReferenceFormat
    from benchbox.report import Report

PROJECT = "benchbox"

hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


@hookspec
def benchbox_codecs() -> Sequence[CodecInfo]:  # type: ignore[empty-body]
    """The codecs of this plugin. Must be quick: import no codec library here. List a codec whose library is absent too;
    its `CodecInfo.unavailable` names the remedy."""


@hookspec
def benchbox_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """The metrics of this plugin."""


@hookspec
def benchbox_datasets() -> Sequence[DatasetInfo]:  # type: ignore[empty-body]
    """The data sets of this plugin."""


@hookspec
def benchbox_reports() -> Sequence[Report]:  # type: ignore[empty-body]
    """The kinds of report that this plugin writes."""


@hookspec
def benchbox_references() -> Sequence[Reference | ReferenceFormat]:  # type: ignore[empty-body]
    """The published curves of this plugin, and the formats of curve files that it reads. Called only when a report or
    a list asks for published curves."""


@hookspec
def benchbox_commands() -> Sequence[click.Command]:  # type: ignore[empty-body]
    """The subcommands that this plugin adds to ``benchbox``, each under its own `name`. Called only when the command
    line lists its commands or is given a name that is not built in. Must be quick: import what a command needs inside
    it. A name that is built in, or that two plugins offer, is refused (see ``benchbox list plugins``)."""
