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

from typing import Annotated

from pydantic import AfterValidator, Field

from benchbox.codec import OptionsModel
from benchbox.errors import plain_name


def _range(ends: tuple[float, float]) -> tuple[float, float]:
    if not ends[0] < ends[1]:
        raise ValueError(f"a range is [low, high], not [{ends[0]:g}, {ends[1]:g}]")
    return ends


def _widths(widths: tuple[float, float]) -> tuple[float, float]:
    if not 2 <= widths[0] <= widths[1] <= 20:
        raise ValueError("widths are [column, page] in inches, 2 to 20, the column's first")
    return widths


_Text = Annotated[str, Field(max_length=200), AfterValidator(plain_name)]
_Hex = Annotated[str, Field(pattern=r"^#[0-9a-fA-F]{6}$")]
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


PLAIN = Appearance()
"""The appearance of a report of which nothing is said."""
