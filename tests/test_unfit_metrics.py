"""A metric whose description would put wrong numbers into results, or break the page, is left out by name."""

from __future__ import annotations

import pytest
from installed_plugins import Install

from benchbox import registry
from benchbox.metric import RESULT_COLUMNS
from benchbox.store import COLUMNS

SOURCE = """
from benchbox import Display, Metric, Prepared, Scorer, hookimpl

class Error(Metric):
    def open(self, device): raise NotImplementedError

FACTS = dict(id="mae", title="MAE", version="1", unit="", better="lower", display=Display("MAE")) | dict(FACTS_OF_IT)

@hookimpl
def benchbox_metrics(): return [Error(**FACTS)]
"""


def test_the_names_of_columns_are_those_of_the_table() -> None:
    assert {column.name for column in COLUMNS} == RESULT_COLUMNS


@pytest.mark.parametrize(("facts", "said"), [
    ("version=1", "version must be text, not 1"), ("unit=None", "unit must be text, not None"),
    ("title=None", "gives mae the title None; it must be text"),
    ("id='bpp'", "'bpp' is a column of every result; give the metric another id"),
    ("id='encode-s'", "'encode_s' is a column of every result"),
    ("id='status'", "'status' is a column of every result"),
    ("better='Lower'", "better must be 'higher' or 'lower', not 'Lower'"),
    ("lowest=2.0, highest=1.0", "lowest must be below highest, not 2.0 with 1.0"),
    ("lowest=float('nan')", "lowest must be below highest, not nan with None"),
    ("highest=float('-inf')", "lowest must be below highest"),
    ("display='MAE'", "display must be a Display, not a str"),
    ("display=Display(None)", "display must have a text as label"),
    ("display=Display('x', transform='DB')", "None or 'db' as transform"),
    ("display=Display('x', decimals=-3)", "display.decimals must be a whole number from 0 to 17, not -3"),
    ("display=Display('x', decimals=2.5)", "display.decimals must be a whole number from 0 to 17, not 2.5"),
])  # fmt: skip
def test_it_is_left_out_and_the_others_stay(facts: str, said: str, install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", facts))
    loaded = registry.load()
    assert {"psnr", "ms-ssim"} <= set(loaded.metrics)
    assert not {"mae", "bpp", "encode-s", "status"} & set(loaded.metrics)
    (failure,) = [plugin.failure for plugin in loaded.plugins if plugin.name == "acme"]
    assert said in str(failure)
    assert "acme.py:" in str(failure)


@pytest.mark.parametrize("facts", ["", "lowest=0", "lowest=0, highest=float('inf')", "display=Display('x', 0, 'db')"])
def test_a_sound_one_is_taken(facts: str, install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", facts))
    assert "mae" in registry.load().metrics
