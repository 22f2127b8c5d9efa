"""Numbers and results as text, the same on the page and in the tables."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from benchbox.curves import FLAG_OVERLAP, INTERPOLATIONS, BdOverPictures
from benchbox.curves.fit import MIN_POINTS
from benchbox.curves.pictures import MIN_PICTURES, RESAMPLES
from benchbox.metric import Metric
from benchbox_reports.analysis import Comparison, Section
from benchbox_reports.speeds import Speeds

NONE = "–"
FLAGS = {
    "overlap": f"the curves share less than {FLAG_OVERLAP:.0%} of the range that either covers",
    "few points": f"the shared part of a curve is drawn through fewer than {MIN_POINTS} points",
    "mean curve outside interval": "the mean curve weights pictures by their bits, the mean over pictures weights them "
                                   "equally; here the two differ by more than chance",
    "published": "one of the two is a published curve; it has no single pictures, so mean curves are compared",
    "means only": "one of the two is of an earlier run, given as means; it has no single pictures, so mean curves are "
                  "compared",
    "non-monotone": "points of a curve that cost more bits than another point without scoring better were dropped",
}


def number(value: float | None, digits: int, signed: bool = False) -> str:
    """``"−36.2"``, with a real minus sign; ``"–"`` for None."""
    if value is None:
        return NONE
    text = f"{value:+.{digits}f}" if signed else f"{value:.{digits}f}"
    if float(text) == 0:
        text = text.lstrip("+-")
    return text.replace("-", "−")


def given_as_means(names: Iterable[str]) -> str:
    """What the curves of these names, which are given as means, are: ``"Published curves"``, ``"Earlier runs"``, which
    are the user's own and never called published, or both."""
    own = {name.endswith(", earlier run") for name in names}
    return {2: "Published curves and earlier runs"}.get(len(own), "Earlier runs" if True in own else "Published curves")


def counted_as_means(names: Sequence[str]) -> str:
    """The same with their number: ``"6 published curves"``, ``"1 earlier run"``."""
    words = given_as_means(names).lower()
    return f"{len(names)} {words.removesuffix('s') if len(names) == 1 else words}"


def unbroken(text: str) -> str:
    """`text` for the page, in which no line ends between a number and its percent sign."""
    return text.replace(" %", "\u00a0%")


def share(value: float | None) -> str:
    """``"96%"``; ``"–"`` for None."""
    return NONE if value is None else f"{value:.0%}"


def interval(ends: tuple[float, float] | None, digits: int = 1) -> str:
    """``"[−38.0, −34.1]"``; ``""`` for None."""
    return "" if ends is None else f"[{number(ends[0], digits, signed=True)}, {number(ends[1], digits, signed=True)}]"


def decibels_or_unit(metric: Metric) -> str:
    """The unit in which the metric is drawn and integrated."""
    return "dB" if metric.display.transform == "db" else metric.unit


def range_of(ends: tuple[float | None, float | None], metric: Metric) -> str:
    """The interval of metric values that a BD-rate is computed over, with unit."""
    digits, unit = metric.display.decimals, decibels_or_unit(metric)
    return " ".join(filter(None, [f"{number(ends[0], digits)} to {number(ends[1], digits)}", unit]))


def sentence(row: Comparison, section: Section, digits: int) -> str:
    """One comparison as a sentence, from the mean over pictures or, for a published curve, from mean curves; its rates
    with `digits` decimals."""
    over, metric = row.pictures, section.metric
    if row.published and row.rate.value is not None:
        span = range_of((row.rate.low, row.rate.high), metric)
        return (f"{row.label} needs {_more_or_less(row.rate.value, digits)} than {over.anchor} at equal {metric.title} "
                f"(mean curves, {span}).")
    if over.mean is None or over.range is None:
        return f"{row.label} cannot be compared with {over.anchor} at equal {metric.title}: {over.reason}."
    typically = "" if over.n == 1 else "typically "
    tail = f"{over.n} picture{'' if over.n == 1 else 's'}, {typically}{range_of(over.range, metric)}"
    verb = f"{row.label} needs {_more_or_less(over.mean, digits)} than {over.anchor} at equal {metric.title}"
    return f"{verb} ({', '.join(filter(None, [_interval_words(over, digits), tail]))})."


def _more_or_less(value: float, digits: int) -> str:
    if float(f"{abs(value):.{digits}f}") == 0:
        return "no more and no fewer bits"
    return f"{abs(value):.{digits}f} % {'fewer' if value < 0 else 'more'} bits"


def _interval_words(over: BdOverPictures, digits: int) -> str:
    if over.interval is None:
        return ""
    low, high = over.interval
    if high < 0:
        return f"95 % interval {-high:.{digits}f} to {-low:.{digits}f} % fewer"
    if low > 0:
        return f"95 % interval {low:.{digits}f} to {high:.{digits}f} % more"
    return f"95 % interval {-low:.{digits}f} % fewer to {high:.{digits}f} % more"


def remarks(row: Comparison) -> list[str]:
    """What a reader must know about one comparison: keys of `FLAGS`, and sentences."""
    over, rate = row.pictures, row.rate
    earlier = any(label.endswith(", earlier run") for label in (row.label, over.anchor))
    found = [*(["means only" if earlier else "published"] if row.published else []), *rate.flags]
    if over.interval is not None and rate.value is not None and not over.interval[0] <= rate.value <= over.interval[1]:
        found.append("mean curve outside interval")
    if rate.reason:
        found.append(f"no BD-rate on mean curves: {rate.reason}")
    if over.left_out and (over.n or not rate.reason):
        sample, why = next(iter(over.left_out.items()))
        others = f" and {len(over.left_out) - 1} more" if len(over.left_out) > 1 else ""
        found.append(f"without {sample}{others}: {why}")
    return found


def table_note(section: Section, method: str) -> str:
    """The anchor of a BD table and how the table was made."""
    published = next((p.reference for p in section.published if p.curve.label == section.anchor), None)
    source = f" (not measured here: {published.source})" if published else ""
    return f"Anchor {section.anchor}{source}; {how_made(section, method)}"


def how_made(section: Section, method: str) -> str:
    """How BD-rates were computed, for any anchor."""
    domain = "in decibels, −10 log10(1 − value)" if section.metric.display.transform == "db" else "as scored"
    short = ("" if section.n_pictures >= MIN_PICTURES else
             f" There is no interval below {MIN_PICTURES} pictures.")
    title = INTERPOLATIONS[method].title
    return (
        f"negative is fewer bits. BD-rate: mean difference of log10(bpp) at equal "
        f"{section.metric.title} ({domain}) over the range that both curves cover, {title} interpolation. "
        f"Mean curves: mean bpp and mean {section.metric.title} over {section.n_used} of {section.n_pictures} pictures "
        f"at each quality. Overlap: shared range over the range that either curve covers. Pictures: BD-rate of each "
        f"picture, averaged as log ratios; the interval is a bootstrap over pictures ({RESAMPLES:,} resamples, "
        f"expanded percentile); won: pictures on which the codec needs fewer bits.{short}"
    )


def curve_note(section: Section) -> str:
    """Which pictures the mean curves are over."""
    pictures = f"{section.n_used} picture{'' if section.n_used == 1 else 's'}"
    if section.n_used == section.n_pictures:
        return f"Means of bpp and {section.metric.title} over {pictures} at each quality."
    return f"Means of bpp and {section.metric.title} over {pictures} of {section.n_pictures} at each quality."


def speed_note(speeds: Speeds, tables: int) -> str:
    """How a speed table was made; `tables` is the number of speed tables."""
    apart = " Other hosts and data sets have tables of their own." if tables > 1 else ""
    return (
        f"Measured by {speeds.where} on one worker pinned to one core, after an untimed warm-up, while nothing else "
        "ran. MP/s: 10^6 pixels per second of wall time, median over the operating points of single pictures "
        "[quartiles over these]. Wall and CPU: seconds per picture, median over the points of the median over repeats "
        "(in parentheses the interquartile range of the repeats, median over the points). Peak: largest resident "
        f"memory of the worker. Batch: pictures per call.{apart}"
    )
