"""How reports of a run look: the table ``[report]`` of a plan, or the same as flags of ``benchbox report``.

    [report]
    codecs = ["ours", "vtm", "avif"]              # shown, in this order; default: all
    labels = { "resnet effort=7" = "Ours" }       # label, codec id or published curve -> its name
    colours = { ours = "#b60d22" }
    families = { avif = "AV1" }                   # codecs of one family share a colour
    highlight = "ours"
    metrics = ["psnr"]
    ranges = { bpp = [0, 2], psnr = [28, 42] }    # of the axes; metrics as drawn
    widths = [3.5, 7.16]                          # inches of a column and of a page
    font = "Times"                                # or Helvetica, DejaVu Sans, any that is installed

It changes no measurement: keys, digests and the run's results are the same with any table.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator, Field

from benchbox.codec import OptionsModel


def _range(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError(f"a range is [low, high], not [{ends[0]:g}, {ends[1]:g}]")
    return ends


def _widths(widths: tuple[float, float]) -> tuple[float, float]:
    if not 2 <= widths[0] <= widths[1] <= 20:
        raise ValueError("widths are [column, page] in inches, 2 to 20, the column's first")
    return widths


_Text = Annotated[str, Field(max_length=200)]
_Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
_Range = Annotated[tuple[float, float], AfterValidator(_range)]


class Appearance(OptionsModel):
    """The table ``[report]``. A codec goes by its label, its id, or the id or title of a published curve."""

    codecs: tuple[_Text, ...] = Field((), description="codecs shown, in this order; default: all")
    labels: dict[_Text, _Text] = Field({}, description="codec -> its name in the report")
    colours: dict[_Text, _Hex] = Field({}, description="codec -> its colour, as #rrggbb")
    families: dict[_Text, _Text] = Field({}, description="codec -> its family; codecs of a family share a colour")
    highlight: _Text | None = Field(None, description="the codec to highlight, e.g. ours")
    metrics: tuple[_Text, ...] = Field((), description="metrics shown, in this order; default: all")
    ranges: dict[_Text, _Range] = Field({}, description="bpp or a metric as drawn -> ends of its axis in figures")
    widths: Annotated[tuple[float, float], AfterValidator(_widths)] = Field(
        (3.5, 7.16), description="inches of column-wide and of page-wide figures")
    font: _Text | None = Field(
        None, description="font family of figures: Times, Helvetica, DejaVu Sans, or any that is installed")


PLAIN = Appearance()
"""The appearance of a report of which nothing is said."""
