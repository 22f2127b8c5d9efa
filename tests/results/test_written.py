"""Reports, exports and published folders are whole or absent, and never replace what they are made from."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner
from installed_plugins import Install

import benchbox
from benchbox import registry
from benchbox.cli import report  # noqa: F401  (adds the commands)
from benchbox.cli.main import commands
from benchbox.errors import StoreError, UsageError
from benchbox.files import whole_file, whole_folder
from benchbox.report import to_csv
from benchbox.results import find_run, load_results, publish, write_reports
from benchbox.store import Workspace

GOLDEN = Path(__file__).parents[1] / "golden"


def call(*arguments: object) -> str:
    return CliRunner().invoke(commands, [str(a) for a in arguments], catch_exceptions=False).output


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    """A workspace with the run ``past``."""
    return Path(shutil.copytree(GOLDEN / "workspace-1", tmp_path / "runs"))


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 KiB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24k", "tmpfs", str(disk)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True, check=False).returncode != 0:
        pytest.skip("mounting is not permitted here")
    yield disk
    subprocess.run(["umount", "-l", str(disk)], check=True)


def everything(folder: Path) -> list[str]:
    return sorted(str(path.relative_to(folder)) for path in folder.rglob("*"))


@pytest.mark.parametrize(
    "arguments",
    [("report", "past", "--output"), ("publish", "past", "--output"), ("report", "past", "--format", "tables",
     "--output"), ("export", "past", "--output"), ("export", "past", "--format", "parquet", "--output")],
    ids=lambda arguments: " ".join(arguments[:-1]),
)  # fmt: skip
def test_on_a_full_disk_there_is_nothing(arguments: tuple[str, ...], small_disk: Path, workspace: Path) -> None:
    (small_disk / "full").write_bytes(bytes(18_000))
    (small_disk / "out").write_text("before") if arguments[0] == "export" else None
    before = everything(small_disk)
    with pytest.raises(StoreError, match=r"disk/out.*cannot be written: .*No space left on device.*; make room"):
        call(*arguments, small_disk / "out", "--workspace", workspace)
    assert everything(small_disk) == before


def test_a_report_again_replaces_the_first_and_keeps_other_pages(workspace: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "visual.html").write_text("mine")
    assert f"report: {out / 'index.html'}" in call("report", "past", "--output", out, "--workspace", workspace)
    first = everything(out)
    call("report", "past", "--output", out, "--workspace", workspace)
    assert everything(out) == first
    assert (out / "visual.html").read_text() == "mine"
    assert "visual.html" in (out / "index.html").read_text(encoding="utf-8")


def write_half(path: Path) -> None:
    path.write_text("after")
    raise ZeroDivisionError


def test_a_block_that_fails_leaves_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("before")
    with pytest.raises(ZeroDivisionError), whole_file(tmp_path / "file") as part:
        write_half(part)
    for folder in (tmp_path, tmp_path / "a" / "b"):
        with pytest.raises(ZeroDivisionError), whole_folder(folder) as part:
            write_half(part / "file")
    assert everything(tmp_path) == ["file"]
    assert (tmp_path / "file").read_text() == "before"
    with pytest.raises(StoreError, match="is a file; choose another"), whole_folder(tmp_path / "file"):
        pass


def test_a_link_stays_a_link_and_a_pipe_is_written(tmp_path: Path) -> None:
    (tmp_path / "link").symlink_to(tmp_path / "target")
    with whole_file(tmp_path / "link") as part:
        part.write_text("through")
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "target").read_text() == "through"
    with whole_file(Path("/dev/null")) as part:
        part.write_text("nowhere")
    assert not Path("/dev/null").is_file()


@pytest.mark.parametrize("where", ["past", "other", ".", "streams", "spool"])
def test_a_workspace_is_not_published_onto_itself(where: str, workspace: Path, tmp_path: Path) -> None:
    shutil.copytree(workspace / "past", workspace / "other")
    (tmp_path / "link").symlink_to(workspace)
    before = everything(workspace)
    with pytest.raises(UsageError, match="belongs to the workspace; choose another --output"):
        publish(find_run("past", Workspace.at(workspace)), registry.load(), tmp_path / "link" / where)
    assert everything(workspace) == before


def test_a_published_folder_is_not_written_onto_itself(tmp_path: Path) -> None:
    folder = Path(shutil.copytree(GOLDEN / "published-1", tmp_path / "pub"))
    os.link(folder / "results.parquet", tmp_path / "hard")
    with pytest.raises(UsageError, match="belongs to"):
        publish(find_run(folder, Workspace.at(tmp_path)), registry.load(), tmp_path / "." / "pub")
    for output in (folder / "results.parquet", folder / "plan.toml", tmp_path / "hard"):
        with pytest.raises(UsageError, match="the results are read from this file"):
            call("export", folder, "--output", output)
    assert len(benchbox.load(folder)) == 36


@pytest.mark.parametrize("text", ["=1+1", "+cmd|' /C calc'!A0", "-2+3", "@SUM(A1)", "\t=1", "\r=1", "=a,b"])
def test_a_cell_that_a_spreadsheet_would_run_is_text(text: str, tmp_path: Path) -> None:
    frame = pd.DataFrame({"label": pd.Categorical([text, "jpeg"]), "reason": pd.array([text, None], "string"),
                          "value": [-1.5, 2.0], "text": ["-1.5", "+2"], "yes": [True, False]})
    (tmp_path / "t.csv").write_text(to_csv(frame), newline="")
    found = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    shown = "'" + text.replace("\r", " ")
    assert list(found["label"]) == [shown, "jpeg"]
    assert list(found["reason"]) == [shown, ""]
    assert list(found["value"]) == ["-1.5", "2.0"]
    assert list(found["text"]) == ["-1.5", "+2"]
    assert list(found["yes"]) == ["True", "False"]


def test_cells_of_lists_and_dicts_are_written_as_python_shows_them(tmp_path: Path) -> None:
    frame = pd.DataFrame({"list": [["=a", 1], None, "=b"], "dict": [{"a": "=1"}, {}, None],
                          "tuple": [("=a",), (), ([],)]})  # fmt: skip
    (tmp_path / "t.csv").write_text(to_csv(frame), newline="")
    found = pd.read_csv(tmp_path / "t.csv", dtype=str, keep_default_na=False)
    assert list(found["list"]) == ["['=a', 1]", "", "'=b"]
    assert list(found["dict"]) == ["{'a': '=1'}", "{}", ""]
    assert list(found["tuple"]) == ["('=a',)", "()", "([],)"]


NAMES = """
import os
from pathlib import Path
from benchbox import Report, hookimpl

class Names(Report):
    def render(self, results, options, out):
        (out / "in").mkdir()
        for name in ("resolved", "relative", "climbing", "in/plain"):
            (out / name).write_text(name)
        (out / "link").symlink_to("resolved")
        return [out.resolve() / "resolved", Path(os.path.relpath(out / "relative")), out / "in" / ".." / "climbing",
                out / "in" / "plain", out / "link"]

@hookimpl
def benchbox_reports(): return [Names(id="names", title="Names")]
"""


@pytest.mark.parametrize("output", ["out", "link/out", "link/../runs/out"])
def test_a_report_may_name_its_files_by_any_path(
    output: str, install: Install, workspace: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    install("acme", NAMES)
    (tmp_path / "link").symlink_to(workspace)
    monkeypatch.chdir(tmp_path)
    results = load_results(find_run("past", Workspace.at(tmp_path / "link")), registry.load())
    files = write_reports(results, [registry.load().report("names")], Path(output))
    names = ["resolved", "relative", "climbing", "in/plain", "link"]
    assert files == [Path(output, name) for name in names]
    assert [file.read_text() for file in files] == [*names[:-1], "resolved"]
