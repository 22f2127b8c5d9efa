"""The five hooks of a plugin. A plugin is a module named in the entry-point group ``benchbox``; it implements any of
these with `@hookimpl`. Each is called without arguments and returns a list: when the registry loads, but for
`benchbox_references`, which is called when curves are asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pluggy

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
    """The codecs of this plugin. Must be cheap: a codec whose library is absent is listed all the same and says so in
    `CodecInfo.unavailable`."""


@hookspec
def benchbox_metrics() -> Sequence[Metric]:  # type: ignore[empty-body]
    """The metrics of this plugin."""


@hookspec
def benchbox_datasets() -> Sequence[DatasetInfo]:  # type: ignore[empty-body]
    """The data sets of this plugin."""


@hookspec
def benchbox_reports() -> Sequence[Report]:  # type: ignore[empty-body]
    """The kinds of report of this plugin."""


@hookspec
def benchbox_references() -> Sequence[Reference | ReferenceFormat]:  # type: ignore[empty-body]
    """The published curves of this plugin, and the formats of curve files that it reads. Called only when a report or
    a list asks for published curves."""
