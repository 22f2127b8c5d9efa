"""The look of a run's reports: the table ``[report]`` of a plan, or the same as flags of ``benchbox report``.

    [report]
    codecs = ["ours", "vtm", "avif"]              # shown, in this order; default: all
    labels = { "resnet effort=7" = "Ours" }       # label, codec id or published curve -> its name
    colours = { ours = "#b60d22" }
    families = { avif = "AV1" }                   # codecs of one family share a colour
    highlight = "ours"
    metrics = ["psnr"]
    ranges = { bpp = [0.1, 2], psnr = [28, 42] }  # of bpp, metrics (as drawn) or saving, on the axes of figures
    widths = [3.5, 7.16]                          # inches of a column and of a page
    font = "Times"                                # or Helvetica, DejaVu Sans, any that is installed

It changes no measurement: keys, digests and the run's results are the same with any table.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

from pydantic import AfterValidator, Field

from benchbox.codec import OptionsModel
from benchbox.errors import UnknownIdError, did_you_mean, plain_name
from benchbox.reference import Reference
from benchbox.values import form


def _range(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError(f"a range is [low, high], not [{ends[0]:g}, {ends[1]:g}]")
    return ends


def _widths(widths: tuple[float, float]) -> tuple[float, float]:
    if not 2 <= widths[0] <= widths[1] <= 20:
        raise ValueError("widths are [column, page] in inches, 2 to 20, the column's first")
    return widths


_Text = Annotated[str, Field(max_length=200), AfterValidator(plain_name)]
_COLOUR = form("#[0-9a-fA-F]{6}", "a colour as # and six hexadecimal digits, such as #b60d22")
_Hex = Annotated[str, AfterValidator(_COLOUR)]
_Range = Annotated[tuple[float, float], AfterValidator(_range)]


class Appearance(OptionsModel):
    """The table ``[report]``; its keys are in the module's docstring. A codec goes by its label, its id, or the id or
    title of a published curve."""

    codecs: tuple[_Text, ...] = ()
    labels: dict[_Text, _Text] = Field(default={})
    colours: dict[_Text, _Hex] = Field(default={})
    families: dict[_Text, _Text] = Field(default={})
    highlight: _Text | None = None
    metrics: tuple[_Text, ...] = ()
    ranges: dict[_Text, _Range] = Field(default={})
    widths: Annotated[tuple[float, float], AfterValidator(_widths)] = (3.5, 7.16)
    font: _Text | None = None


MOST_NAMED = 20
"""Names that an error lists for the user to choose from."""

PLAIN = Appearance()
"""The appearance of a report of which nothing is said."""


@dataclass(frozen=True)
class Nameable:
    """Names that a table ``[report]`` may use: those of a run's codecs, published curves and metrics.

    Attributes:
        codecs: label -> codec id.
        curves: id of each published curve -> all names that it goes by.
        metrics: ids of the metrics.
        given: name that the table gives -> name of what it gives it to.
    """

    codecs: Mapping[str, str]
    curves: Mapping[str, tuple[str, ...]]
    metrics: Sequence[str]
    given: Mapping[str, str]

    @classmethod
    def of(
        cls, codecs: Mapping[str, str], curves: Iterable[Reference], metrics: Iterable[str], labels: Mapping[str, str]
    ) -> Nameable:
        """Collect the names of these labels (with their codec ids), curves and metrics, and the names that the table
        gives in `labels`."""
        return cls(codecs, {c.id: (c.id, c.title, f"{c.title}, {c.kind}") for c in curves}, tuple(metrics),
                   {new: name for name, new in labels.items()})  # fmt: skip

    def labels(self, name: str) -> list[str]:
        """The labels that `name` stands for: the label itself, else all of that codec id, else those that the table
        calls so."""
        return self._labels(name) or ([] if self._ids(name) else self._labels(self.given.get(name, "")))

    def ids(self, name: str) -> list[str]:
        """The published curves that `name` stands for."""
        return self._ids(name) or ([] if self._labels(name) else self._ids(self.given.get(name, "")))

    def _labels(self, name: str) -> list[str]:
        return [name] if name in self.codecs else [label for label, id_ in self.codecs.items() if id_ == name]

    def _ids(self, name: str) -> list[str]:
        return [id_ for id_, known in self.curves.items() if name in known]

    def has(self, name: str) -> bool:
        """True if a codec or a published curve has this name."""
        return bool(self.labels(name) or self.ids(name))

    def order(self, asked: Appearance) -> list[str]:
        """The labels that `asked` shows, in its order."""
        chosen = [label for name in asked.codecs for label in self.labels(name)]
        return list(dict.fromkeys(chosen or self.codecs))

    def new_labels(self, asked: Appearance) -> dict[str, str]:
        """Label -> the name that `asked` gives it, of those that it renames."""
        return {label: new for name, new in asked.labels.items() for label in self.labels(name)}

    def present(self, asked: Appearance) -> Appearance:
        """`asked` without what it says of codecs, curves, metrics and axes that are not there."""
        kept = {key: {name: value for name, value in getattr(asked, key).items() if self.has(name)}
                for key in ("labels", "colours", "families")}  # fmt: skip
        return asked.model_copy(update={
            **kept, "codecs": tuple(name for name in asked.codecs if self.has(name)),
            "highlight": asked.highlight if self.has(asked.highlight or "") else None,
            "metrics": tuple(name for name in asked.metrics if name in self.metrics),
            "ranges": {name: ends for name, ends in asked.ranges.items() if name in self.axes},
        })  # fmt: skip

    @property
    def axes(self) -> list[str]:
        """The axes of figures, which a range may be for."""
        return ["bpp", *self.metrics, "saving"]

    def instead(self, name: str) -> str:
        """The remedy for `name`, which no codec or published curve has: the closest name, else all to choose from."""
        return _instead(name, [*self.codecs, *self.codecs.values(), *self.curves, *self.given])

    def check(self, asked: Appearance) -> None:
        """Raise UnknownIdError where `asked` names a codec, a metric or an axis that is not there, with those that are,
        or gives two codecs one name."""
        for key, name in names_in(asked):
            if not self.has(name):
                raise UnknownIdError(f"report: {key}: no codec of this run is called '{name}'{self.instead(name)}")
        for name in asked.metrics:
            if name not in self.metrics:
                raise UnknownIdError(f"report: metrics: this run is not scored by '{name}'"
                                     f"{_instead(name, self.metrics)}")
        for name in asked.ranges:
            if name not in self.axes:
                raise UnknownIdError(f"report: ranges: no axis is called '{name}'{_instead(name, self.axes)}")
        new = self.new_labels(asked)
        shown = [new.get(label, label) for label in self.order(asked)]
        for label in shown:
            if shown.count(label) > 1:
                raise UnknownIdError(f"report: labels: two codecs would be called '{label}'; give them different names")


def names_in(asked: Appearance) -> list[tuple[str, str]]:
    """(key, name) of each codec or published curve that `asked` names."""
    found = [(key, name) for key in ("codecs", "labels", "colours", "families") for name in getattr(asked, key)]
    return found if asked.highlight is None else [*found, ("highlight", asked.highlight)]


def renamed(asked: Appearance, new: Mapping[str, Sequence[str]]) -> Appearance:
    """`asked` where the codecs in `new` have become others, each ``"ours"`` several such as ``"ours (first)"``: what is
    said of one is said of all of these, but the first alone is highlighted."""

    def now(name: str) -> Sequence[str]:
        return new.get(name) or [name]

    same = {key: {other: value for name, value in getattr(asked, key).items() for other in now(name)}
            for key in ("colours", "families")}  # fmt: skip
    return asked.model_copy(update={
        **same, "codecs": tuple(other for name in asked.codecs for other in now(name)),
        "labels": {other: title + other.removeprefix(name) for name, title in asked.labels.items()
                   for other in now(name)},
        "highlight": None if asked.highlight is None else now(asked.highlight)[0],
    })  # fmt: skip


def _instead(name: str, known: Iterable[str]) -> str:
    """The remedy for an unknown `name`: the closest known name, else a list to choose from."""
    choice = list(dict.fromkeys(known))
    quoted = [f'"{one}"' if "," in one else one for one in choice[:MOST_NAMED]]
    more = f" and {len(choice) - MOST_NAMED} more" if len(choice) > MOST_NAMED else ""
    return did_you_mean(name, choice) or f"; take one of {', '.join(quoted) or 'none'}{more}"
