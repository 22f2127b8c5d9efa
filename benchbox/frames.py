"""The frame that `benchbox.run` returns: a DataFrame that a notebook shows as a summary table and a plot."""

from __future__ import annotations

import math
from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

from benchbox.curves import rate_decimals

if TYPE_CHECKING:
    from collections.abc import Callable


class ResultFrame(pd.DataFrame):
    """Results of a run, a DataFrame like any other; what is made from it (a selection, a copy) is a plain one.

    A notebook shows it as `_repr_html_`; ``print`` as pandas does.
    """

    _metadata = ["_overview"]  # noqa: RUF012  (pandas' own protocol)
    _overview: Any = None

    @classmethod
    def of(cls, frame: pd.DataFrame, overview: Callable[[pd.DataFrame], str]) -> ResultFrame:
        """`frame`, shown in notebooks as the HTML that `overview` makes of it."""
        made = cls(frame)
        made._overview = overview
        return made

    @property
    def _constructor(self) -> type[pd.DataFrame]:
        return pd.DataFrame

    def _repr_html_(self) -> str:
        try:
            return str(self._overview(pd.DataFrame(self)))
        except Exception as error:  # a notebook shows something of every object
            return f"<p>{escape(str(error))}</p>" + (pd.DataFrame(self).to_html(max_rows=10) or "")


def overview(name: str, table: pd.DataFrame, anchor: str, plot: str, note: str) -> str:
    """A run in HTML: a row a codec, a BD-rate a metric, and a plot. Codecs are ranked as on the page of the run, by the
    mean over pictures; one that is not over all pictures says so and is not the best.

    Args:
        name: the run's name.
        table: rows as `benchbox.bd_rates` gives them, with the number of the data set's pictures in ``all``.
        anchor: the label that they are against.
        plot: an SVG or "".
        note: a sentence below.
    """
    tables = []
    for dataset, own in table.groupby("dataset", sort=False):
        metrics = [str(metric) for metric in dict.fromkeys(own["metric"])]
        cells = {(str(row["label"]), str(row["metric"])): (float(row["pictures"]), int(row["n"]), int(row["all"]))
                 for row in own.to_dict("records")}
        digits = {metric: rate_decimals(own.loc[own["metric"] == metric, ["low", "high"]].itertuples(False, None))
                  for metric in metrics}
        best = {metric: min((value for (_, name), (value, n, of) in cells.items() if name == metric and n == of),
                            default=None) for metric in metrics}
        rows = "".join(
            f"<tr><th style='text-align:left'>{escape(label)}</th>"
            + "".join(_cell(*cells[label, metric], best[metric], digits[metric]) for metric in metrics) + "</tr>"
            for label in sorted({label: None for label, _ in cells}, key=lambda name: _place(*cells[name, metrics[0]])))
        head = "".join(f"<th>{escape(metric)}</th>" for metric in metrics)
        tables.append(f"<table><caption>BD-rate (%) against {escape(anchor)} on {escape(str(dataset))}, mean over "
                      f"pictures; negative is fewer bits</caption><tr><th></th>{head}</tr>{rows}</table>")
    return f"<div><h4>{escape(name)}</h4>{''.join(tables)}{plot}<p>{escape(note)}</p></div>"


def _place(value: float, n: int, of: int) -> tuple[bool, bool, float]:
    """The sort key of a row: the best first, then what is over fewer pictures, then what has no value."""
    return math.isnan(value), n < of, value


def _cell(value: float, n: int, of: int, best: float | None, digits: int) -> str:
    """A mean over `n` of `of` pictures, to as many `digits` after the point."""
    if math.isnan(value):
        return "<td>–</td>"
    text = f"{value:+.{digits}f}"
    text = (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")
    if n < of:
        return f"<td>{text} ({n} of {of} pictures)</td>"
    return f"<td>{f'<b>{text}</b>' if value == best else text}</td>"
