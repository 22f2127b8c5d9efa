"""Rate-distortion curves, BD-rates, intervals and comparison tables from a results frame. Pure functions: no files, no
drawing."""

from benchbox.curves.against import rates_against, usual_anchor
from benchbox.curves.bd import FLAG_OVERLAP, Bd, MetricTable, RateTable, bd_metric, bd_rate, percent
from benchbox.curves.chosen import codec_pairs, common_metrics
from benchbox.curves.compare import Change, CodecChange, compare_codecs, comparison_table, verdict
from benchbox.curves.curve import (
    Curve,
    LeftOut,
    Lossless,
    common_curves,
    common_pictures,
    display,
    image_curves,
    lossless,
    mean_curves,
    null_reason,
    went_through,
)  # fmt: skip
from benchbox.curves.fit import INTERPOLATIONS, envelope
from benchbox.curves.lacking import Uncompared, uncompared
from benchbox.curves.mean_table import curves_table
from benchbox.curves.pictures import BdOverPictures, PictureTable, bootstrap_interval
from benchbox.curves.rounding import RATE_DECIMALS, decimals, rate_decimals, significant

__all__ = [
    "FLAG_OVERLAP",
    "INTERPOLATIONS",
    "RATE_DECIMALS",
    "Bd",
    "BdOverPictures",
    "Change",
    "CodecChange",
    "Curve",
    "LeftOut",
    "Lossless",
    "MetricTable",
    "PictureTable",
    "RateTable",
    "Uncompared",
    "bd_metric",
    "bd_rate",
    "bootstrap_interval",
    "codec_pairs",
    "common_curves",
    "common_metrics",
    "common_pictures",
    "compare_codecs",
    "comparison_table",
    "curves_table",
    "decimals",
    "display",
    "envelope",
    "image_curves",
    "lossless",
    "mean_curves",
    "null_reason",
    "percent",
    "rate_decimals",
    "rates_against",
    "significant",
    "uncompared",
    "usual_anchor",
    "verdict",
    "went_through",
]  # fmt: skip
