"""The rules for a report."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

from benchbox.codec import OptionsModel, options_json, validated_options
from benchbox.errors import BenchboxError
from benchbox.report import Report, Results
from benchbox.testing import manners
from benchbox.testing.check import Check, Rule, Scene, Subject, run_all
from benchbox.testing.sample_run import files_below, one_point, sample_run, snapshot, without_pixels
from benchbox.testing.trial import Trial


@dataclass(frozen=True)
class ReportSubject(Subject):
    """The report under test, with the option values that were given."""

    report: Report
    given: Mapping[str, Any]
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_reports"

    @classmethod
    def of(cls, report: Report, arguments: Mapping[str, Any], scene: Scene) -> ReportSubject:
        """The subject of another process, made from its `arguments`."""
        return cls(report, arguments["given"], scene)

    def arguments(self, folder: str) -> dict[str, Any]:
        return {"given": dict(self.given)}

    @property
    def item(self) -> Report:
        return self.report

    @property
    def options(self) -> OptionsModel:
        """The validated options."""
        return validated_options(self.report.Options, self.given, self.report.id)

    def rendered(self, results: Results, out: Path) -> Any:
        """What `render` gives for `results`."""
        return self.report.render(results, self.options, out)

    def steps(self, height: int, width: int) -> Iterator[tuple[Any, Callable[[], Any]]]:
        results = sample_run()
        with tempfile.TemporaryDirectory(prefix="benchbox-check-") as folder:
            yield self.report.render, lambda: self.rendered(results, Path(folder))


def check_report(report: Report, options: Mapping[str, Any] | None = None) -> None:
    """Run every check of `report_checks`; raises PluginError with a line for each breach."""
    run_all(report_checks(report, options))


def report_checks(report: Report, options: Mapping[str, Any] | None = None) -> list[Check]:
    """The checks for a report, one callable each, for pytest to parametrise over.

    Args:
        report: the report; it is rendered from a small made-up run.
        options: the option values to test with; the defaults for those that are not given.
    """
    return Trial(ReportSubject(report, options or {}), REPORT_RULES).checks()


def _names(subject: ReportSubject) -> None:
    """The id and the facts are of the right types, and every option has a default or was given."""
    report: Any = subject.report
    subject.check_names(report.id, report.title)
    if not (isinstance(report.Options, type) and issubclass(report.Options, OptionsModel)):
        subject.breach(f"Options must be a subclass of benchbox.OptionsModel, got {report.Options!r}; derive it from "
                       "that class")
    if not isinstance(report.default, bool):
        subject.breach(f"default must be True or False, got {report.default!r}; write one of them")
    try:
        options_json(subject.options)
    except Exception as error:
        subject.raised("making its options", error, "give every option a default, or check it with a value for each")


def _types(subject: ReportSubject) -> None:
    """`render` gives the paths of files that it wrote below the folder that it is given."""
    method = subject.report.render
    subject.check_arguments(method, "results", "options", "out")
    with tempfile.TemporaryDirectory(prefix="benchbox-check-") as folder:
        out = Path(folder, "out")
        out.mkdir()
        try:
            files = subject.rendered(sample_run(), out)
        except Exception as error:
            subject.raised("given a run, render", error, "raise BenchboxError only for a run that it cannot show")
        if not isinstance(files, list | tuple) or not all(isinstance(file, Path) for file in files):
            subject.breach(f"render must give a list of paths, got {files!r}; return the files that it wrote",
                           at=method)
        if not files:
            subject.breach("render gave no file; return those that it wrote, or raise BenchboxError that says why the "
                           "run has nothing to show", at=method)
        for file in files:
            if not file.is_file() or not file.resolve().is_relative_to(out.resolve()):
                subject.breach(f"render names {file.name}, which is no file below the folder that it was given; write "
                               "there", at=method)
        strays = files_below(Path(folder)) - {f"out/{name}" for name in files_below(out)}
        if strays:
            subject.breach(f"render wrote {min(strays)} outside the folder that it was given; write there", at=method)


def _input_untouched(subject: ReportSubject) -> None:
    """`render` leaves the results as they were: the next report is made from them too."""
    results = sample_run()
    frame, rest = snapshot(results)
    with tempfile.TemporaryDirectory(prefix="benchbox-check-") as folder:
        subject.rendered(results, Path(folder))
    if not frame.equals(results.frame) or list(frame.dtypes) != list(results.frame.dtypes):
        changed = [str(name) for name in results.frame if name not in frame or not
                   frame[name].equals(results.frame[name])]  # fmt: skip
        subject.breach(f"render changed the results that it was given ({', '.join(changed) or 'rows or columns'}); let "
                       "it work on results.frame.copy()", at=subject.report.render)
    if snapshot(results)[1] != rest:
        subject.breach("render changed the results that it was given; let it work on copies", at=subject.report.render)


def _little_data(subject: ReportSubject) -> None:
    """A run without pictures, and one of a single point, are rendered or refused by a BenchboxError."""
    for name, results in (("without pictures", without_pixels(sample_run())),
                          ("of a single point", one_point(sample_run()))):  # fmt: skip
        with tempfile.TemporaryDirectory(prefix="benchbox-check-") as folder:
            try:
                subject.rendered(results, Path(folder))
            except BenchboxError:
                continue
            except Exception as error:
                subject.raised(f"given a run {name}, render", error, "raise BenchboxError where it has nothing to show",
                               bugs=(NameError,))


REPORT_RULES: tuple[Rule[ReportSubject], ...] = (
    Rule(_names),
    Rule(_types, needs="names"),
    Rule(_input_untouched, needs="types"),
    Rule(_little_data, needs="types"),
    Rule(manners.surroundings, needs="types"),
    Rule(manners.leftovers, needs="types"),
    Rule(manners.import_time, apart=True),
)
