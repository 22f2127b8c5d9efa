"""The lines of ``benchbox list KIND ID``: all there is to know about one codec, metric, data set, report, published
curve or plugin."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

from benchbox.cli import listing, options
from benchbox.codec import Capabilities, CodecInfo, OptionsModel, QualityAxis
from benchbox.dataset import DatasetInfo
from benchbox.errors import BenchboxError, UnknownIdError, UsageError, did_you_mean, one_line
from benchbox.guard import answered
from benchbox.loading import Plugin
from benchbox.plan import parse_codec
from benchbox.registry import Registry

_KINDS = {1: "gray", 3: "RGB", 4: "RGBA"}


def lines(kind: str, name: str, load: Callable[[], Registry]) -> Iterator[str]:
    """The lines of ``benchbox list KIND NAME``; `load` makes the registry. Raises UnknownIdError that suggests the
    nearest id."""
    tellers: dict[str, Callable[[Registry, str], Iterator[str]]] = {
        "codecs": _codec, "metrics": _metric, "datasets": _dataset, "reports": _report, "references": _references,
        "plugins": _plugin,
    }  # fmt: skip
    if kind not in tellers:
        raise UsageError(f"list {kind} takes no name, got '{name}'; write: benchbox list {kind}")
    return tellers[kind](load(), name)


def _codec(plugins: Registry, text: str) -> Iterator[str]:
    """Everything about a codec ``ID[:OPTIONS]``; quality and identity are those under the options."""
    entry = parse_codec(text)
    info = plugins.codec(entry.id)
    taken = info.capabilities
    yield f"{info.id}: {one_line(info.title)}"
    yield from _facts({"status": partial(listing.state, info.unavailable),
                       "from": partial(_origin, plugins.owners("codecs")[info.id], info)})  # fmt: skip
    if _states_nothing(info):
        return
    yield from _facts({
        "identity": lambda: plugins.identity(info, info.parse_options(entry.options)),
        "quality": lambda: _axis(answered(info.axis, info.parse_options(entry.options)), taken),
        "pictures": lambda: _pictures(taken),
        "promises": lambda: _promises(taken),
        "devices": lambda: ", ".join(taken.devices),
        "suffix": lambda: info.suffix,
    })  # fmt: skip
    yield from _options(info.Options)


def _pictures(taken: Capabilities) -> str:
    kinds = ", ".join(_KINDS.get(channels, str(channels)) for channels in sorted(taken.channels))
    bits = " and ".join(str(bits) for bits in sorted(taken.bit_depths))
    return f"{kinds}; {bits} bits; {taken.min_size} to {taken.max_size} pixels a side"


def _promises(taken: Capabilities) -> str:
    tolerance = taken.pixel_tolerance
    return ", ".join([*["lossless"] * taken.lossless, *["deterministic"] * taken.deterministic, "decoding " +
                      (f"may differ by {tolerance} levels between devices" if tolerance else "exact")])  # fmt: skip


def _states_nothing(info: CodecInfo) -> bool:
    """True if a codec is unavailable and states neither lossy nor lossless: nobody could read its description, and all
    that it states are defaults."""
    try:
        return (answered(info.unavailable) is not None and not info.capabilities.lossless
                and answered(info.axis, info.parse_options({})) is None)  # fmt: skip
    except (BenchboxError, AttributeError):  # AttributeError: capabilities may be anything
        return False


def _axis(axis: QualityAxis | None, taken: Capabilities) -> str:
    if axis is None:
        return "none: lossless" if taken.lossless else listing.NO_AXIS
    sweep = ", ".join(f"{value:g}" for value in axis.values)
    whole = ", whole numbers" if axis.integer else ""
    return f"{axis.name} {axis.minimum:g} .. {axis.maximum:g} {axis.unit}".rstrip() + f"{whole}; by default {sweep}"


def _metric(plugins: Registry, name: str) -> Iterator[str]:
    metric = plugins.metric(name)
    ends = [f"{sign} {end:g}" for sign, end in ((">=", metric.lowest), ("<=", metric.highest)) if end is not None]
    yield f"{metric.id}: {one_line(metric.title)}"
    yield from _facts({
        "status": partial(listing.state, metric.unavailable),
        "from": partial(_origin, plugins.owners("metrics")[metric.id], metric),
        "version": lambda: str(metric.version),
        "values": lambda: ", ".join([f"{metric.better} is better", *ends, *([metric.unit] if metric.unit else [])]),
        "column": lambda: metric.column,
        "drawn as": lambda: metric.display.label,
    })  # fmt: skip


def _dataset(plugins: Registry, text: str) -> Iterator[str]:
    """Everything about a data set ``ID[:ARGUMENT]``; its contents where it can be opened."""
    info = plugins.dataset_info(text.partition(":")[0])
    yield f"{listing.dataset_name(info)}: {one_line(info.title)}"
    yield from _facts({
        "status": partial(listing.dataset_state, info),
        "from": partial(_origin, plugins.owners("datasets")[info.id], info),
        **_opened(plugins, info, text),
    })  # fmt: skip


def _opened(plugins: Registry, info: DatasetInfo, text: str) -> Mapping[str, Callable[[], str]]:
    if listing.dataset_state(info) != "available" or (info.argument and ":" not in text):
        return {}
    dataset = plugins.dataset(text)
    return {"pictures": lambda: str(len(dataset.samples)), "version": lambda: dataset.version,
            "source": lambda: dataset.source, "notes": lambda: "; ".join(dataset.notes)}


def _report(plugins: Registry, name: str) -> Iterator[str]:
    report = plugins.report(name)
    yield f"{report.id}: {one_line(report.title)}"
    yield from _facts({
        "made": lambda: "by default" if report.default else f"when asked: benchbox report RUN --format {report.id}",
        "from": partial(_origin, plugins.owners("reports")[report.id], report),
    })  # fmt: skip
    yield from _options(report.Options)


def _references(plugins: Registry, name: str) -> Iterator[str]:
    """The published curves of one id, on each data set, and the format of curve files of that id."""
    curves = [item for item in plugins.references() if item.id == name]
    formats = [item for item in plugins.reference_formats() if item.id == name]
    if not curves and not formats:
        known = [*(item.id for item in plugins.references()), *(item.id for item in plugins.reference_formats())]
        hint = did_you_mean(name, known) or "; see `benchbox list references`"
        raise UnknownIdError(f"no published curve is called '{name}'{hint}")
    owners = {item.id: offer.plugin for offer in plugins.offers("benchbox_references") for item in offer.items}
    for curve in curves:
        yield f"{curve.id} on {curve.dataset}: {one_line(curve.title)}"
        facts = {"points": f"{len(curve.bpp)}, {min(curve.bpp):g} to {max(curve.bpp):g} bpp",
                 "metrics": ", ".join(curve.metrics), "convention": curve.convention, "source": curve.source,
                 "caution": curve.caution, "from": _owner(owners[name])}  # fmt: skip
        yield from _facts({key: partial(str, text) for key, text in facts.items()})
    for form in formats:
        yield f"{form.id}: {one_line(form.title)}"
        facts = {"reads": ", ".join(form.suffixes), "from": _origin(owners[name], form)}
        yield from _facts({key: partial(str, text) for key, text in facts.items()})


def _plugin(plugins: Registry, name: str) -> Iterator[str]:
    found = {plugin.name: plugin for plugin in plugins.plugins}
    if name not in found:
        hint = did_you_mean(name, found) or "; see `benchbox list plugins`"
        raise UnknownIdError(f"no plugin is called '{name}'{hint}")
    plugin = found[name]
    yield f"{plugin.name}: {plugin.distribution} {plugin.version}".rstrip()
    yield from _facts({"state": lambda: plugin.failure or "loaded", "module": lambda: plugin.module})
    for hook, titles in listing.offers(plugins).get(name, {}).items():
        yield f"{hook}:"
        yield from (f"  {line}" for line in listing.aligned(list(titles.items())))


def _facts(facts: Mapping[str, Callable[[], str]]) -> Iterator[str]:
    """``"  name:  fact"`` of each that is not empty; one that the plugin cannot give says why."""
    for name, ask in facts.items():
        try:
            fact = ask()
        except Exception as error:  # a plugin's methods and attributes may be anything
            fact = f"at fault: {'' if isinstance(error, BenchboxError) else f'{type(error).__name__}: '}{error}"
        if fact:
            yield f"  {name + ':':11} {one_line(fact, 2000)}"


def _options(model: type[OptionsModel]) -> Iterator[str]:
    found = list(options.rows(model))
    if found:
        yield ""
        yield from listing.table(options.HEAD, found)


def _owner(plugin: Plugin) -> str:
    return f"plugin {plugin.name} of {plugin.distribution} {plugin.version}".rstrip()


def _origin(plugin: Plugin, item: Any) -> str:
    """The plugin and its distribution, and the file and line where the item's class is written."""
    try:
        return f"{_owner(plugin)}, {inspect.getsourcefile(type(item))}:{inspect.getsourcelines(type(item))[1]}"
    except (OSError, TypeError):  # made at run time, or its source is not here
        return _owner(plugin)
