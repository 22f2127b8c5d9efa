"""The frame that `benchbox.run` returns: a DataFrame that a notebook shows as a summary table and a plot."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Any

import pandas as pd

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
    mean over pictures.

    Args:
        name: the run's name.
        table: rows as `benchbox.bd_rates` gives them.
        anchor: the label that they are against.
        plot: an SVG or "".
        note: a sentence below.
    """
    tables = []
    for dataset, own in table.groupby("dataset", sort=False):
        wide = own.pivot(index="label", columns="metric", values="pictures")[list(dict.fromkeys(own["metric"]))]
        wide = wide.sort_values(wide.columns[0])
        best = wide.min().to_numpy(dtype=float)
        head = "".join(f"<th>{escape(str(metric))}</th>" for metric in wide)
        rows = "".join(f"<tr><th style='text-align:left'>{escape(str(label))}</th>" + "".join(
            _cell(float(value), bool(value == low)) for value, low in zip(row, best, strict=True)) + "</tr>"
            for label, row in zip(wide.index, wide.to_numpy(dtype=float), strict=True))
        tables.append(f"<table><caption>BD-rate (%) against {escape(anchor)} on {escape(str(dataset))}, mean over "
                      f"pictures; negative is fewer bits</caption><tr><th></th>{head}</tr>{rows}</table>")
    return f"<div><h4>{escape(name)}</h4>{''.join(tables)}{plot}<p>{escape(note)}</p></div>"


def _cell(value: float, best: bool) -> str:
    text = "–" if pd.isna(value) else f"{value:+.1f}".replace("-", "−")
    text = "0.0" if text in ("+0.0", "−0.0") else text
    return f"<td>{f'<b>{text}</b>' if best else text}</td>"
