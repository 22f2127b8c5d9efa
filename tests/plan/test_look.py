"""What a plan's tables ``[report]`` and ``[timing]`` name wrongly is said before anything is measured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from small_runs import plan

import benchbox
from benchbox.errors import UsageError
from benchbox.plugin_file import plugin_files
from benchbox.registry import load as plugins
from benchbox.results import find_run, load_several
from benchbox.store import Workspace

CODECS = ({"id": "jpeg", "qualities": [30, 80]}, {"id": "webp", "qualities": [30, 80], "label": "ours"})
ELSEWHERE = '''
from benchbox.codec import Capabilities, CodecInfo, OptionsModel
from benchbox.hookspecs import hookimpl
from benchbox.reference import Reference


class _Options(OptionsModel):
    speed: int = 4


class _Elsewhere(CodecInfo):
    def identity(self, options):
        return "elsewhere 1"

    def unavailable(self):
        return "its library is missing"


@hookimpl
def benchbox_codecs():
    return [_Elsewhere(id="elsewhere", title="Elsewhere", Options=_Options, capabilities=Capabilities(lossless=True))]


@hookimpl
def benchbox_references():
    points = {"psnr": (28.0, 31.0, 34.0, 38.0)}
    return [Reference("vtm", "VTM", "folder", "means", "a paper", (0.2, 0.5, 1.0, 2.0), points),
            Reference("far", "Far", "kodak", "means", "a paper", (0.2, 0.5, 1.0, 2.0), points)]
'''


@pytest.fixture
def elsewhere(tmp_path: Path) -> str:
    """A plugin file with a codec that is unavailable and two published curves, of which one is on a folder."""
    (tmp_path / "elsewhere.py").write_text(ELSEWHERE, encoding="utf-8")
    return str(tmp_path / "elsewhere.py")


@pytest.mark.parametrize(("table", "said"), [
    ({"codecs": ["jpeg", "our"]}, "report: codecs: no codec of this run is called 'our'; did you mean 'ours'?"),
    ({"highlight": "vvc"}, "report: highlight: no codec of this run is called 'vvc'; take one of jpeg, ours, webp"),
    ({"labels": {"jpg": "JPEG"}}, "report: labels: no codec of this run is called 'jpg'; did you mean 'jpeg'?"),
    ({"labels": {"jpeg": "X", "ours": "X"}}, "report: labels: two codecs would be called 'X'"),
    ({"families": {"wepb": "VP8"}}, "report: families: no codec of this run is called 'wepb'; did you mean 'webp'?"),
    ({"colours": {"oures": "#112233"}}, "report: colours: no codec of this run is called 'oures'; did you mean 'ours'"),
    ({"metrics": ["ssim"]}, "report: metrics: this run is not scored by 'ssim'; take one of psnr"),
    ({"ranges": {"pnsr": [20, 40]}}, "report: ranges: no axis is called 'pnsr'; did you mean 'psnr'?"),
])  # fmt: skip
def test_a_name_that_the_plan_lacks_is_said_first(
    pictures: Path, tmp_path: Path, table: dict[str, Any], said: str
) -> None:
    with pytest.raises(UsageError, match=re.escape(said)):
        benchbox.run(plan(pictures, *CODECS, report=table), workspace=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_a_core_that_is_not_here_is_said_first(pictures: Path, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"timing\.core: there is no core 99999 here; take one of \d"):
        benchbox.run(plan(pictures, *CODECS, timing={"core": 99999}), workspace=tmp_path / "runs")
    assert not (tmp_path / "runs").exists()


def test_what_is_not_here_today_may_be_named(pictures: Path, tmp_path: Path, elsewhere: str) -> None:
    """An optional codec that is left out and a published curve that no flag has asked for are no typos: the table is
    for all reports of the plan, on all machines."""
    absent = {"id": "elsewhere", "optional": True, "options": {"speed": 2}}
    table = {"codecs": ["ours", "vtm", "elsewhere speed=2"], "highlight": "elsewhere", "labels": {"VTM": "VVC"}}
    asked = plan(pictures, *CODECS, absent, plugins=[elsewhere], report=table)
    benchbox.run(asked, workspace=tmp_path / "runs", workers=1, reports=["compressai"])
    place = find_run("t", Workspace.at(tmp_path / "runs"))
    look = load_several([place], plugins()).appearance
    assert (look.codecs, look.highlight, look.labels) == (("ours",), None, {})
    look = load_several([place], plugins(files=plugin_files([elsewhere], tmp_path)), ["vtm"]).appearance
    assert (look.codecs, look.labels) == (("ours", "vtm"), {"VTM": "VVC"})


def test_a_curve_on_another_data_set_is_a_typo(pictures: Path, tmp_path: Path, elsewhere: str) -> None:
    with pytest.raises(UsageError, match="no codec of this run is called 'far'"):
        benchbox.run(plan(pictures, *CODECS, plugins=[elsewhere], report={"codecs": ["far"]}), workspace=tmp_path / "r")
