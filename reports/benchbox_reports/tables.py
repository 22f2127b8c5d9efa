"""The table files: every number as CSV at full precision; BD-rates, points and speeds also as Markdown and LaTeX,
a column rounded by its uncertainty, with a sentence under each table that says how it was made."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from benchbox import curves
from benchbox.report import to_csv
from benchbox_reports.analysis import Analysis, Comparison, Floats, Section
from benchbox_reports.columns import RULE, aligned, of_least, precision
from benchbox_reports.frames import bd_table, lossless_table, matrix_table, pairs_table, pictures_table, points_table
from benchbox_reports.markup import Grid, Row, latex, markdown
from benchbox_reports.matched import is_matched, matched_table
from benchbox_reports.measure import rate_decimals
from benchbox_reports.problems import nulls, problems
from benchbox_reports.speeds import SIDES, Speeds, measure_speeds, refusals
from benchbox_reports.summary import summary_tex
from benchbox_reports.wording import (
    NONE,
    curve_note,
    decibels_or_unit,
    interval,
    number,
    range_of,
    share,
    speed_note,
    table_note,
)

BD_HEAD = ("Codec", "BD-rate, mean curves (%)", "BD-metric", "Range used", "Overlap",
           "BD-rate, pictures: mean [95 % interval] (%)", "Median (%)", "Won", "Pictures")
SPEED_HEAD = ("Codec", "Encode (MP/s)", "Decode (MP/s)", "Encode, wall (s)", "CPU (s)", "Decode, wall (s)", "CPU (s)",
              "Peak (MiB)", "Batch", "Threads", "Points")
BPP_DECIMALS = 4
"""Decimals of bpp where there is a single picture."""
PRINTED_MOST = 6
"""Most decimals of a point or a speed."""


def write_tables(analysis: Analysis, out: Path) -> list[Path]:
    """Write all tables below ``out/tables/`` and return the files; ``summary.tex`` fits a column, the others are for
    supplements."""
    folder = out / "tables"
    folder.mkdir(parents=True, exist_ok=True)
    points = points_table(analysis)
    speeds = measure_speeds(analysis.results, analysis.labels)
    frames = {
        "bd": bd_table(analysis), "bd-all": pairs_table(analysis), "bd-matrix": matrix_table(analysis),
        "bd-pictures": pictures_table(analysis), "rd-points": points, "speeds": _joined([s.codecs for s in speeds]),
        "speeds-points": _joined([s.operating_points for s in speeds]), "lossless": lossless_table(analysis),
        "problems": problems(analysis.results), "nulls": nulls(analysis.results),
    }  # fmt: skip
    if is_matched(analysis.results.frame):
        frames["matched"] = matched_table(analysis)
    grids = {
        "bd": [bd_grid(section, analysis.method) for section in analysis.sections],
        "rd-points": [points_grid(section, points) for section in analysis.sections],
        "speeds": speed_grids(speeds, refusals(analysis.results)),
    }
    texts = {f"{name}.csv": to_csv(frame) for name, frame in frames.items()}
    texts |= {f"{name}.md": markdown(grid) for name, grid in grids.items()}
    texts |= {f"{name}.tex": latex(grid) for name, grid in grids.items()}
    texts["summary.tex"] = summary_tex(analysis)
    for name, text in texts.items():
        (folder / name).write_text(text, encoding="utf-8", errors="replace")
    return [folder / name for name in texts]


def bd_grid(section: Section, method: str) -> Grid:
    """The BD table of a section, without empty columns; it has no rows where there is nothing to compare."""
    title = f"{section.metric.title} on {section.dataset}"
    if section.anchor is None or not section.comparisons:
        return Grid(title, bd_head(section), (), f"No BD-rates: {no_comparison(section)}.")
    rows = [bd_head(section), *bd_rows(section, section.comparisons)]
    kept = [k for k in range(len(rows[0])) if any(row[k] != NONE for row in rows[1:])]
    head, *rows = [tuple(row[k] for k in kept) for row in rows]
    return Grid(title, head, rows,
                f"{table_note(section, method)} {RULE}, the interval's half-width; without one to "
                f"{curves.RATE_DECIMALS} decimal.")


def bd_head(section: Section) -> Row:
    """The heads of the columns; no interval is promised where no pair of codecs has one."""
    pairs = section.pairs
    if pairs is not None and np.isfinite(pairs.pictures.intervals[0]).any():
        return BD_HEAD
    return tuple(head.replace(": mean [95 % interval]", ": mean") for head in BD_HEAD)


def bd_rows(section: Section, comparisons: Sequence[Comparison]) -> list[Row]:
    """The comparisons of one table as printed under `BD_HEAD`; their intervals set the decimals of percentages."""
    digits = rate_decimals(comparisons)
    return _aligned([_bd_cells(section, row, digits) for row in comparisons])


def _bd_cells(section: Section, row: Comparison, digits: int) -> Row:
    rate, gain, over = row.rate, row.gain, row.pictures
    unit = decibels_or_unit(section.metric)
    return (
        row.label,
        number(rate.value, digits, signed=True),
        number(gain.value, section.metric.display.decimals, signed=True)
        + (f" {unit}" if unit and gain.value is not None else ""),
        range_of((rate.low, rate.high), section.metric) if rate.value is not None else NONE,
        f"{rate.overlap:.0%}" if rate.low is not None else NONE,
        " ".join(filter(None, [number(over.mean, digits, signed=True), interval(over.interval, digits)])),
        number(over.median, digits, signed=True),
        share(over.won),
        NONE if row.published else f"{over.n} of {section.n_pictures}",
    )


def matrix_cells(means: Floats, lows: Floats, highs: Floats) -> list[list[tuple[str, str]]]:
    """BD-rates between codecs and their intervals as printed, all with the same decimals; N x N each, in percent, NaN
    for none. The diagonal is empty."""
    digits = curves.rate_decimals(zip(lows.ravel().tolist(), highs.ravel().tolist(), strict=True))

    def cell(mean: float, low: float, high: float) -> tuple[str, str]:
        ends = None if math.isnan(low) or math.isnan(high) else (low, high)
        return number(None if math.isnan(mean) else mean, digits, signed=True), interval(ends, digits)

    return [[("", "") if i == j else cell(*ends) for j, ends in enumerate(zip(*row, strict=True))]
            for i, row in enumerate(zip(means.tolist(), lows.tolist(), highs.tolist(), strict=True))]


def points_grid(section: Section, points: pd.DataFrame) -> Grid:
    """The table of the points of a section's mean curves; `points` is `points_table`'s."""
    metric = section.metric
    title = f"Operating points: {metric.title} on {section.dataset}"
    head = ("Codec", "Quality", "Rate (bpp)", metric.display.label, "Pictures")
    own = points[(points["dataset"] == section.dataset) & (points["metric"] == metric.id)] if len(points) else points
    if own.empty or section.no_values:
        return Grid(title, head, (), f"No points: {section.no_values}.")
    rates = precision(own["bpp_se"], BPP_DECIMALS, PRINTED_MOST)
    values = precision(own["drawn_se"], metric.display.decimals, PRINTED_MOST)
    rows = _aligned([
        (p["label"], f"{p['quality']:g}", _with_error(p["bpp"], p["bpp_se"], rates),
         _with_error(p["drawn"], p["drawn_se"], values), str(p["n"]))
        for p in own.to_dict("records")
    ])
    drawn = f" {metric.title} in decibels: −10 log10(1 − mean)." if metric.display.transform == "db" else ""
    return Grid(title, head, rows, f"{curve_note(section)}{drawn} {RULE}, the standard error over pictures (±).")


def speed_grids(speeds: Sequence[Speeds], refused: str) -> list[Grid]:
    """A table for each data set and host; where there are no speeds, one table that only says why."""
    if not speeds:
        return [Grid("Speeds", SPEED_HEAD, (), f"No speed table: no operating point has usable times. {refused}")]
    return [Grid(f"Speeds on {one.dataset}, measured by {one.where}", SPEED_HEAD,
                 speed_rows(one.codecs.to_dict("records")),
                 f"{speed_note(one, len(speeds))} Each column is rounded to two significant digits of the least number "
                 "in it." + (f" {refused}" if refused else ""))
            for one in speeds]


def speed_rows(rows: Sequence[Mapping[Any, Any]]) -> list[Row]:
    """Rows of `Speeds.codecs` as printed under `SPEED_HEAD`."""
    digits = {name: of_least((float(row[name]) for row in rows), PRINTED_MOST)
              for side in SIDES for name in (f"{side}_mp_s", f"{side}_s", f"{side}_cpu_s")}
    return _aligned([_speed_cells(row, digits) for row in rows])


def _speed_cells(row: Mapping[Any, Any], digits: Mapping[str, int]) -> Row:
    speeds, seconds = [], []
    for side in SIDES:
        low, middle, high = (number(float(row[f"{side}_{name}"]), digits[f"{side}_mp_s"])
                             for name in ("mp_s_q1", "mp_s", "mp_s_q3"))
        speeds.append(f"{middle} [{low}, {high}]")
        wall, spread = (number(float(row[f"{side}_{name}"]), digits[f"{side}_s"]) for name in ("s", "spread_s"))
        seconds += [f"{wall} ({spread})", number(float(row[f"{side}_cpu_s"]), digits[f"{side}_cpu_s"])]
    peak = float(row["peak_bytes"])
    return (str(row["label"]), *speeds, *seconds, NONE if math.isnan(peak) else f"{peak / 2**20:.0f}",
            str(row["batch"]), str(row["threads"]), str(row["points"]))


def _aligned(rows: Sequence[Row]) -> list[Row]:
    """`rows` with every column but the first, of names, aligned."""
    if not rows:
        return []
    names, *columns = zip(*rows, strict=True)
    return list(zip(names, *map(aligned, columns), strict=True))


def no_comparison(section: Section) -> str:
    """Why a section has no BD table."""
    if section.anchor is None:
        return section.no_values or "the anchor has no curve on this data set"
    return f"{section.anchor} is the only codec with a curve"


def _with_error(value: float, error: float, digits: int) -> str:
    """``"0.512 ± 0.045"``; the value alone where there is no error, a dash where there is no value."""
    if math.isnan(value):
        return NONE
    return number(value, digits) + ("" if math.isnan(error) else f" ± {number(error, digits)}")


def _joined(parts: Sequence[pd.DataFrame]) -> pd.DataFrame:
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()
