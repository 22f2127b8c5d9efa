"""Finds plugins and asks them what they offer; a plugin at fault costs itself, by name, and nothing else.

Entry points are loaded here and not by pluggy's own loader, which stops at a broken plugin and drops a second plugin of
the same name. Here they are sorted by name and each is loaded in a `try`, so that the order of results is always the
same.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import cache, partial
from importlib import metadata
from types import ModuleType
from typing import TYPE_CHECKING, Any

import pluggy

import benchbox
from benchbox import hooks, hookspecs
from benchbox.deadline import OverdueError, deadline
from benchbox.errors import BenchboxError, PluginError, UsageError, one_line
from benchbox.guard import IMPORT_SECONDS, answered, exit_forbidden, import_fault
from benchbox.offered import drawn, fault
from benchbox.place import place_of
from benchbox.plugin_file import PluginFile, remedy_for_nothing
from benchbox.sources import module_sha256

if TYPE_CHECKING:
    from benchbox.codec import CodecInfo

GROUP = "benchbox"
OWN = "benchbox"
"""The distribution that keeps an id when a plugin of another distribution offers it too."""


@dataclass(frozen=True)
class Plugin:
    """A plugin: where it came from, and why it (or a part of it) is not in use, if so. `file` is set where it is one
    file that was named and not installed."""

    name: str
    module: str
    distribution: str
    version: str
    failure: str | None = None
    file: PluginFile | None = None

    def __str__(self) -> str:
        return f"{self.name} of {self.distribution}"


@dataclass(frozen=True)
class Offer:
    """What one plugin offers through a hook; none, with the reason in `plugin.failure`, if its hook failed."""

    plugin: Plugin
    items: tuple[Any, ...]


class Loader:
    """The plugins of the entry-point group ``benchbox`` in the order of their names, then the modules `extra`, then the
    plugin files `files`.

    Raises:
        PluginError, UsageError: one of `files` is at fault, here or when it is asked; unlike an installed plugin it was
            named for this very command.
    """

    def __init__(self, extra: Sequence[ModuleType] = (), files: Sequence[PluginFile] = ()) -> None:
        self._manager = pluggy.PluginManager(hookspecs.PROJECT)
        self._manager.add_hookspecs(hookspecs)
        self._found: list[Plugin] = []
        self._hooks: list[tuple[Plugin, Mapping[str, Callable[[], Any]]]] = []
        self._faults: dict[Plugin, str] = {}
        self._sources: dict[str, str | None] = {}
        named = cache(_name_and_version)
        for point in sorted(metadata.entry_points(group=GROUP), key=lambda p: (p.name, p.value)):
            self._register(Plugin(point.name, point.value, *named(point.dist)), point.load)
        for module in extra:
            self._register(Plugin(module.__name__, module.__name__, "(given)", ""), partial(_itself, module))
        for file in files:
            self._register_file(file)

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All that were found, each with the first fault that was seen so far."""
        return tuple(replace(p, failure=p.failure or self._faults.get(p)) for p in self._found)

    def table(self, hook: str) -> tuple[dict[str, Any], dict[str, Plugin]]:
        """(id -> what the plugins offer through one hook, id -> its plugin); of two with one id, the second by name is
        left out."""
        table: dict[str, Any] = {}
        owner: dict[str, Plugin] = {}
        for plugin, functions in self._hooks:
            for item in self._offer(plugin, functions, hook).items:
                twin = _of_one_column(item, table) if hook == "benchbox_metrics" else None
                if twin is not None:
                    self._part_twins(item, plugin, twin, table, owner)
                elif item.id not in owner:
                    table[item.id], owner[item.id] = item, plugin
                elif plugin.file is not None:
                    who = "another one of its own" if owner[item.id] == plugin else f"one of {owner[item.id]}"
                    raise PluginError(f"plugin file {plugin.module}: '{item.id}' is the id of {who}; give it another")
                else:
                    self._part(item, plugin, table, owner)
        return table, owner

    def source_sha256(self, plugin: Plugin) -> str | None:
        """The SHA-256 (hex) of the plugin's own files; None if they cannot be found. They are read once."""
        if plugin.file is not None:
            return plugin.file.sha256
        if plugin.module not in self._sources:
            self._sources[plugin.module] = module_sha256(plugin.module)
        return self._sources[plugin.module]

    def offers(self, hook: str) -> list[Offer]:
        """What each plugin offers through one hook, which is called now."""
        return [self._offer(plugin, functions, hook) for plugin, functions in self._hooks]

    def _register(self, found: Plugin, loader: Callable[[], Any]) -> None:
        if any(p.name == found.name and p.module == found.module for p in self._found):
            return  # the same entry point seen twice on sys.path (an editable install next to its metadata)
        twin = next((p for p in self._found if p.name == found.name and p.failure is None), None)
        if twin is not None:
            reason = f"a plugin of this name is loaded from {twin.distribution}; rename the entry point of one of them"
            self._found.append(replace(found, failure=reason))
            return
        try:
            with exit_forbidden(), deadline(IMPORT_SECONDS):
                module = loader()
            functions = hooks.implemented(module)
            if not functions:
                raise PluginError(hooks.nothing(module))
            self._manager.register(module, name=found.name)
            self._manager.check_pending()
        except (Exception, SystemExit, OverdueError) as error:  # an import may raise anything, or never end
            if self._manager.has_plugin(found.name):
                self._manager.unregister(name=found.name)
            self._found.append(replace(found, failure=import_fault(found.module, error)))
            return
        self._found.append(found)
        self._hooks.append((found, functions))
        mistake = hooks.misspelt(module, functions)
        if mistake is not None:
            self._faults[found] = mistake

    def _register_file(self, file: PluginFile) -> None:
        """Load a plugin file, or raise: whoever names a file wants it."""
        twin = next((p for p in self._found if p.file is not None and p.name == file.path.stem), None)
        if twin is not None:
            raise UsageError(f"plugin file {file.path}: {twin.module} has the same name; rename one of them")
        found = Plugin(file.path.stem, str(file.path), file.name, f"sha256 {file.sha256[:12]}", file=file)
        with exit_forbidden(), deadline(IMPORT_SECONDS):
            module = file.load()
        try:
            functions = hooks.implemented(module)
            self._manager.register(module, name=str(file.path))
            self._manager.check_pending()
        except (PluginError, pluggy.PluginValidationError) as error:
            raise PluginError(f"plugin file {file.path}: {one_line(error)}") from error
        mistake = hooks.misspelt(module, functions)
        if not functions or mistake:
            raise PluginError(f"plugin file {file.path}: {mistake or f'offers nothing; {remedy_for_nothing(file)}'}")
        self._found.append(found)
        self._hooks.append((found, functions))

    def _offer(self, plugin: Plugin, functions: Mapping[str, Callable[[], Any]], hook: str) -> Offer:
        function = functions.get(hook)
        if function is None:
            return Offer(plugin, ())
        try:
            items = tuple(answered(drawn(function)))
            reason = fault(items, hook)
            if reason is None:
                return Offer(plugin, items)
            reason += place_of(function)
        except BenchboxError as error:
            reason = str(error)
        if plugin.file is not None:
            raise PluginError(f"plugin file {plugin.module}: {reason}")
        self._faults.setdefault(plugin, reason)
        return Offer(replace(plugin, failure=reason), ())

    def _part_twins(
        self, item: Any, plugin: Plugin, twin: str, table: dict[str, Any], owner: dict[str, Plugin]
    ) -> None:
        """Leave out `item`, or the metric `twin` that came before, whose column in results would be the same."""
        out, left = plugin, item
        if plugin.distribution == OWN != owner[twin].distribution:
            out, left = owner.pop(twin), table.pop(twin)
            table[item.id], owner[item.id] = item, plugin
        reason = (f"the metrics '{twin}' and '{item.id}' would have one column: their ids differ by - and _ only; "
                  f"'{left.id}' is left out, rename it{place_of(left)}")  # fmt: skip
        if out.file is not None:
            raise PluginError(f"plugin file {out.module}: {reason}")
        self._faults.setdefault(out, reason)

    def _part(self, item: Any, plugin: Plugin, table: dict[str, Any], owner: dict[str, Plugin]) -> None:
        """Enter `item`, whose id is taken: one of the two gets another id if it can, else one is left out."""
        first = owner[item.id]
        renamed = _renamed(item, first)
        if renamed is not None and renamed.id not in owner:
            table[renamed.id], owner[renamed.id] = renamed, plugin
            return
        renamed = _renamed(table[item.id], plugin)
        if renamed is not None and renamed.id not in owner:
            table[renamed.id], owner[renamed.id] = renamed, first
            table[item.id], owner[item.id] = item, plugin
            return
        kept, out = (plugin, first) if plugin.distribution == OWN != first.distribution else (first, plugin)
        left = table[item.id] if kept is plugin else item
        if kept is plugin:
            table[item.id], owner[item.id] = item, plugin
        self._faults.setdefault(out, f"'{item.id}' is offered by {kept} and by {out}, whose one is left out; rename "
                                     f"or remove one of them{place_of(left)}")


def _name_and_version(distribution: metadata.Distribution | None) -> tuple[str, str]:
    if distribution is None:
        return "(unknown)", ""
    parsed = distribution.metadata  # anew at each look, which takes milliseconds
    return parsed["Name"], parsed["Version"]


def _of_one_column(item: Any, table: Mapping[str, Any]) -> str | None:
    """The id in `table` of another metric whose column in results would be that of `item`; None where there is none."""
    return next((name for name, other in table.items() if name != item.id and other.column == item.column), None)


def _itself(module: ModuleType) -> ModuleType:
    return module


def _renamed(item: Any, other: Plugin) -> CodecInfo | None:
    reason = f"{other.distribution} has a codec with the id '{item.id}'"
    return item.renamed_for(reason) if isinstance(item, benchbox.CodecInfo) else None
