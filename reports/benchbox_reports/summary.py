"""``summary.tex``: for each data set a row a codec and a BD-rate a metric, to fit one column of a paper."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from benchbox_reports.analysis import Analysis
from benchbox_reports.figures.sheet import slug
from benchbox_reports.markup import flat, stacked, tex
from benchbox_reports.measure import by_pictures, measure_name, rankings, rate_decimals
from benchbox_reports.wording import NONE, number

Row: TypeAlias = tuple[str, bool, tuple[float | None, ...]]
"""A label, whether it is published, and percent or None by each metric."""
WIDTH = 226.0
"""Points of the narrowest common column: of article's two, between one-inch margins on US letter."""
DIGIT, LETTER, SPACE, VALUE, HEAD, RAISED = 4.3, 4.1, 6.0, 30.0, 4.6, 10.0
"""Points: of a digit and, on average, of a letter in footnotesize; between two columns; of the longest BD-rate; of a
letter of a head; of a raised number."""
NAME_LEAST, NAME_MOST = 60.0, 110.0
"""Points that the column of names takes at least, and at most; longer names are broken."""


@dataclass(frozen=True)
class Summary:
    """The BD-rates of a data set.

    Attributes:
        dataset, anchor: what they are about, and against what.
        by_pictures: whether those of measured codecs are means over pictures and those of published curves, which stand
            apart, values on mean curves; else all are values on mean curves.
        pictures: pictures of the data set.
        metrics: (id, title, decimals) of each column.
        rows: by the first metric, the best first; then those over other pictures than most, then those without a
            value; those that stand apart last.
        few: (label, place of a metric) -> pictures that the value is over, where these are not all.
        unranked: (label, place of a metric) of the values that are over other pictures than most.
    """

    dataset: str
    anchor: str
    by_pictures: bool
    pictures: int
    metrics: tuple[tuple[str, str, int], ...]
    rows: tuple[Row, ...]
    few: Mapping[tuple[str, int], int]
    unranked: frozenset[tuple[str, int]]

    @property
    def best(self) -> tuple[float | None, ...]:
        """The least BD-rate by each metric, of the rows that are ranked."""
        rows = [row for row in self.rows if not self.apart(row[1])]
        columns = [[row[2][k] for row in rows if (row[0], k) not in self.unranked] for k in range(len(self.metrics))]
        return tuple(min((v for v in column if v is not None), default=None) for column in columns)

    def apart(self, published: bool) -> bool:
        """Whether a row is by another measure than the first ones."""
        return published and self.by_pictures


def summarise(analysis: Analysis) -> list[Summary]:
    """A summary of each data set that has BD-rates; by the measures of `measure.rankings`."""
    found = []
    for dataset in dict.fromkeys(section.dataset for section in analysis.sections):
        sections = [s for s in analysis.sections if s.dataset == dataset and s.comparisons]
        if not sections:
            continue
        over = by_pictures(sections[0])
        ranked = [rankings(section) for section in sections]
        values = [{row.label: value for ranking in own for value, row in ranking.rows} for own in ranked]
        if not any(values):
            continue
        unranked = frozenset((label, k) for k, own in enumerate(ranked) for one in own for label in one.apart)
        few = {(label, k): count for k, own in enumerate(ranked) for one in own
               for label, count in one.counts.items() if count < one.pictures}
        labels = dict.fromkeys(row.label for section in sections for row in section.comparisons)
        labels |= dict.fromkeys(label for label in _lossy(analysis, dataset) if label != sections[0].anchor)
        published = {p.curve.label for section in sections for p in section.published}
        rows = [(label, label in published, tuple(own.get(label) for own in values)) for label in labels]
        rows.sort(key=lambda row: (row[1] and over, *((value is None, (row[0], k) in unranked, value or 0.0)
                                                      for k, value in enumerate(row[2]))))
        found.append(Summary(dataset, str(sections[0].anchor), over, sections[0].n_pictures,
                             tuple((s.metric.id, s.metric.title, rate_decimals(s.comparisons)) for s in sections),
                             tuple(rows), few, unranked))
    return found


def _lossy(analysis: Analysis, dataset: str) -> list[str]:
    """The lossy codecs of a data set, also those of which nothing went through."""
    frame = analysis.results.frame
    own = frame["quality"].notna().to_numpy(dtype=bool) & (frame["dataset"] == dataset).to_numpy(dtype=bool)
    has = set(frame.loc[own, "label"].astype(str))
    return [label for label in analysis.labels if label in has]


def summary_tex(analysis: Analysis) -> str:
    """The summaries as LaTeX floats of one column, for ``\\input``; metrics beyond a column's width continue in
    the next float."""
    parts = ["% one column wide; needs \\usepackage{booktabs}; names beyond Latin need XeLaTeX or LuaLaTeX\n"]
    highlight = analysis.results.appearance.highlight
    for summary in summarise(analysis):
        groups = _groups(summary)
        parts += [_float(summary, columns, k, len(groups), highlight) for k, columns in enumerate(groups, 1)]
    if len(parts) == 1:
        parts.append("% no BD-rates: no codec can be compared with an anchor\n")
    return "\n".join(parts)


def _groups(summary: Summary) -> list[list[int]]:
    """The metrics, by place, that stand in one float each time."""
    groups: list[list[int]] = [[]]
    left = room = WIDTH - max(NAME_LEAST, min(NAME_MOST, _name_width(summary)))
    for k, (_, title, _) in enumerate(summary.metrics):
        value = VALUE + RAISED * any(place == k for _, place in summary.few)
        wide = max(value, HEAD * max(map(len, _words(title)))) + SPACE
        if groups[-1] and wide > left:
            groups.append([])
            left = room
        groups[-1].append(k)
        left -= wide
    return groups


def _words(title: str) -> list[str]:
    return flat(title).split(" ")


def _name_width(summary: Summary) -> float:
    return LETTER * max(len(_name(label, published)) for label, published, _ in summary.rows) + DIGIT


def _name(label: str, published: bool) -> str:
    return label.removesuffix(", published") if published else label


def _float(summary: Summary, columns: Sequence[int], part: int, parts: int, highlight: str | None) -> str:
    suffix = "" if part == 1 else f"-{part}"
    dagger = any(published for _, published, _ in summary.rows)
    pictures = f"{summary.pictures} picture{'s' * (summary.pictures != 1)}"
    over = f"mean over {pictures}" if summary.by_pictures else f"{measure_name(False)}, {pictures}"
    caption = (f"BD-rate (%) against {summary.anchor} on {summary.dataset}: {over}; negative is fewer bits, "
               "the best in bold.")
    earlier = any(published and label.endswith(", earlier run") for label, published, _ in summary.rows)
    source = "given as means, not of this run" if earlier else "published, not measured here"
    apart = ", by mean curves" if dagger and summary.by_pictures else ""
    caption = tex(caption + _exceptions(summary, columns)) + (f" $\\dagger$: {source}{apart}." if dagger else "")
    heads = [stacked(summary.metrics[k][1], "r") for k in columns]
    rows = [row for row in summary.rows if not row[1] or any(row[2][k] is not None for k in columns)]
    lines: list[str] = []
    for row in rows:
        if lines and summary.apart(row[1]) and "\\midrule" not in lines:
            lines.append("\\midrule")
        lines.append(_line(summary, row, columns, highlight))
    return "\n".join([
        "\\begin{table}", "\\centering\\footnotesize\\setlength{\\tabcolsep}{3pt}", f"\\caption{{{caption}}}",
        f"\\label{{tab:bd-{slug(summary.dataset)}{suffix}}}\\smallskip", f"\\begin{{tabular}}{{l{'r' * len(columns)}}}",
        "\\toprule", " & ".join(["Codec", *heads]) + " \\\\", "\\midrule", *lines, "\\bottomrule", "\\end{tabular}",
        "\\end{table}", "",
    ])


def _exceptions(summary: Summary, columns: Sequence[int]) -> str:
    """What raised numbers and dashes mean, where there are any."""
    said = ""
    if any(k in columns for _, k in summary.few):
        said += " Raised: the number of pictures of a value that is not over all"
        said += ("; over other pictures than most, it is not ranked." if any(k in columns for _, k in summary.unranked)
                 else ".")
    if any(row[2][k] is None for row in summary.rows for k in columns):
        said += f" {NONE}: no BD-rate."
    return said


def _line(summary: Summary, row: Row, columns: Sequence[int], highlight: str | None) -> str:
    label, published, values = row
    name = tex(_name(label, published)) + ("$^\\dagger$" if published else "")
    if LETTER * len(_name(label, published)) > NAME_MOST:
        name = f"\\parbox[t]{{{NAME_MOST:g}pt}}{{\\raggedright\\hangindent1em {name}\\strut}}"
    if label == highlight:
        name = f"\\textit{{{name}}}"
    cells = []
    for k in columns:
        ranked = values[k] is not None and (label, k) not in summary.unranked and not summary.apart(published)
        cells.append(_cell(summary, label, (k, values[k]), ranked and values[k] == summary.best[k]))
    return " & ".join([name, *cells]) + " \\\\"


def _cell(summary: Summary, label: str, column: tuple[int, float | None], best: bool) -> str:
    """A value of a right-aligned column, by place and percent. What follows the decimal point, bold digits and a raised
    number too, takes the same width in every row, so that the points stand below each other."""
    k, value = column
    whole, point, part = number(value, summary.metrics[k][2], signed=True).partition(".")
    longest = max((len(str(count)) for (_, place), count in summary.few.items() if place == k), default=0)
    raised = f"$^{{{summary.few[label, k]}}}$" if (label, k) in summary.few else ""
    room = f"\\phantom{{$^{{{'0' * longest}}}$}}" if longest else ""
    if best:
        rest = f"{point}{part}"
        return f"\\textbf{{{tex(whole)}}}\\rlap{{\\textbf{{{rest}}}{raised}}}\\phantom{{{rest}}}{room}"
    return tex(f"{whole}{point}{part}") + (f"\\rlap{{{raised}}}" if raised else "") + room
