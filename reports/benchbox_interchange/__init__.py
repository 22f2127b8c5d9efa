"""benchbox_interchange: a run's measurements in the formats of other tools, and curves that those tools measured."""

from __future__ import annotations

from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import ReferenceFormat, Report


@hookimpl
def benchbox_reports() -> list[Report]:
    """The two exports."""
    from benchbox_interchange.kinds import CodecCompareReport, CompressaiReport

    return [
        CompressaiReport("compressai", "mean curves as CompressAI's results JSON, for its compressai.utils.plot"),
        CodecCompareReport("codec-compare", "one row a picture and quality as batch JSON, for codec-compare's page"),
    ]


@hookimpl
def benchbox_references() -> list[ReferenceFormat]:
    """The formats of curve files that ``--literature`` reads."""
    from benchbox_interchange.kinds import CodecCompareFormat, CompressaiFormat, CsvFormat

    return [
        CsvFormat("csv", "CSV picture by picture: codec, sample, bpp, a column a metric", (".csv",)),
        CodecCompareFormat("codec-compare", "a batch of codec-compare, picture by picture", (".json",)),
        CompressaiFormat("compressai", "CompressAI's results JSON", (".json",)),
    ]
