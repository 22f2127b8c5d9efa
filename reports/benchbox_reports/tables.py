"""The numbers as tables: data frames for CSV, the BD tables also as Markdown and LaTeX."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from benchbox.bd import Bd, percent
from benchbox_reports.analysis import Analysis, Comparison, Section, nulls, problems
from benchbox_reports.wording import NONE, decibels_or_unit, interval, number, range_of, share, table_note

BD_HEAD = ("Codec", "BD-rate, mean curves (%)", "BD-metric", "Range used", "Overlap",
           "BD-rate, pictures: mean [95 % interval] (%)", "Median (%)", "Won", "Pictures")


def bd_table(analysis: Analysis) -> pd.DataFrame:
    """Every comparison with the anchor at full precision; percent of bits, ranges in the metric's drawn unit."""
    return pd.DataFrame([_bd_row(section, row, analysis.method, section.anchor)
                         for section, row in _comparisons(analysis)])


def pairs_table(analysis: Analysis) -> pd.DataFrame:
    """As `bd_table`, against every anchor there is, published curves among them."""
    return pd.DataFrame([
        _bd_row(section, row, analysis.method, anchor)
        for section in analysis.sections if section.pairs is not None
        for anchor, rows in section.pairs.against.items() for row in rows
    ])


def points_table(analysis: Analysis) -> pd.DataFrame:
    """The points of the mean curves: dataset, metric, label, quality, bpp, bytes (mean), mean (raw), drawn (as in the
    figure), the unit of it, n and n_missing pictures."""
    parts = [
        pd.DataFrame({
            "dataset": curve.dataset, "metric": curve.metric, "label": curve.label, "quality": curve.quality,
            "bpp": curve.bpp, "bytes": section.mean_bytes[curve.label], "mean": curve.raw, "drawn": curve.value,
            "drawn_unit": decibels_or_unit(section.metric), "n": curve.n, "n_missing": curve.n_missing,
        })
        for section in analysis.sections for curve in section.curves
    ]
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def matrix_table(analysis: Analysis) -> pd.DataFrame:
    """BD-rates of all against all, mean over pictures with interval: one row for each ordered pair."""
    rows = []
    for section in analysis.sections:
        if section.pairs is None:
            continue
        table = section.pairs.pictures
        means, (low, high) = percent(table.means), percent(table.intervals)
        counts = np.isfinite(table.log_ratios).sum(axis=0)
        for i, anchor in enumerate(table.labels):
            for j, test in enumerate(table.labels):
                if i != j:
                    rows.append({"dataset": section.dataset, "metric": section.metric.id, "anchor": anchor,
                                 "label": test, "bd_rate_percent": means[i, j], "low_95": low[i, j],
                                 "high_95": high[i, j], "pictures": counts[i, j]})
    return pd.DataFrame(rows)


def pictures_table(analysis: Analysis) -> pd.DataFrame:
    """BD-rates of single pictures, percent: a row for each data set, metric, picture and anchor, a column for each
    codec."""
    parts = []
    for section in analysis.sections:
        if section.pairs is None:
            continue
        table = section.pairs.pictures
        values = percent(table.log_ratios)
        for i, anchor in enumerate(table.labels):
            part = pd.DataFrame(values[:, i], columns=list(table.labels))
            for name, value in (("anchor", anchor), ("metric", section.metric.id), ("dataset", section.dataset)):
                part.insert(0, name, value, allow_duplicates=True)
            part.insert(2, "picture", table.samples, allow_duplicates=True)
            parts.append(part)
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def lossless_table(analysis: Analysis) -> pd.DataFrame:
    """Lossless codecs: mean bpp over the pictures that went through, how many, how many of them exact."""
    return pd.DataFrame([vars(item) for item in analysis.lossless])


def bd_cells(section: Section, row: Comparison) -> tuple[str, ...]:
    """One comparison as printed text, under `BD_HEAD`."""
    rate, gain, over = row.rate, row.gain, row.pictures
    unit = decibels_or_unit(section.metric)
    digits = section.metric.display.decimals
    return (
        row.label,
        number(rate.value, 1, signed=True),
        number(gain.value, digits, signed=True) + (f" {unit}" if unit and gain.value is not None else ""),
        range_of((rate.low, rate.high), section.metric) if rate.value is not None else "–",
        f"{rate.overlap:.0%}" if rate.low is not None else "–",
        " ".join(filter(None, [number(over.mean, 1, signed=True), interval(over.interval)])),
        number(over.median, 1, signed=True),
        share(over.won),
        NONE if row.published else f"{over.n} of {section.n_pictures}",
    )


def write_tables(analysis: Analysis, out: Path) -> list[Path]:
    """Write everything below ``tables/``."""
    folder = out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    frames = {
        "bd": bd_table(analysis), "bd-all": pairs_table(analysis), "bd-matrix": matrix_table(analysis),
        "bd-pictures": pictures_table(analysis), "rd-points": points_table(analysis),
        "lossless": lossless_table(analysis), "problems": problems(analysis.results), "nulls": nulls(analysis.results),
    }  # fmt: skip
    files = []
    for name, frame in frames.items():
        files.append(folder / f"{name}.csv")
        files[-1].write_text(frame.to_csv(index=False, lineterminator="\n"), encoding="utf-8", errors="replace")
    for name, text in (("bd.md", bd_markdown(analysis)), ("bd.tex", bd_latex(analysis))):
        files.append(folder / name)
        files[-1].write_text(text, encoding="utf-8", errors="replace")
    return files


def bd_markdown(analysis: Analysis) -> str:
    """The BD tables in Markdown, a sentence under each saying how it was made."""
    blocks = []
    for section in analysis.sections:
        title = f"## {_md(section.metric.title)} on {_md(section.dataset)}\n"
        if section.anchor is None or not section.comparisons:
            blocks.append(f"{title}\nNo BD-rates: {_md(no_comparison(section))}.\n")
            continue
        rows = [BD_HEAD, *(bd_cells(section, row) for row in section.comparisons)]
        lines = ["| " + " | ".join(_md(cell) for cell in row) + " |" for row in rows]
        lines.insert(1, "|" + "|".join([":--", *["--:"] * (len(BD_HEAD) - 1)]) + "|")
        blocks.append("\n".join([title, *lines, "", _md(table_note(section, analysis.method)), ""]))
    return "\n".join(blocks)


def bd_latex(analysis: Analysis) -> str:
    """The BD tables in LaTeX for the package booktabs, a sentence under each."""
    blocks = ["% needs \\usepackage{booktabs}\n"]
    for section in analysis.sections:
        if section.anchor is None or not section.comparisons:
            blocks.append(f"% {_comment(section.metric.title)} on {_comment(section.dataset)}: no BD-rates\n")
            continue
        rows = [" & ".join(_tex(cell) for cell in bd_cells(section, row)) + " \\\\" for row in section.comparisons]
        caption = (f"{section.metric.title} on {section.dataset}, against {section.anchor}. "
                   + table_note(section, analysis.method))
        blocks.append("\n".join([
            "\\begin{table}", "\\centering\\small", f"\\begin{{tabular}}{{l{'r' * (len(BD_HEAD) - 1)}}}", "\\toprule",
            " & ".join(_tex(cell) for cell in BD_HEAD) + " \\\\", "\\midrule", *rows, "\\bottomrule", "\\end{tabular}",
            f"\\caption{{{_tex(caption)}}}", "\\end{table}", "",
        ]))
    return "\n".join(blocks)


def no_comparison(section: Section) -> str:
    """Why a section has no BD table."""
    if section.anchor is None:
        return section.no_values or "the anchor has no curve on this data set"
    return f"{section.anchor} is the only codec with a curve"


def _comparisons(analysis: Analysis) -> Iterator[tuple[Section, Comparison]]:
    for section in analysis.sections:
        for row in section.comparisons:
            yield section, row


def _bd_row(section: Section, row: Comparison, method: str, anchor: str | None) -> dict[str, object]:
    rate: Bd = row.rate
    over = row.pictures
    low, high = over.interval or (None, None)
    ends = over.range or (None, None)
    return {
        "dataset": section.dataset, "metric": section.metric.id, "anchor": anchor, "label": row.label,
        "bd_rate_percent": rate.value, "bd_metric": row.gain.value, "bd_metric_unit": decibels_or_unit(section.metric),
        "range_low": rate.low, "range_high": rate.high, "overlap": rate.overlap, "points_anchor": rate.n_anchor,
        "points": rate.n_test, "points_dropped": rate.dropped, "flags": "; ".join(rate.flags), "no_value": rate.reason,
        "pictures_mean_percent": over.mean, "pictures_low_95": low, "pictures_high_95": high,
        "pictures_median_percent": over.median, "pictures_won": over.won, "pictures": over.n,
        "pictures_range_low": ends[0], "pictures_range_high": ends[1],
        "pictures_low_overlap": over.flagged, "pictures_left_out": len(over.left_out),
        "pictures_in_mean_curve": section.n_used, "interpolation": method,
    }  # fmt: skip


_TEX = {"\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
        "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
        "–": "--", "−": "$-$"}  # fmt: skip


def _tex(text: str) -> str:
    return "".join(_TEX.get(c, c) for c in _comment(text))


def _comment(text: str) -> str:
    return " ".join(text.split("\n")).replace("\r", " ")


def _md(text: str) -> str:
    flat = _comment(text).replace("\\", "\\\\")
    for character in "|`*_[]":
        flat = flat.replace(character, "\\" + character)
    return flat.replace("<", "&lt;").replace(">", "&gt;")


def column_rows(frame: pd.DataFrame, columns: Sequence[str], most: int) -> list[tuple[str, ...]]:
    """The first `most` rows of some columns as texts, for the page."""
    return [tuple(str(value) for value in row) for row in frame[list(columns)].head(most).itertuples(index=False)]
