"""The rules for a published curve and for a format of curve files."""

from __future__ import annotations

import math
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Any, ClassVar

from benchbox.errors import UsageError, did_you_mean
from benchbox.reference import Reference, ReferenceFormat
from benchbox.testing import manners
from benchbox.testing.check import Check, NotTriedError, Rule, Scene, Subject, run_all
from benchbox.testing.metrics import installed_metrics
from benchbox.testing.trial import Trial


@dataclass(frozen=True)
class ReferenceSubject(Subject):
    """The curve or format under test; `metrics` are the ids of the metrics that are installed, or None for a look at
    them."""

    reference: Reference | ReferenceFormat
    metrics: tuple[str, ...] | None = None
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_references"

    @classmethod
    def of(cls, reference: Reference | ReferenceFormat, arguments: Mapping[str, Any], scene: Scene) -> ReferenceSubject:
        """The subject of another process, made from its `arguments`."""
        return cls(reference, tuple(arguments["metrics"]), scene)

    def arguments(self, folder: str) -> dict[str, Any]:
        return {"metrics": installed_metrics()}

    @property
    def item(self) -> Reference | ReferenceFormat:
        return self.reference

    def curve(self) -> Reference:
        """The curve; the rule does not apply to a format."""
        if not isinstance(self.reference, Reference):
            raise NotTriedError("it is a format of curve files")
        return self.reference


def check_reference(reference: Reference | ReferenceFormat) -> None:
    """Run every check of `reference_checks`; raises PluginError with a line for each breach."""
    run_all(reference_checks(reference))


def reference_checks(reference: Reference | ReferenceFormat) -> list[Check]:
    """The checks for a published curve or a format of curve files, one callable each, for pytest to parametrise
    over."""
    return Trial(ReferenceSubject(reference), REFERENCE_RULES).checks()


def _names(subject: ReferenceSubject) -> None:
    """The id, the title and all that a legend or a caption needs are texts."""
    item: Any = subject.reference
    subject.check_names(item.id, item.title)
    for name in ("dataset", "convention", "source"):
        text = getattr(item, name, "none")
        if not isinstance(text, str) or not text.strip():
            subject.breach(f"{name} must be a text that is not empty, got {text!r}; a curve of unknown origin misleads")


def _points(subject: ReferenceSubject) -> None:
    """The rates are positive and rise, and every metric has a value, or None, for each of them."""
    curve: Any = subject.curve()
    if not isinstance(curve.bpp, tuple) or not curve.bpp:
        subject.breach(f"bpp must be a tuple of rates, got {curve.bpp!r}; give one")
    if not all(_is_number(rate) and rate > 0 for rate in curve.bpp):
        subject.breach(f"every rate in bpp must be a number above 0, got {curve.bpp}; correct it")
    if any(second <= first for first, second in pairwise(curve.bpp)):
        subject.breach(f"the rates in bpp must rise, got {curve.bpp}; sort the points")
    if not isinstance(curve.metrics, Mapping) or not curve.metrics:
        subject.breach(f"metrics must map the id of a metric to its values, got {curve.metrics!r}; give one at least")
    for metric, values in curve.metrics.items():
        if not isinstance(values, tuple) or len(values) != len(curve.bpp):
            length = len(values) if isinstance(values, tuple | list) else "no"
            subject.breach(f"metric '{metric}' has {length} values for {len(curve.bpp)} rates; give a tuple with one "
                           "for each, None where none was published")
        if not all(value is None or _is_number(value) for value in values):
            subject.breach(f"every value of metric '{metric}' must be a finite number or None, got {values}; correct "
                           "it")


def _metric_ids(subject: ReferenceSubject) -> None:
    """Every metric of the curve is installed, so that a report can draw it."""
    known = installed_metrics() if subject.metrics is None else subject.metrics
    for metric in subject.curve().metrics:
        if metric not in known:
            hint = did_you_mean(metric, known) or "; see `benchbox list metrics`"
            subject.breach(f"no metric is called '{metric}', so that no report can draw it{hint}")


def _file_format(subject: ReferenceSubject) -> None:
    """A format has suffixes, and refuses a file of another kind by a UsageError."""
    form: Any = subject.reference
    if not isinstance(form, ReferenceFormat):
        raise NotTriedError("it is a curve")
    if not isinstance(form.suffixes, tuple) or not form.suffixes or not all(
            isinstance(end, str) and end.startswith(".") and end == end.lower() for end in form.suffixes):  # fmt: skip
        subject.breach(f"suffixes must be a tuple of lower-case ends of file names, as ('.json',), got "
                       f"{form.suffixes!r}; correct it")
    with tempfile.TemporaryDirectory(prefix="benchbox-check-") as folder:
        path = Path(folder, f"curve{form.suffixes[0]}")
        for name, data in (("an empty file", b""), ("a text", b"no curve\n"), ("zeros", bytes(64)), ("{}", b"{}")):
            path.write_bytes(data)
            try:
                form.read(path, ("kodak",))
            except UsageError:
                continue
            except Exception as error:
                subject.raised(f"given {name}, read", error, "raise UsageError for a file of another kind",
                               bugs=(NameError,))
            subject.breach(f"given {name}, read gave a curve; raise UsageError for a file of another kind",
                           at=form.read)


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)


REFERENCE_RULES: tuple[Rule[ReferenceSubject], ...] = (
    Rule(_names),
    Rule(_points, needs="names"),
    Rule(_metric_ids, needs="points"),
    Rule(_file_format, needs="names"),
    Rule(manners.import_time, apart=True),
)
