"""benchbox from Python and notebooks: Axes in the suite's style, curves as a table, and a run that shows itself."""

from __future__ import annotations

import json
import pickle
import re
import shutil
import sys
import types
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pandas as pd
import pytest
from benchbox_reports.analysis import analyse
from benchbox_reports.headline import summary
from benchbox_reports.look import FAMILIES
from matplotlib.figure import Figure

import benchbox
from benchbox import registry
from benchbox.errors import UnknownIdError, UsageError
from benchbox.report import Results
from benchbox.session import Silent, for_python

PLAN = {"name": "shown", "dataset": "samples", "metrics": ["psnr", "ms-ssim"], "codec": [
    {"id": "jpeg", "qualities": [20, 40, 60, 80, 90]}, {"id": "webp", "qualities": [20, 40, 60, 80, 90]}]}
NOTEBOOK = Path(__file__).parents[2] / "docs" / "notebook.ipynb"


@pytest.fixture(scope="module", autouse=True)
def _no_display() -> None:
    mpl.use("agg")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("python") / "runs"


@pytest.fixture(scope="module")
def run(workspace: Path) -> pd.DataFrame:
    return benchbox.run(PLAN, workspace=workspace, reports=[])


def test_plot_draws_into_axes(run: pd.DataFrame, workspace: Path) -> None:
    figure = Figure()
    ax = figure.subplots()
    given = benchbox.plot("shown", "ms-ssim", only=["webp", "jpeg"], ax=ax, workspace=workspace)
    assert given is ax
    legend = ax.get_legend()
    assert legend is not None
    assert [text.get_text() for text in legend.get_texts()] == ["webp", "jpeg"]
    assert ax.get_ylabel() == "MS-SSIM (dB)"
    lines = {str(line.get_label()): line for line in ax.get_lines()}
    assert lines["webp"].get_marker() == FAMILIES["webp"][2]
    means = benchbox.rd_curves(run)
    own = means[(means["label"] == "webp") & (means["metric"] == "ms-ssim")]
    np.testing.assert_allclose(np.asarray(lines["webp"].get_xydata(), float), own[["bpp", "drawn"]].to_numpy())


def test_plot_makes_axes_of_its_own(run: pd.DataFrame) -> None:
    from matplotlib import pyplot

    frame = run[run["quality"] >= 40]
    ax = benchbox.plot(frame, only=["jpeg"])
    assert np.asarray(ax.get_lines()[0].get_xdata()).shape == (4,)
    pyplot.close(ax.figure)  # type: ignore[arg-type]


def test_what_the_run_lacks_is_named(run: pd.DataFrame) -> None:
    with pytest.raises(UnknownIdError, match="not scored by 'vmaf'"):
        benchbox.plot(run, "vmaf")
    with pytest.raises(UnknownIdError, match="no codec of this run is called 'avif'"):
        benchbox.plot(run, only=["avif"])
    with pytest.raises(UnknownIdError, match="no data set 'kodak'"):
        benchbox.plot(run, dataset="kodak")
    two = pd.concat([run, run.assign(dataset="other", run="x")])
    with pytest.raises(UsageError, match="2 data sets"):
        benchbox.plot(two)


def test_a_named_run_is_drawn_as_its_plan_says(run: pd.DataFrame, workspace: Path, tmp_path: Path) -> None:
    look = {"codecs": ["webp", "jpeg"], "labels": {"webp": "Ours"}, "colours": {"webp": "#b60d22"}, "highlight": "webp",
            "metrics": ["psnr"], "ranges": {"psnr": [20, 30]}}
    shutil.copytree(workspace, tmp_path / "runs")
    frame = benchbox.run({**PLAN, "report": look}, workspace=tmp_path / "runs", reports=[])
    for metric, only, expected in (("psnr", (), ["Ours", "jpeg"]), ("ms-ssim", (), ["Ours", "jpeg"]),
                                   ("psnr", "Ours", ["Ours"]), ("psnr", ["jpeg", "webp"], ["jpeg", "Ours"])):
        ax = benchbox.plot("shown", metric, only=only, ax=Figure().subplots(), workspace=tmp_path / "runs")
        lines = {str(line.get_label()): line for line in ax.get_lines()}
        assert list(lines) == expected
        assert lines["Ours"].get_color() == "#b60d22"
        assert lines["Ours"].get_linewidth() > min(line.get_linewidth() for line in lines.values()) or len(lines) == 1
        assert (ax.get_ylim() == (20, 30)) is (metric == "psnr")
    shown = frame._repr_html_()  # type: ignore[operator]
    assert "Ours</th>" in shown
    assert "ms-ssim" not in shown
    plain = benchbox.plot(frame, ax=Figure().subplots())  # a frame has no plan
    assert [line.get_label() for line in plain.get_lines()] == ["jpeg", "webp"]
    with pytest.raises(UnknownIdError, match="called 'Our'; did you mean 'Ours'"):
        benchbox.plot("shown", only="Our", workspace=tmp_path / "runs")


def test_curves_are_the_means(run: pd.DataFrame) -> None:
    table = benchbox.rd_curves(run)
    assert list(table.columns) == ["dataset", "metric", "label", "codec", "quality", "bpp", "mean", "drawn", "n",
                                   "n_missing"]  # fmt: skip
    assert len(table) == 2 * 2 * 5
    row = table[(table["label"] == "jpeg") & (table["quality"] == 60) & (table["metric"] == "ms-ssim")].iloc[0]
    own = run[(run["label"] == "jpeg") & (run["quality"] == 60)]
    assert row["bpp"] == pytest.approx(own["bpp"].mean())
    assert row["mean"] == pytest.approx(own["ms_ssim"].mean())
    assert row["drawn"] == pytest.approx(-10 * np.log10(1 - own["ms_ssim"].mean()))


def test_a_run_shows_itself(run: pd.DataFrame) -> None:
    shown = run._repr_html_()  # type: ignore[operator]
    assert "<svg" in shown
    assert "<table" in shown
    assert type(run[run["label"] == "jpeg"]) is pd.DataFrame
    again = pickle.loads(pickle.dumps(run))
    pd.testing.assert_frame_equal(pd.DataFrame(again), pd.DataFrame(run))


def test_a_run_ranks_as_its_page_does(run: Any) -> None:
    """By one measure and against one anchor, no codec being labelled jpeg."""
    large = run["label"].eq("webp") & run["sample"].eq(run["sample"].iloc[0])
    third = pd.DataFrame(run[run["label"] == "webp"]).assign(label="third")
    third["bpp"] *= np.where(large[third.index], 1.3, 1.0)  # means over pictures and mean curves differ
    frame = pd.concat([run, third], ignore_index=True)
    frame["label"] = frame["label"].astype(str).replace("jpeg", "JPEG")
    shown = type(run).of(frame, run._overview)._repr_html_()
    metrics = [registry.load().metrics[name] for name in ("psnr", "ms-ssim")]
    heads, ((_, rows),) = summary(analyse(Results("shown", frame, metrics, "", {})), {})
    table = shown.partition("<table>")[2].partition("</table>")[0]
    assert "against JPEG on samples, mean over pictures" in table
    assert len(heads) == 2
    read = [re.findall(r"<t[hd][^>]*>(?:<b>)?([^<]*)", row) for row in table.split("<tr>")[2:]]
    assert read == [[label, *(text for text, _ in cells)] for label, cells in rows if label != "JPEG"]
    best = [re.findall(r"<b>([^<]*)", row) for row in table.split("<tr>")[2:]]
    assert best == [[text for text, is_best in cells if is_best] for label, cells in rows if label != "JPEG"]


def test_what_cannot_be_compared_shows_its_rows(run: pd.DataFrame) -> None:
    broken = pickle.loads(pickle.dumps(run))
    broken["quality"] = np.nan
    assert "<table" in broken._repr_html_()
    assert "no codec of this run is lossy" in broken._repr_html_()


def test_a_notebook_gets_a_bar(monkeypatch: pytest.MonkeyPatch) -> None:
    shown: list[Any] = []
    handle = types.SimpleNamespace(update=shown.append)

    def display(thing: Any, display_id: bool) -> Any:
        shown.append(thing)
        return handle

    fake: Any = types.ModuleType("IPython")
    fake.display = types.SimpleNamespace(display=display)
    fake.get_ipython = lambda: types.SimpleNamespace(kernel=object())
    monkeypatch.setitem(sys.modules, "IPython", fake)
    progress = for_python()
    progress.begin(2, "jpeg <b>")
    progress.step("ok")
    progress.step("failed")
    progress.end()
    assert "2 of 2 points, 1 not ok" in shown[-1]._repr_html_()
    assert "jpeg &lt;b&gt;" in shown[0]._repr_html_()
    monkeypatch.delitem(sys.modules, "IPython")
    assert isinstance(for_python(), Silent)


@pytest.mark.slow
def test_the_notebook_in_the_docs_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    names: dict[str, Any] = {}
    cells = json.loads(NOTEBOOK.read_text(encoding="utf-8"))["cells"]
    for cell in cells:
        if cell["cell_type"] == "code":
            exec(compile("".join(cell["source"]), NOTEBOOK.name, "exec"), names)
    assert "<svg" in names["frame"]._repr_html_()
    assert (tmp_path / "psnr.pdf").stat().st_size > 1000
