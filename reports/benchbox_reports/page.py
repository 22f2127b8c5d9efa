"""The page: ``index.html`` with style and figures inline; figures and tables also as files next to it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from markupsafe import Markup

import benchbox
from benchbox import curves
from benchbox.curves import percent
from benchbox.errors import BenchboxError
from benchbox.report import Results
from benchbox_reports import visual
from benchbox_reports.analysis import Analysis, Section, analyse
from benchbox_reports.chosen import chosen_looks
from benchbox_reports.document import PAGE_SCRIPTS, VISUAL_SCRIPTS, csp_hash, script_of, template
from benchbox_reports.embed import as_json, metric_digits, page_data
from benchbox_reports.figures import file_names, inline_svg, is_log, leaving, lossless_in_range, write_figures
from benchbox_reports.headline import description, summary
from benchbox_reports.look import Look, palette
from benchbox_reports.matched import NOTE, is_matched, matched_targets
from benchbox_reports.measure import few_pictures, rankings, rate_decimals
from benchbox_reports.pareto import drawn_speeds
from benchbox_reports.problems import nulls, problems
from benchbox_reports.settings import (
    CODEC_HEAD,
    breakable,
    codec_rows,
    command,
    datasets,
    day,
    filled,
    measured_here,
    sessions,
)
from benchbox_reports.single import inlined, standing_alone
from benchbox_reports.speeds import measure_speeds, refusals
from benchbox_reports.svg import for_page
from benchbox_reports.tables import bd_head, bd_rows, matrix_cells, no_comparison, speed_grids, write_tables
from benchbox_reports.wording import (
    FLAGS,
    counted_as_means,
    curve_note,
    decibels_or_unit,
    how_made,
    number,
    remarks,
    sentence,
    unbroken,
)

MOST_ON_PAPER = 2
"""Metrics of a data set that a printed page shows in full; with eight, it would be twenty pages."""

MOST_ROWS = 100
"""Most rows of each table of failures on the page; the CSV files have all."""


@dataclass(frozen=True)
class Block:
    """A section as the template shows it.

    Attributes:
        section: the numbers.
        name: the id of its elements and the stem of its files.
        svg: its figure; None where there is nothing to draw.
        files: its figure as files.
        sentences: its comparisons in words.
        rows: (cells, remarks) of its BD table.
        notes: what a reader of the figure must know.
        beyond: which curves leave the axes of the static figure, or "".
        legend: names of the curves in the order of the legend.
        given: how many curves are given as means, in words, e.g. ``"6 published curves"``.
        published: (line, what folds out) of each of these.
        cautions: how many of these have a caution.
        no_rows: why there is no BD table, or "".
        head: heads of the BD table.
        made: how the BD-rates were made.
        remarked: whether its BD table needs a column of remarks.
        matrix: (anchor, (mean, interval) of each codec) of all codecs against each other.
        on_paper: whether a printed page has its tables and dots and a large plot; of the others it has a small plot.
    """

    section: Section
    name: str
    svg: Markup | None
    files: Sequence[Path]
    sentences: Sequence[str]
    rows: Sequence[tuple[tuple[str, ...], tuple[str, ...]]]
    notes: Sequence[str]
    beyond: str
    legend: Sequence[str]
    given: str
    published: Sequence[tuple[str, str]]
    cautions: int
    no_rows: str
    head: Sequence[str]
    made: str
    remarked: bool
    matrix: Sequence[tuple[str, Sequence[tuple[str, str]]]]
    on_paper: bool


def render(results: Results, options: Any, out: Path) -> list[Path]:
    """Write the page, its figures and its tables below `out`; the page is the first file returned."""
    analysis = analyse(results, options.anchor, options.method)
    results = analysis.results  # under public names
    figures = write_figures(analysis, out)
    tables = write_tables(analysis, out)
    look = chosen_looks(analysis)
    colours = palette(look.values())
    names = file_names(analysis.sections)
    blocks = [_block(analysis, section, name, files, look)
              for section, name, files in zip(analysis.sections, names, figures, strict=True)]
    less = list(dict.fromkeys(block.section.metric.title for block in blocks if not block.on_paper and any(
        ranking.rows for ranking in rankings(block.section))))
    speeds = measure_speeds(results, analysis.labels)
    drawn = drawn_speeds(results, speeds)
    data = page_data(analysis, look, names, drawn, options.thumbnails)
    pictures = _visual(results, options, out)
    script = script_of(PAGE_SCRIPTS)
    codec_head, codec_table = filled(CODEC_HEAD, codec_rows(analysis))
    failed, missing = problems(results), nulls(results)
    text = template("page.html").render(
        title=options.title or results.name, results=results, analysis=analysis, blocks=blocks, looks=look,
        places={label: colours.index((one.colour, one.dark)) for label, one in look.items()},
        facts=_facts(results), less_on_paper=less, about=description(results.plan), summary=summary(analysis, drawn),
        headline=data["headline"].get(analysis.anchor or "", []), breakable=breakable,
        matched=matched_targets(analysis), matched_note=NOTE, codecs=codec_table, codec_head=codec_head,
        commands={label: command(analysis, label) for label in analysis.labels if measured_here(analysis, label)},
        sessions=sessions(results.environment),
        colours=colours, flags=_flags(analysis), number=number,
        failed=_records(failed), n_failed=len(failed), missing=_records(missing), n_missing=len(missing),
        speeds=drawn, speed_tables=speed_grids(speeds, refusals(results)) if speeds else [],
        tables=tables, version=benchbox.__version__,
        points=[(section, curve, _points(section, curve))
                for section in analysis.sections for curve in section.curves],
        decibels_or_unit=decibels_or_unit, datasets=datasets(results), data=as_json(data), script=Markup(script),
        script_hash=Markup(csp_hash(script)), visual=(out / "visual.html").is_file(),
        visual_page=as_json(pictures), visual_hash=Markup(csp_hash(script_of(VISUAL_SCRIPTS)) if pictures else ""),
        decibel_titles=", ".join(m.title for m in results.metrics if m.display.transform == "db"),
        drawn={curve.label for section in analysis.sections for curve in section.drawable},
    )
    if options.single_file:
        text = inlined(text, out, [*(file for files in figures for file in files), *tables])
    page = out / "index.html"
    page.write_text(text, encoding="utf-8", errors="replace")
    return [page, *(file for files in figures for file in files), *tables]


def _visual(results: Results, options: Any, out: Path) -> str:
    """The visual comparison as one file, for a page that is one file; "" where none is wanted or no stream is kept."""
    if not options.single_file:
        return ""
    try:
        file, *others = visual.render(results, options, out)
    except BenchboxError:
        return ""
    return standing_alone(file.read_text(encoding="utf-8"), out, others)


def _block(analysis: Analysis, section: Section, name: str, files: Sequence[Path], look: Mapping[str, Look]) -> Block:
    shown = ", ".join(curve.label for curve in section.drawable)
    title = f"{section.metric.title} against bits per pixel on {section.dataset}: {shown}"
    svg = None
    if not section.no_values:
        colours = [light for light, _ in palette(look.values())]
        svg = Markup(for_page(inline_svg(section, look, name), name, title, colours))  # safe: both escape
    return Block(
        section, name, svg, files,
        sentences=_sentences(section),
        rows=[(cells, tuple(remarks(row))) for cells, row
              in zip(bd_rows(section, section.comparisons), section.comparisons, strict=True)],
        notes=_notes(section, is_matched(analysis.results.frame)), beyond=", ".join(leaving(section)),
        legend=[*(c.label for c in section.drawable), *(p.curve.label for p in section.published)],
        given=counted_as_means([p.curve.label for p in section.published]),
        published=_published_notes(section), cautions=sum(bool(p.reference.caution) for p in section.published),
        no_rows="" if section.comparisons else no_comparison(section),
        head=bd_head(section), made=how_made(section, analysis.method), remarked=bool(_remarks(section)),
        matrix=_matrix(section),
        on_paper=section in _on_paper(analysis, section.dataset),
    )


def _on_paper(analysis: Analysis, dataset: str) -> list[Section]:
    """The sections of a data set that a printed page shows in full: the first ones, of those with values if any."""
    own = [section for section in analysis.sections if section.dataset == dataset]
    return sorted(own, key=lambda section: bool(section.no_values))[:MOST_ON_PAPER]


def _sentences(section: Section) -> list[str]:
    """Its comparisons in words: the best first, those without a value last."""
    order = [row.label for ranking in rankings(section) for _, row in ranking.rows]
    rows = sorted(section.comparisons, key=lambda row: order.index(row.label) if row.label in order else len(order))
    return [unbroken(sentence(row, section, rate_decimals(rows))) for row in rows]


def _remarks(section: Section) -> set[str]:
    """The remarks on its rows, whatever anchor the reader chooses."""
    against = {} if section.pairs is None else section.pairs.against
    return {said for rows in against.values() for row in rows for said in remarks(row)}


def _flags(analysis: Analysis) -> dict[str, str]:
    """What the remarks mean that some row of the page has."""
    used = {said for section in analysis.sections for said in _remarks(section)}
    return {name: meaning for name, meaning in FLAGS.items() if name in used}


def _notes(section: Section, matched: bool) -> list[str]:
    """The notes under a figure: what a reader must know. The curves of a `matched` run have hardly a mean."""
    notes = [curve_note(section)] if section.drawable else []
    if section.metric.display.transform == "db":
        notes.append(f"{section.metric.title} is drawn as −10 log10(1 − mean).")
    notes += [f"Left out: {item.sample}, which {item.label} does not have ({item.reason})."
              for item in section.left_out[:5]]
    if len(section.left_out) > 5:
        notes.append(f"Left out likewise: {len(section.left_out) - 5} more pictures.")
    any_value = any((curve.n > 0).any() for curve in section.curves)  # else the figure's place says why there is none
    for curve in section.curves if any_value else ():
        if section.drawable and not curve.usable.any():
            notes.append(f"{curve.label} is not drawn: it has no quality with a value on every picture.")
            continue
        gaps = [] if matched else [
            f"{q:g} ({m} of {section.n_used})" for q, m, ok in
                zip(curve.quality, curve.n_missing, curve.usable, strict=True) if not ok]
        if gaps:
            notes.append(f"{curve.label} has no mean at quality {', '.join(gaps)}: that many pictures lack a value.")
    if matched:
        notes.append("The settings of this run were searched picture by picture, so few qualities have a value on "
                     "every picture and these means are no sweep: the targets above are the result.")
    shown = dict(lossless_in_range(section))
    outside = [f"{item.label} {item.bpp:.2f}" for item in section.lossless if item.bpp is not None
               and item.label not in shown]
    if outside and section.drawable:
        notes.append(f"Lossless, right of the figure (mean bpp): {', '.join(outside)}.")
    if section.drawable and is_log(section.drawable):
        notes.append("The rate axis is logarithmic: equal distances are equal percentages of bits.")
    return notes


def _published_notes(section: Section) -> list[tuple[str, str]]:
    """(line, what folds out) of each published curve; the latter gives convention, source and caution."""
    return [
        (f"{p.curve.label}, not measured here" + (", with a caution" if p.reference.caution else ""),
         f"{p.reference.convention}. Source: {p.reference.source}."
         + (f" Caution: {p.reference.caution}" if p.reference.caution else "")) for p in section.published
    ]


def _matrix(section: Section) -> list[tuple[str, list[tuple[str, str]]]]:
    """BD-rates of all codecs against each other, mean over pictures and interval as printed: a row for each anchor.
    Empty for fewer than three codecs."""
    if section.pairs is None or len(section.pairs.pictures.labels) < 3:
        return []
    table = section.pairs.pictures
    means, (low, high) = percent(table.means), (percent(ends) for ends in table.intervals)
    counts = np.isfinite(table.log_ratios).sum(axis=0).tolist()
    cells = [[(mean, " ".join(filter(None, [ends, few_pictures(n, section.n_pictures) if n and mean else ""])))
              for (mean, ends), n in zip(row, own, strict=True)]
             for row, own in zip(matrix_cells(means, low, high), counts, strict=True)]
    return list(zip(table.labels, cells, strict=True))


def _facts(results: Results) -> list[tuple[str, str]]:
    """The numbers at the top of the page, as (name, value)."""
    frame = results.frame
    ok = int(curves.went_through(frame).sum())
    measured = day(results.environment)
    settings, pictures = frame["label"].nunique(), len(frame[["dataset", "sample"]].drop_duplicates())
    return [
        (f"codec setting{'s' * (settings != 1)}", f"{settings}"),
        (f"picture{'s' * (pictures != 1)}", f"{pictures}"),
        ("", ", ".join(metric.title for metric in results.metrics) or "none"),
        ("encodings", f"{ok:,}") if ok == len(frame) else ("", f"{ok:,} of {len(frame):,} encodings went through"),
        *([("", f"measured {measured}")] if measured else []),
    ]


def _points(section: Section, curve: curves.Curve) -> list[tuple[str, ...]]:
    """The points of a curve as printed, a column with one number of decimals."""
    sizes, digits = section.mean_bytes[curve.label], metric_digits(section.metric)
    finest = max(len(f"{quality:g}".partition(".")[2]) for quality in curve.quality)
    return [
        (f"{q:.{finest}f}", f"{bpp:.4f}", f"{size:.0f}", f"{raw:.{digits}f}", f"{value:.3f}", str(n), str(missing))
        for q, bpp, size, raw, value, n, missing in zip(curve.quality, curve.bpp, sizes, curve.raw, curve.value,
                                                        curve.n, curve.n_missing, strict=True)
    ]


def _records(frame: pd.DataFrame) -> list[dict[str, str]]:
    return [{str(k): str(v) for k, v in row.items()} for row in frame.head(MOST_ROWS).to_dict("records")]
