"""``benchbox fetch``, ``gc`` and ``forget``: fetch data sets, delete streams that no run needs, forget runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from benchbox.cli.group import commands, load_plugins, plugin_option, workspace_option


@commands.command()
@click.argument("dataset")
@click.option("--from", "source", type=click.Path(exists=True, path_type=Path), help="Folder or archive on disk.")
@plugin_option
def fetch(dataset: str, source: Path | None, plugin_paths: tuple[Path, ...]) -> None:
    """Download a data set, or take it from --from, and verify all checksums. An interrupted download resumes."""
    from tqdm import tqdm

    from benchbox.guard import guarded

    info = load_plugins(plugin_paths).dataset_info(dataset)
    bars: dict[str, tqdm[Any]] = {}

    def progress(name: str, done: int, total: int) -> None:
        if name not in bars:
            for old in bars.values():
                old.close()
            bars.clear()
            bars[name] = tqdm(desc=name, total=total or None, unit="B", unit_scale=True, disable=None)
        bars[name].update(done - bars[name].n)

    try:
        files = guarded(info.fetch, source, progress)
    finally:
        for bar in bars.values():
            bar.close()
    click.echo(f"{dataset}: {len(files)} files in place, checksums verified")


@commands.command()
@workspace_option
def gc(workspace: Path) -> None:
    """Delete streams that no run needs. All measurements stay."""
    from benchbox.errors import StoreError
    from benchbox.store import Store, Workspace, WritableStore, shown

    place = Workspace.at(workspace)
    with Store(place):  # where there is none, it says so, and nothing is made
        pass
    with place.lock(), WritableStore(place) as store:
        if store.is_empty() and place.streams.any():
            raise StoreError(f"{shown(place.database)} is empty, yet there are streams in {place}: put the store back, "
                             "or delete the streams yourself")
        count, size = place.streams.drop_all_but(store.streams_in_use() | place.streams_in_spool())
    click.echo(f"{place}: {count} streams deleted, {size / 1e6:.1f} MB freed")


@commands.command()
@click.argument("run")
@workspace_option
def forget(run: str, workspace: Path) -> None:
    """Remove RUN from the list of runs. Its measurements stay; `benchbox gc` then deletes streams that no run needs."""
    from benchbox.errors import UsageError
    from benchbox.results import no_run, run_named
    from benchbox.store import Store, Workspace, WritableStore, shown

    place, name = run_named(run, Workspace.at(workspace))
    with Store(place) as known:
        if name in place.imported_runs():
            raise UsageError(f"{name}: was imported; delete its folder {shown(place.folder / name)} to be rid of it")
        if name not in [other for other, _ in known.runs()]:
            raise no_run(name, known)
        folder = place.folder / (known.former_folder(name) or name)
    with place.lock(), WritableStore(place) as store:
        rows = store.forget(name)
    click.echo(f"{name}: {rows} rows forgotten; its folder {shown(folder)} stays until you delete it")
