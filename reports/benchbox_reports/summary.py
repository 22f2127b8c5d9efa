"""``summary.tex``: for each data set a row a codec and a BD-rate a metric, to fit one column of a paper."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from benchbox_reports.analysis import Analysis
from benchbox_reports.figures.sheet import slug
from benchbox_reports.markup import flat, stacked, tex
from benchbox_reports.measure import by_pictures, measure_name, rankings
from benchbox_reports.wording import NONE, number

WIDTH = 226.0
"""Points of the narrowest common column: of article's two, between one-inch margins on US letter."""
DIGIT, LETTER, SPACE, VALUE, HEAD = 4.3, 4.1, 6.0, 30.0, 4.6
"""Points: of a digit and, on average, of a letter in footnotesize; between two columns; of the longest BD-rate; of a
letter of a head."""
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
        metrics: (id, title) of each column.
        rows: (label, whether it is published, percent or None by each metric), by the first metric, the best first;
            those that stand apart last.
    """

    dataset: str
    anchor: str
    by_pictures: bool
    pictures: int
    metrics: tuple[tuple[str, str], ...]
    rows: tuple[tuple[str, bool, tuple[float | None, ...]], ...]

    @property
    def best(self) -> tuple[float | None, ...]:
        """The least BD-rate by each metric, of the rows that do not stand apart."""
        rows = [row for row in self.rows if not self.apart(row[1])]
        columns = [[row[2][k] for row in rows] for k in range(len(self.metrics))]
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
        values = [{row.label: value for ranking in rankings(section) for value, row in ranking.rows}
                  for section in sections]
        labels = dict.fromkeys(row.label for section in sections for row in section.comparisons)
        published = {p.curve.label for section in sections for p in section.published}
        rows = [(label, label in published, tuple(own.get(label) for own in values)) for label in labels]
        rows.sort(key=lambda row: (row[1] and over, *((value is None, value or 0.0) for value in row[2])))
        found.append(Summary(dataset, str(sections[0].anchor), over, sections[0].n_pictures,
                             tuple((s.metric.id, s.metric.title) for s in sections), tuple(rows)))
    return found


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
    for k, (_, title) in enumerate(summary.metrics):
        wide = max(VALUE, HEAD * max(map(len, _words(title)))) + SPACE
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
    caption = tex(caption) + (f" $\\dagger$: {source}{apart}." if dagger else "")
    heads = [stacked(summary.metrics[k][1], "r") for k in columns]
    rows = [row for row in summary.rows if any(row[2][k] is not None for k in columns)]
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


def _line(
    summary: Summary, row: tuple[str, bool, tuple[float | None, ...]], columns: Sequence[int], highlight: str | None
) -> str:
    label, published, values = row
    name = tex(_name(label, published)) + ("$^\\dagger$" if published else "")
    if LETTER * len(_name(label, published)) > NAME_MOST:
        name = f"\\parbox[t]{{{NAME_MOST:g}pt}}{{\\raggedright\\hangindent1em {name}\\strut}}"
    if label == highlight:
        name = f"\\textit{{{name}}}"
    cells = []
    for k in columns:
        value, shown = values[k], tex(number(values[k], 1, signed=True)) if values[k] is not None else tex(NONE)
        cells.append(f"\\textbf{{{shown}}}" if value is not None and not summary.apart(published)
                     and value == summary.best[k] else shown)
    return " & ".join([name, *cells]) + " \\\\"
