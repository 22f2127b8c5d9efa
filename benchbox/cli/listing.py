"""The lines of ``benchbox list`` and ``benchbox doctor``: what is installed, and what is missing."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import click

from benchbox import machine
from benchbox.cli import plugin
from benchbox.codec import CodecInfo
from benchbox.dataset import DatasetInfo
from benchbox.errors import BenchboxError, one_line
from benchbox.guard import answered
from benchbox.hooks import HOOKS
from benchbox.registry import Registry

NO_AXIS = "at fault: neither a quality axis nor lossless"
"""The listing shows this as the quality of a codec that states none."""


def lines(
    kind: str, workspace: Path, load: Callable[[], Registry], built_in: Collection[str]
) -> Iterator[str]:
    """The lines of ``benchbox list KIND``. `load` gives the plugins, where they are asked for; `built_in` names the
    subcommands that no plugin may offer."""
    if kind == "columns":
        from benchbox.store import COLUMNS  # brings plans, which no other list needs

        rows = ((c.name, c.dtype, c.unit, c.meaning) for c in COLUMNS)
        yield from table(("column", "dtype", "unit", "meaning"), rows)
    elif kind == "runs":
        from benchbox.store import Store, Workspace

        with Store(Workspace.at(workspace)) as store:
            measured = [(name, str(rows), "") for name, rows in store.runs()]
            imported = [(name, "", "imported") for name in store.workspace.imported_runs()]
            yield from table(("run", "points", ""), [*measured, *imported])
    else:
        tables: dict[str, Callable[[Registry], Iterator[str]]] = {
            "codecs": codecs, "metrics": metrics, "datasets": datasets, "reports": reports, "references": references,
            "plugins": partial(plugin_lines, built_in=built_in),
        }  # fmt: skip
        yield from tables[kind](load())


def codecs(plugins: Registry) -> Iterator[str]:
    """A table of codecs: id, title, axis or "lossless", availability."""
    yield from table(("codec", "title", "quality", "status"), (_codec(info) for info in plugins.codecs.values()))


def _codec(info: CodecInfo) -> tuple[str, str, str, str]:
    try:
        reason = answered(info.unavailable)
        if reason:
            return str(info.id), one_line(info.title), "", one_line(f"unavailable: {reason}")
        needed = [name for name, option in info.Options.model_fields.items() if option.is_required()]
        if needed:
            return str(info.id), one_line(info.title), "", f"available; needs the option {', '.join(needed)}"
        return str(info.id), one_line(info.title), answered(_quality, info), "available"
    except BenchboxError as error:  # a codec at fault costs its own line
        return str(info.id), one_line(info.title), "", f"at fault: {error}"


def _quality(info: CodecInfo) -> str:
    axis = answered(info.axis, info.parse_options({}))
    if axis is None:
        return "lossless" if info.capabilities.lossless else NO_AXIS
    return f"{axis.name} {axis.minimum:g} .. {axis.maximum:g} {axis.unit}".rstrip()


def metrics(plugins: Registry) -> Iterator[str]:
    """A table of metrics: id, title, unit, whether higher or lower is better, availability."""
    rows = ((m.id, one_line(m.title), m.unit, f"{m.better} is better", state(m.unavailable))
            for m in plugins.metrics.values())  # fmt: skip
    yield from table(("metric", "title", "unit", "sense", "status"), rows)


def datasets(plugins: Registry) -> Iterator[str]:
    """A table of data sets: name as in a plan, title, availability."""
    yield from table(("data set", "title", "status"), (_dataset(info) for info in plugins.datasets.values()))


def _dataset(info: DatasetInfo) -> tuple[str, str, str]:
    return dataset_name(info), one_line(info.title), dataset_state(info)


def dataset_name(info: DatasetInfo) -> str:
    """``"kodak"`` or ``"folder:PATH"``, as a plan names it."""
    return f"{info.id}:{info.argument}" if info.argument else info.id


def dataset_state(info: DatasetInfo) -> str:
    """``"available"``, the plugin's own reason why it is not, or the command that fetches it."""
    known = state(info.missing)
    return f"not here: benchbox fetch {info.id}" if known != "available" and info.fetchable else known


def state(ask: Callable[[], str | None]) -> str:
    """The plugin's own reason, or what it did wrong when asked, or ``"available"``."""
    try:
        return one_line(answered(ask) or "available")
    except BenchboxError as error:
        return f"at fault: {error}"


def reports(plugins: Registry) -> Iterator[str]:
    """A table of reports: id, title, whether a run makes it by default."""
    rows = ((r.id, r.title, "by default" if r.default else "when asked") for r in plugins.reports.values())
    yield from table(("report", "title", "made"), rows)


def references(plugins: Registry) -> Iterator[str]:
    """A table of published curves: id, data set, title, number of points, caution; then the kinds of file that
    ``--literature`` also reads."""
    rows = ((r.id, r.dataset, r.title, str(len(r.bpp)), r.caution) for r in plugins.references())
    yield from table(("reference", "data set", "title", "points", "caution"), rows)
    yield from (f"files {', '.join(form.suffixes)}: {one_line(form.title)}" for form in plugins.reference_formats())
    yield from (f"plugin {p} could not be asked: {p.failure}" for p in plugins.reference_faults())


def plugin_lines(plugins: Registry, built_in: Collection[str]) -> Iterator[str]:
    """A table of plugins: name, module, distribution, state, and below each one what it offers through which hook;
    warns of bundled packages without an installed entry point."""
    found = plugin.collect(plugins, built_in).plugins()
    rows = ((p.name, p.module, f"{p.distribution} {p.version}".strip(), p.failure or "loaded") for p in found)
    head, *lines = table(("plugin", "module", "from", "state"), rows)
    yield head
    offered = offers(plugins)
    for one, line in zip(found, lines, strict=True):
        yield line
        yield from (f"  {hook}: {_some(list(titles))}" for hook, titles in offered.get(one.name, {}).items())
        if one.name not in offered and not one.failure:
            yield "  its hooks return empty lists here"
    loaded = {p.module.partition(":")[0] for p in plugins.plugins}
    for package in _bundled() - loaded:
        yield f"warning: {package} is in the source tree but its entry point is not installed; run pip install -e ."


def offers(plugins: Registry) -> dict[str, dict[str, dict[str, str]]]:
    """Plugin -> hook -> id -> title of all that is offered; a command's id is its name. Asks every plugin."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for hook in HOOKS:
        for offer in plugins.offers(hook):
            titles = {str(getattr(item, "id", None) or getattr(item, "name", None)): one_line(_title(item))
                      for item in offer.items}  # fmt: skip
            if titles:
                found.setdefault(offer.plugin.name, {})[hook] = titles
    return found


def _title(item: Any) -> str:
    return str(item.get_short_help_str() if isinstance(item, click.Command) else item.title)


def _some(names: list[str], most: int = 12) -> str:
    return ", ".join(names[:most]) + (f" and {len(names) - most} more" if len(names) > most else "")


def _bundled() -> set[str]:
    """Plugin packages next to the core in a source tree; empty in an ordinary installation."""
    root = Path(__file__).resolve().parents[2]
    if not (root / "pyproject.toml").exists():
        return set()
    return {path.parent.name for room in ("plugins", "datasets", "reports")
            for path in (root / room).glob("benchbox_*/__init__.py")}  # fmt: skip


def doctor(plugins: Registry) -> Iterator[str]:
    """This machine, all versions, and everything missing with its remedy."""
    for name, value in {**machine.describe(), "plugins": plugins.versions}.items():
        shown = ", ".join(f"{k} {v}" for k, v in value.items()) if isinstance(value, dict) else value
        yield f"{name + ':':12} {shown if shown not in (None, []) else 'none'}"
    yield ""
    yield from codecs(plugins)
    broken = [p for p in plugins.plugins if p.failure]
    if broken:
        yield ""
        yield from (f"plugin {p.name} ({p.distribution}) is not loaded: {p.failure}" for p in broken)


def table(head: tuple[str, ...], rows: Iterable[tuple[str, ...]]) -> Iterator[str]:
    """The lines of a table below its head, in columns of even width."""
    return aligned([head, *rows])


def aligned(rows: Sequence[tuple[str, ...]]) -> Iterator[str]:
    """Rows of one length as lines, in columns of even width. What plugins call things is made printable here."""
    rows = [tuple(one_line(cell, 2000) for cell in row) for row in rows]
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]) - 1)]
    for row in rows:
        yield "  ".join([*(cell.ljust(width) for cell, width in zip(row, widths, strict=False)), row[-1]]).rstrip()
