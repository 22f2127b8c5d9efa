"""A codec whose plugin changed while its identity did not: the run and its report say so, and --fresh measures anew."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import tomli_w
from click.testing import CliRunner
from installed_plugins import Install
from plugin_files import TOY
from small_runs import go, measured, plan
from stored import stored_results

import benchbox
from benchbox import registry
from benchbox.cli import report, run  # noqa: F401  (each adds its commands)
from benchbox.cli.group import commands
from benchbox.fork_server import ForkServer
from benchbox.plan import make_plan, resolve
from benchbox.session import Silent, Summary, execute, local_executor
from benchbox.store import Workspace

SAID = "toy changed since 6 of its points were measured; --fresh measures them again"


class Spoken(Silent):
    """Keeps the lines that a run says."""

    def __init__(self) -> None:
        self.lines: list[str] = []

    def say(self, message: str) -> None:
        self.lines.append(message)


def again(tmp_path: Path, asked: dict[str, Any], fresh: bool = False) -> tuple[Summary, list[str]]:
    plugins, place, spoken = registry.load(), Workspace.at(tmp_path / "runs"), Spoken()
    resolved = resolve(make_plan(asked, "plan"), plugins, tmp_path)
    with ForkServer() as server:
        executor = local_executor(resolved.plan, place, 1, server)
        return execute(resolved.fresh() if fresh else resolved, plugins, place, executor, spoken), spoken.lines


def test_a_run_says_that_its_codec_changed(tmp_path: Path, pictures: Path, install: Install) -> None:
    install("acme-toy", TOY)
    asked = plan(pictures, {"id": "toy", "qualities": [2]})
    first = go(tmp_path, asked, workers=1)
    kept = measured(tmp_path)
    (tmp_path / "acme-toy" / "acme_toy.py").write_text(TOY.replace(", 9)", ", 1)"), encoding="utf-8")
    summary, lines = again(tmp_path, asked)
    assert SAID.replace("6 of", f"{len(first)} of") in lines
    assert (summary.measured, measured(tmp_path)) == (0, kept)
    note = stored_results("t", tmp_path / "runs").codec_settings["toy"]["note"]
    assert note.startswith(f"its plugin changed since {len(first)} of its points were measured, under the same ident")


@pytest.mark.slow
@pytest.mark.parametrize("more", [{}, {"match": ["bpp=2"]}, {"timing": {"repeats": 1}}], ids=["", "matched", "timed"])
def test_it_is_said_and_measured_again_when_asked(
    more: dict[str, Any], tmp_path: Path, pictures: Path, install: Install
) -> None:
    install("acme-toy", TOY)
    asked = plan(pictures, {"id": "toy"} | ({} if "match" in more else {"qualities": [2, 5]}), **more)
    first = go(tmp_path, asked, workers=1)
    assert first["source_sha256"].notna().all()
    assert first["source_sha256"].nunique() == 1
    assert "note" not in stored_results("t", tmp_path / "runs").codec_settings["toy"]
    kept = measured(tmp_path)
    (tmp_path / "acme-toy" / "acme_toy.py").write_text(TOY.replace(", 9)", ", 1)"), encoding="utf-8")

    summary, lines = again(tmp_path, asked)
    said = SAID.replace("6 of", f"{len(first)} of")
    assert said in lines
    assert summary.measured == 0
    assert measured(tmp_path) == kept
    note = stored_results("t", tmp_path / "runs").codec_settings["toy"]["note"]
    assert note.startswith(f"its plugin changed since {len(first)} of its points were measured, under the same ident")

    summary, lines = again(tmp_path, asked, fresh=True)
    assert not [line for line in lines if "--fresh" in line]
    assert "what t was stays as t~1" in lines
    second = benchbox.load("t", tmp_path / "runs")
    if "match" not in more:  # other bytes lie nearest at other qualities
        assert set(second["key"]) == set(first["key"])
        assert (second["bytes"] > first["bytes"]).all()
    assert set(second["source_sha256"]).isdisjoint(first["source_sha256"])
    assert second["encode_s"].notna().all()
    if "timing" in more:
        assert summary.timed == len(first)  # times of the other source do not count
    assert not [line for line in again(tmp_path, asked)[1] if "changed since" in line]
    assert "note" not in stored_results("t", tmp_path / "runs").codec_settings["toy"]


def test_a_dry_run_counts_what_fresh_would_measure(tmp_path: Path, pictures: Path, install: Install) -> None:
    install("acme-toy", TOY)
    asked = plan(pictures, {"id": "toy", "qualities": [2, 5]})
    go(tmp_path, asked)
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(asked), encoding="utf-8")
    (tmp_path / "acme-toy" / "acme_toy.py").write_text(TOY + "\n", encoding="utf-8")
    for flags, expected in (([], "t: 0 of 6 points"), (["--fresh"], "t: 6 of 6 points")):
        command = ["run", str(tmp_path / "plan.toml"), "--dry-run", "--workspace", str(tmp_path / "runs"), *flags]
        assert expected in CliRunner().invoke(commands, command, catch_exceptions=False).output


def test_the_page_prints_the_note(tmp_path: Path, pictures: Path, install: Install) -> None:
    install("acme-toy", TOY)
    go(tmp_path, plan(pictures, {"id": "toy", "qualities": [2, 5]}))
    (tmp_path / "acme-toy" / "acme_toy.py").write_text(TOY + "\n", encoding="utf-8")
    command = ["report", "t", "--workspace", str(tmp_path / "runs"), "--format", "page", "--output", str(tmp_path)]
    CliRunner().invoke(commands, command, catch_exceptions=False)
    assert "its plugin changed since 6 of its points were measured" in (tmp_path / "index.html").read_text("utf-8")
