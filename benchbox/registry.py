"""Finds plugins and looks up what they offer by id.

Entry points are loaded here and not by pluggy's own loader, which stops at a broken plugin and drops a second plugin of
the same name. Here they are sorted by name and each is loaded in a `try`, so that a broken plugin costs only itself and
the order of results is always the same.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from importlib import metadata
from types import ModuleType
from typing import Any, Protocol, TypeVar

import click
import pluggy

from benchbox import hookspecs, machine
from benchbox.codec import CodecInfo
from benchbox.dataset import Dataset, DatasetInfo
from benchbox.errors import BenchboxError, PluginError, UnknownIdError, did_you_mean
from benchbox.metric import Metric
from benchbox.reference import Reference, ReferenceFormat
from benchbox.report import Report

GROUP = "benchbox"

_OFFERS: Mapping[str, tuple[type, ...]] = {
    "benchbox_codecs": (CodecInfo,),
    "benchbox_metrics": (Metric,),
    "benchbox_datasets": (DatasetInfo,),
    "benchbox_reports": (Report,),
    "benchbox_references": (Reference, ReferenceFormat),
    "benchbox_commands": (click.Command,),
}
"""The type of the items that each hook returns."""


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_HasId)


@dataclass(frozen=True)
class Plugin:
    """A plugin: where it came from, and why it (or a part of it) is not in use, if so."""

    name: str
    module: str
    distribution: str
    version: str
    failure: str | None = None


@dataclass(frozen=True)
class CommandOffer:
    """The subcommands that one plugin offers; none, with the reason in `plugin.failure`, if its hook failed."""

    plugin: Plugin
    commands: tuple[click.Command, ...]


@dataclass(frozen=True)
class Registry:
    """Everything that the loaded plugins offer, by id, in the order of plugin names."""

    plugins: tuple[Plugin, ...]
    codecs: Mapping[str, CodecInfo]
    metrics: Mapping[str, Metric]
    datasets: Mapping[str, DatasetInfo]
    reports: Mapping[str, Report]
    _references: Callable[[], Sequence[Reference | ReferenceFormat]]
    _commands: Callable[[], Sequence[CommandOffer]]

    @property
    def versions(self) -> dict[str, str]:
        """Plugin -> distribution and version, of those that are loaded."""
        return {p.name: f"{p.distribution} {p.version}" for p in self.plugins if p.failure is None}

    def codec(self, name: str) -> CodecInfo:
        """The codec of that id; raises UnknownIdError that suggests the nearest id, as the next three methods do."""
        return _find(self.codecs, name, "codec", "benchbox list codecs")

    def metric(self, name: str) -> Metric:
        """The metric of that id."""
        return _find(self.metrics, name, "metric", "benchbox list metrics")

    def report(self, name: str) -> Report:
        """The kind of report of that id."""
        return _find(self.reports, name, "report", "benchbox list reports")

    def dataset_info(self, name: str) -> DatasetInfo:
        """The data set of that id, without opening it."""
        return _find(self.datasets, name, "data set", "benchbox list datasets")

    def dataset(self, name: str) -> Dataset:
        """Open the data set ``"id"`` or ``"id:argument"``; raises UnknownIdError or DatasetError."""
        base, colon, argument = name.partition(":")
        info = self.dataset_info(base)
        if info.argument and not argument:
            raise UnknownIdError(f"data set {base} needs an argument: write {base}:{info.argument}")
        if colon and not info.argument:
            raise UnknownIdError(f"data set {base} takes no argument: write {base}, not {name}")
        return info.open(argument)

    def references(self) -> Sequence[Reference]:
        """All published curves; the plugins are asked for them at each call."""
        return [item for item in self._references() if isinstance(item, Reference)]

    def reference_formats(self) -> Sequence[ReferenceFormat]:
        """All formats of curve files; the plugins are asked for them at each call."""
        return [item for item in self._references() if isinstance(item, ReferenceFormat)]

    def commands(self) -> Sequence[CommandOffer]:
        """The subcommands of every plugin (asked for on demand: runs need none). The command line settles clashes."""
        return self._commands()


def load(extra: Sequence[ModuleType] = ()) -> Registry:
    """Load every plugin of the entry-point group ``benchbox`` and then the modules `extra`."""
    machine.provide_numba_cache()
    manager = pluggy.PluginManager(hookspecs.PROJECT)
    manager.add_hookspecs(hookspecs)
    plugins: list[Plugin] = []
    modules: list[tuple[Plugin, Any]] = []
    for point in sorted(metadata.entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
        found = Plugin(point.name, point.value, _distribution(point), point.dist.version if point.dist else "")
        _register(manager, found, point.load, plugins, modules)
    for module in extra:
        found = Plugin(module.__name__, module.__name__, "(given)", "")
        _register(manager, found, partial(_identity, module), plugins, modules)
    kinds = ("codecs", "metrics", "datasets", "reports")
    tables = {kind: _collect(modules, f"benchbox_{kind}", plugins) for kind in kinds}
    return Registry(tuple(plugins), **tables, _references=lambda: _references(modules),
                    _commands=lambda: [_offer(plugin, module) for plugin, module in modules])


def _identity(module: ModuleType) -> ModuleType:
    return module


def _distribution(point: metadata.EntryPoint) -> str:
    return point.dist.name if point.dist else "(unknown)"


def _register(
    manager: pluggy.PluginManager,
    found: Plugin,
    loader: Callable[[], Any],
    plugins: list[Plugin],
    modules: list[tuple[Plugin, Any]],
) -> None:
    twin = next((p for p in plugins if p.name == found.name and p.failure is None), None)
    if twin is not None and twin.module == found.module:
        return  # the same entry point seen twice on sys.path (an editable install next to its metadata)
    if twin is not None:
        reason = f"a plugin of this name is loaded from {twin.distribution}; rename the entry point of one of them"
        plugins.append(Plugin(found.name, found.module, found.distribution, found.version, reason))
        return
    try:
        module = loader()
        manager.register(module, name=found.name)
        manager.check_pending()
    except (Exception, SystemExit) as error:  # a third party's import may raise anything, or call sys.exit
        reason = f"{type(error).__name__}: {(str(error).splitlines() or [''])[0]}"
        if manager.has_plugin(found.name):
            manager.unregister(name=found.name)
        plugins.append(Plugin(found.name, found.module, found.distribution, found.version, reason))
        return
    plugins.append(found)
    modules.append((found, module))


def _collect(modules: Sequence[tuple[Plugin, Any]], hook: str, plugins: list[Plugin]) -> dict[str, Any]:
    """Call one hook of every plugin in order. A plugin whose hook raises is marked as failed. Ids must be unique."""
    table: dict[str, Any] = {}
    owner: dict[str, Plugin] = {}
    for plugin, module in modules:
        for item in _call(plugin, module, hook, plugins):
            if item.id in owner:
                item = _parted(item, plugin, table, owner, hook)
            owner[item.id] = plugin
            table[item.id] = item
    return table


def _parted(item: Any, plugin: Plugin, table: dict[str, Any], owner: dict[str, Plugin], hook: str) -> Any:
    """The item to enter for `item`, whose id is taken: one of the two gets another id if it can, else PluginError."""
    first = owner[item.id]
    renamed = _renamed(item, first)
    if renamed is not None and renamed.id not in owner:
        return renamed
    renamed = _renamed(table[item.id], plugin)
    if renamed is not None and renamed.id not in owner:
        table[renamed.id], owner[renamed.id] = renamed, first
        return item
    raise PluginError(f"two plugins offer '{item.id}' in {hook}: {first.name} of {first.distribution} and "
                      f"{plugin.name} of {plugin.distribution}; rename or remove one of them")


def _renamed(item: Any, other: Plugin) -> CodecInfo | None:
    reason = f"{other.distribution} has a codec with the id '{item.id}'"
    return item.renamed_for(reason) if isinstance(item, CodecInfo) else None


def _call(plugin: Plugin, module: Any, hook: str, plugins: list[Plugin]) -> Iterable[Any]:
    function = getattr(module, hook, None)
    if function is None:
        return ()
    try:
        items = list(function())
        strange = [item for item in items if not isinstance(item, _OFFERS[hook])]
        if not strange:
            return items
        kinds = " or ".join(kind.__name__ for kind in _OFFERS[hook])
        reason = f"{hook} gave a {type(strange[0]).__name__}; it must give instances of {kinds}"
    except BenchboxError as error:
        reason = str(error)
    except (Exception, SystemExit) as error:  # a third party's hook may raise anything
        reason = f"{hook} raised {type(error).__name__}: {error}"
    index = plugins.index(plugin) if plugin in plugins else -1
    if index >= 0:
        plugins[index] = Plugin(plugin.name, plugin.module, plugin.distribution, plugin.version, reason)
    return ()


def _references(modules: Sequence[tuple[Plugin, Any]]) -> list[Reference | ReferenceFormat]:
    """All published curves, whose ids differ within a data set, and all formats of curve files, whose ids differ."""
    found: dict[tuple[str, str], Reference | ReferenceFormat] = {}
    for plugin, module in modules:
        for item in _call(plugin, module, "benchbox_references", []):
            kind = f"published curves on {item.dataset}" if isinstance(item, Reference) else "formats of curve files"
            if (kind, item.id) in found:
                raise PluginError(f"two {kind} are called '{item.id}', one of them in {plugin.name} of "
                                  f"{plugin.distribution}; rename one")
            found[kind, item.id] = item
    return list(found.values())


def _offer(plugin: Plugin, module: Any) -> CommandOffer:
    outcome = [plugin]  # `_call` puts a failed one in its place
    commands = tuple(_call(plugin, module, "benchbox_commands", outcome))
    return CommandOffer(outcome[0], commands)


def _find(table: Mapping[str, T], name: str, kind: str, command: str) -> T:
    try:
        return table[name]
    except KeyError:
        hint = did_you_mean(name, table) or f"; see `{command}`"
        raise UnknownIdError(f"no {kind} is called '{name}'{hint}") from None
