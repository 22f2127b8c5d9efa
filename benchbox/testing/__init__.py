"""The conformance kit: the contract of a codec, metric, data set, report or published curve.

The whole test file of a plugin::

    import pytest
    from benchbox import testing
    from my_plugin import MY_CODEC

    @pytest.mark.parametrize("check", testing.codec_checks(MY_CODEC))
    def test_codec(check):
        check()

`metric_checks`, `dataset_checks`, `report_checks` and `reference_checks` are the same for the other kinds of plugin;
`check_codec` and its like run all checks in one call and report every breach. A breach is a
PluginError of one line, which names the rule, the plugin, what it did, the file and line, and the remedy. A rule that
would only repeat the failure of another one is not tried and passes. The kit itself does not need pytest: the `outcome`
of a `Check` is a pass, a failure or "not applicable".
"""

from __future__ import annotations

from benchbox.testing.check import Check, Outcome
from benchbox.testing.codecs import check_codec, codec_checks
from benchbox.testing.datasets import check_dataset, dataset_checks
from benchbox.testing.metrics import check_metric, metric_checks
from benchbox.testing.pictures import AWKWARD_SIZES, noise, photograph, picture
from benchbox.testing.references import check_reference, reference_checks
from benchbox.testing.reports import check_report, report_checks

__all__ = [
    "AWKWARD_SIZES", "Check", "Outcome", "check_codec", "check_dataset", "check_metric", "check_reference",
    "check_report", "codec_checks", "dataset_checks", "metric_checks", "noise", "photograph", "picture",
    "reference_checks", "report_checks",
]  # fmt: skip
