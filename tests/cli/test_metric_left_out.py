"""Results are not written without a metric's column unless a line says so."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner
from small_runs import plan

import benchbox
from benchbox.cli.main import commands

PLUGIN = """
from benchbox import hookimpl
from benchbox.metric import Display, Metric, Prepared, Scorer

class One(Prepared):
    def score(self, image): return 1.0

class Scores(Scorer):
    def prepare(self, reference): return One()

class Mine(Metric):
    def open(self, device): return Scores()

@hookimpl
def benchbox_metrics():
    return [Mine(id="mine", title="Mine", version="1", unit="", better="higher", display=Display("Mine"))]
"""


def test_a_metric_whose_plugin_is_not_named_is_left_out_in_words(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "my_metric.py").write_text(PLUGIN)
    mine, runs, table = str(tmp_path / "my_metric.py"), str(tmp_path / "runs"), tmp_path / "a.csv"
    asked = plan(pictures, {"id": "jpeg", "qualities": [50]}, metrics=["psnr", "mine"], plugins=[mine])
    benchbox.run(asked, workspace=runs)
    words = ["export", "t", "--output", str(table), "--workspace", runs]
    done = CliRunner().invoke(commands, words)
    assert "left out: mine, which no plugin here offers" in done.output
    assert ",mine" not in table.read_text().splitlines()[0]
    done = CliRunner().invoke(commands, [*words, "--plugin", mine])
    assert "left out" not in done.output
    assert ",mine" in table.read_text().splitlines()[0]
    with pytest.warns(UserWarning, match="^t: left out: mine, which no plugin here offers.*BENCHBOX_PLUGINS$"):
        frame = benchbox.load("t", runs)
    assert "mine" not in frame
    monkeypatch.setenv("BENCHBOX_PLUGINS", mine)
    assert set(benchbox.load("t", runs)["mine"]) == {1.0}  # and no warning, which would be an error
