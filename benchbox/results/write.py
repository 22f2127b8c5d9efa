"""Writes a run's reports."""

from __future__ import annotations

import copy
import errno
import shutil
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchbox.codec import OptionsModel, validated_options
from benchbox.deadline import deadline
from benchbox.errors import BenchboxError, PluginError, StoreError
from benchbox.files import move_into, whole_folder
from benchbox.guard import WORK_SECONDS, breach, calling, exit_forbidden, folder_kept
from benchbox.image import Image
from benchbox.naming import public
from benchbox.registry import Registry
from benchbox.report import Report, Results
from benchbox.results.by_picture import with_literature
from benchbox.results.confined import at_large, confined
from benchbox.results.shape import shaped
from benchbox.store import shown

ROWS_A_SECOND = 500
"""Rows for each of which a report may take that share of a second more than `WORK_SECONDS`."""
_RECORDS = ("environment", "dataset_notes", "codec_settings", "left_out")
"""Fields of results that a report gets copies of, as it does of rows and lists, so that none sees another's changes."""


def chosen_reports(registry: Registry, names: Sequence[str] | None) -> list[Report]:
    """The reports with those ids; for None, those whose `default` is true."""
    if names is None:
        return [report for report in registry.reports.values() if report.default]
    return [registry.report(name) for name in names]


def write_reports(
    results: Results, reports: Sequence[Report], folder: Path, options: Mapping[str, Any] | None = None
) -> list[Path]:
    """Render `reports` below `folder`, each with `options`; returns the files, the one to open first at the front.

    Raises:
        UsageError: a report has no such option, the appearance or a published curve names what the run lacks; nothing
            is written.
        PluginError: a report failed or returned something other than its files; the others are written all the same.
        StoreError: `folder` cannot be written (a full disk); each report's files are all there or stay what they were.
    """
    settings = [validated_options(report.Options, options or {}, report.id) for report in reports]
    named = _as_shown(results)
    files: list[Path] = []
    faults = []
    for report, given in zip(reports, settings, strict=True):
        try:
            with whole_folder(folder) as part:
                made = [file.relative_to(part) for file in _rendered(named, report, given, part)]
        except BenchboxError as error:  # a report at fault costs itself and not the others
            if isinstance(error, StoreError) and isinstance(error.__cause__, OSError):
                raise
            said = str(error)
            faults.append(said if said.startswith(f"{report.id} (") else f"{report.id}: {said}")
        else:
            files += [folder / file for file in made]
    if faults:
        written = f"; written all the same: {shown(files[0])}" if files else ""
        raise PluginError(f"report {'; report '.join(faults)}{written}")
    return files


def render(results: Results, report: Report, options: OptionsModel, folder: Path) -> list[Path]:
    """The files of one report, which gets the results under public names (`benchbox.naming`), as their
    appearance wants them. It writes into a folder of its own, so that what lies in `folder` is out of its reach."""
    return _rendered(_as_shown(results), report, options, folder)


def _as_shown(results: Results) -> Results:
    return shaped(public(with_literature(results)))


def _rendered(named: Results, report: Report, options: OptionsModel, folder: Path) -> list[Path]:
    own = replace(named, frame=named.frame.copy(deep=False), metrics=list(named.metrics),
                  references=list(named.references), **{name: copy.deepcopy(getattr(named, name)) for name in _RECORDS})
    try:
        before = _listed(folder)
        out = _own_folder(folder)
        with folder_kept(), exit_forbidden(), calling(report.render), deadline(_seconds(named)) as renew:
            asked = _renewing(own, renew)
            with confined(out):
                files = report.render(asked, options, out)
        made = [folder / file for file in _checked(report, files, out)]
        _check_strays(report, before, folder, out)
        move_into(out, folder)
        shutil.rmtree(out.parent)
        return made
    except PluginError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno in (errno.ENOSPC, errno.EDQUOT):
            raise error.__cause__ from None  # a full disk is not the report's fault
        raise


def _seconds(results: Results) -> float:
    """The longest that a report may take without asking for another picture."""
    return WORK_SECONDS + len(results.frame) / ROWS_A_SECOND


def _renewing(results: Results, renew: Callable[[], None]) -> Results:
    """`results` that call `renew` where a picture is asked for, which may have to be decoded: it is a sign of life."""

    def renewing(picture: Callable[[str], Image]) -> Callable[[str], Image]:
        def ask(key: str) -> Image:
            renew()
            with at_large():  # decoding is benchbox's
                return picture(key)

        return ask

    pixels, original = results.pixels, results.original
    return replace(results, pixels=None if pixels is None else renewing(pixels),
                   original=None if original is None else renewing(original))


def _checked(report: Report, files: Any, folder: Path) -> list[Path]:
    """The files that `report` says it wrote, relative to `folder`, if they lie below it. It may have resolved links on
    the way to them, or name them from the current folder."""
    if not isinstance(files, list | tuple) or not all(isinstance(file, Path) for file in files):
        raise breach(report.render, f"render gave {type(files).__name__}; it must give a list of paths", report.id)
    return [_below(report, file, folder) for file in files]


def _below(report: Report, file: Path, folder: Path) -> Path:
    if file.is_file():
        place, whole = file.parent.resolve() / file.name, folder.resolve()  # the name of a link stays
        if place.is_relative_to(whole) and file.resolve().is_relative_to(whole):
            return place.relative_to(whole)
    raise breach(report.render, f"render names {file}, which is no file below {folder}; write there", report.id)


def _listed(folder: Path) -> dict[str, tuple[int, int]]:
    """Name -> size and time of what lies in `folder`."""
    return {path.name: ((status := path.lstat()).st_size, status.st_mtime_ns) for path in folder.iterdir()}


def _own_folder(folder: Path) -> Path:
    """A new folder in one in `folder`, so that what it writes beside itself is seen and harms nothing, with a copy of
    the pages that lie in `folder`, for reports that link to them."""
    out = Path(tempfile.mkdtemp(prefix=".benchbox-", dir=folder), "report").absolute()  # wherever it goes by os.chdir
    out.mkdir()
    for page in folder.glob("*.html"):
        shutil.copy2(page, out)
    return out


def _check_strays(report: Report, before: Mapping[str, tuple[int, int]], folder: Path, out: Path) -> None:
    """Raise PluginError if a report wrote into `folder` or beside its own folder `out`."""
    now = _listed(folder)
    beside = {name for name in now.keys() | before.keys() if now.get(name) != before.get(name)} - {out.parent.name}
    beside |= _listed(out.parent).keys() - {out.name}
    if beside:
        said = f"render wrote {min(beside)} beside the folder that it was given; write there"
        raise breach(report.render, said, report.id)
