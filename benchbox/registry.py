"""What the loaded plugins offer, looked up by id."""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from types import ModuleType
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeVar, get_args

from benchbox import machine
from benchbox.errors import PluginError, UnknownIdError, did_you_mean, one_line, without_controls
from benchbox.guard import answered, breach, worked
from benchbox.loading import Loader, Offer, Plugin
from benchbox.plugin_file import PluginFile, from_environment
from benchbox.reference import Reference, ReferenceFormat

if TYPE_CHECKING:
    from benchbox.codec import CodecInfo, OptionsModel
    from benchbox.dataset import Dataset, DatasetInfo
    from benchbox.metric import Metric
    from benchbox.report import Report


class _HasId(Protocol):
    @property
    def id(self) -> str: ...


T = TypeVar("T", bound=_HasId)


Kind = Literal["codecs", "metrics", "datasets", "reports"]


class Registry:
    """Everything that the loaded plugins offer, by id, in the order of plugin names. A plugin is asked for its codecs,
    metrics, data sets or reports when they are first looked for, so that no command waits for what it does not need.
    Where there are plugin files, all are asked at once: whoever names a file is told at once what is wrong with it."""

    def __init__(self, loader: Loader) -> None:
        self._loader = loader
        self._tables: dict[str, tuple[Mapping[str, Any], Mapping[str, Plugin]]] = {}
        if self.files:
            self._ask_all()

    @property
    def plugins(self) -> tuple[Plugin, ...]:
        """All that were found, with the fault of each that is not in use, or not all of it. Asks every plugin."""
        self._ask_all()
        return self._loader.plugins

    @property
    def codecs(self) -> Mapping[str, CodecInfo]:
        """The codecs."""
        return self._ask("codecs")[0]

    @property
    def metrics(self) -> Mapping[str, Metric]:
        """The metrics; the version of one from a plugin file has the file's digest in it."""
        return self._ask("metrics")[0]

    @property
    def datasets(self) -> Mapping[str, DatasetInfo]:
        """The data sets."""
        return self._ask("datasets")[0]

    @property
    def reports(self) -> Mapping[str, Report]:
        """The kinds of report."""
        return self._ask("reports")[0]

    def owners(self, kind: Kind) -> Mapping[str, Plugin]:
        """The plugin of each id of a kind."""
        return self._ask(kind)[1]

    @property
    def files(self) -> tuple[PluginFile, ...]:
        """The plugin files among the plugins, which other processes must load too."""
        return tuple(plugin.file for plugin in self._loader.plugins if plugin.file is not None)

    @property
    def versions(self) -> dict[str, str]:
        """Plugin -> distribution and version, of those that are loaded."""
        return {p.name: f"{p.distribution} {p.version}" for p in self.plugins if p.failure is None}

    def codec(self, name: str) -> CodecInfo:
        """The codec of that id; raises UnknownIdError that suggests the nearest id, as the next three methods do."""
        return self._find(self.codecs, name, "codec")

    def identity(self, info: CodecInfo, options: OptionsModel) -> str:
        """All that the bytes of a codec depend on besides options and quality: what its `identity` says and, where its
        plugin is one file, the SHA-256 of that file. Raises PluginError if `identity` gives no line of text."""
        identity = answered(info.identity, options)
        if not isinstance(identity, str) or not identity.strip() or without_controls(identity) != identity:
            said = f"identity must give one line of text, got {one_line(repr(identity), 80)}"
            raise breach(info.identity, f"{said}; return plugin and library versions", info.id)
        owner = self.owners("codecs").get(info.id)
        return identity if owner is None or owner.file is None else f"{identity}; {_mark(owner.file)}"

    def source_sha256(self, codec: str) -> str | None:
        """The SHA-256 (hex) of the files of the plugin that the codec of that id is from, by which it is noticed that
        it changed though its identity did not; None if they cannot be found."""
        owner = self.owners("codecs").get(codec)
        return None if owner is None else self._loader.source_sha256(owner)

    def metric(self, name: str) -> Metric:
        """The metric of that id."""
        return self._find(self.metrics, name, "metric")

    def report(self, name: str) -> Report:
        """The kind of report of that id."""
        return self._find(self.reports, name, "report")

    def dataset_info(self, name: str) -> DatasetInfo:
        """The data set of that id, without opening it."""
        return self._find(self.datasets, name, "data set")

    def dataset(self, name: str) -> Dataset:
        """Open the data set ``"id"`` or ``"id:argument"``; raises UnknownIdError or DatasetError."""
        from benchbox.dataset import Dataset

        base, colon, argument = name.partition(":")
        info = self.dataset_info(base)
        if info.argument and not argument:
            raise UnknownIdError(f"data set {base} needs an argument: write {base}:{info.argument}")
        if colon and not info.argument:
            raise UnknownIdError(f"data set {base} takes no argument: write {base}, not {name}")
        opened = worked(info.open, argument)
        if not isinstance(opened, Dataset):
            raise breach(info.open, f"open gave a {type(opened).__name__}; it must give a Dataset", f"data set {base}")
        if opened.id.partition(":")[0] != base:
            said = f"open gave the data set '{one_line(opened.id, 80)}'; its id must be '{name}'"
            raise breach(info.open, said, base)
        return opened

    def references(self) -> Sequence[Reference]:
        """All published curves; the plugins are asked for them at each call."""
        return [item for item in self._curves() if isinstance(item, Reference)]

    def reference_formats(self) -> Sequence[ReferenceFormat]:
        """All formats of curve files; the plugins are asked for them at each call."""
        return [item for item in self._curves() if isinstance(item, ReferenceFormat)]

    def reference_faults(self) -> Sequence[Plugin]:
        """The plugins whose published curves could not be had, each with the reason in `failure`."""
        return [offer.plugin for offer in self.offers("benchbox_references") if offer.plugin.failure]

    def commands(self) -> Sequence[Offer]:
        """The subcommands of every plugin (asked for on demand: runs need none). The command line settles clashes."""
        return self.offers("benchbox_commands")

    def offers(self, hook: str) -> Sequence[Offer]:
        """What each plugin offers through one hook, whatever is used of it; the plugins are asked at each call."""
        return self._loader.offers(hook)

    def _curves(self) -> list[Reference | ReferenceFormat]:
        """Published curves, whose ids differ within a data set, and formats of curve files, whose ids differ."""
        found: dict[tuple[str, str], Reference | ReferenceFormat] = {}
        for offer in self.offers("benchbox_references"):
            for item in offer.items:
                kind = "formats of curve files"
                if isinstance(item, Reference):
                    kind = f"published curves on {item.dataset}"
                if (kind, item.id) in found:
                    raise PluginError(f"two {kind} are called '{item.id}', one of them in {offer.plugin}; rename one")
                found[kind, item.id] = item
        return list(found.values())

    def _find(self, table: Mapping[str, T], name: str, kind: str) -> T:
        try:
            return table[name]
        except KeyError:
            hint = did_you_mean(name, table) or (f"; see `benchbox list {kind.replace(' ', '')}s`, or name the file "
                                                 "that offers it with --plugin, or as `plugins` in a plan")
            faults = [f"{plugin} ({plugin.failure})" for plugin in self.plugins if plugin.failure]
            if faults:
                hint += f"; it may be of a plugin that is not in use: {', '.join(faults)}"
            raise UnknownIdError(f"no {kind} is called '{name}'{hint}") from None

    def _ask(self, kind: Kind) -> tuple[Mapping[str, Any], Mapping[str, Plugin]]:
        """(id -> what is offered, id -> its plugin); the plugins are asked once."""
        if kind not in self._tables:
            table, owners = self._loader.table(f"benchbox_{kind}")
            if kind == "metrics":
                table = {name: _marked(metric, owners[name]) for name, metric in table.items()}
            self._tables[kind] = table, owners
        return self._tables[kind]

    def _ask_all(self) -> None:
        for kind in get_args(Kind):
            self._ask(kind)


def load(extra: Sequence[ModuleType] = (), files: Sequence[PluginFile] = ()) -> Registry:
    """Load every plugin of the entry-point group ``benchbox``, then the modules `extra`, then the plugin files `files`
    and those that ``BENCHBOX_PLUGINS`` names.

    Raises:
        PluginError, UsageError: one of the plugin files is at fault.
    """
    machine.provide_numba_cache()
    loader = Loader(extra, tuple(dict.fromkeys([*files, *from_environment()])))
    return Registry(loader)


def _mark(file: PluginFile) -> str:
    return f"{file.name} sha256 {file.sha256}"


def _marked(metric: Metric, owner: Plugin) -> Metric:
    """`metric`, with the digest of the plugin file that it is from in its version."""
    if owner.file is None:
        return metric
    marked = copy.copy(metric)
    object.__setattr__(marked, "version", f"{metric.version}; {_mark(owner.file)}")
    return marked
