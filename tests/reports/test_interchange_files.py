"""Files for other tools: plain names inside their folder, no path of this machine, one line where there is nothing."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from urllib.parse import quote

import pandas as pd
import pytest
from benchbox_interchange.files import safe_names
from hypothesis import given
from hypothesis import strategies as st
from stored import stored_results, write_reports
from trading import SCRIPT, changed, make, strictly

from benchbox import registry
from benchbox.errors import BenchboxError, OptionError
from benchbox.report import Results


@pytest.fixture
def workspace(trade: Path) -> Path:
    return trade


@pytest.fixture
def results(traded: Results) -> Results:
    return traded


@pytest.mark.parametrize("kind", ["compressai", "codec-compare"])
def test_files_for_others_do_not_tell_our_folders(results: Results, workspace: Path, tmp_path: Path, kind: str) -> None:
    for file in make(kind, results, tmp_path):
        assert str(workspace.parent) not in file.read_text()
        assert "pictures" in str(file.relative_to(tmp_path))


def test_nothing_to_write_is_one_line(results: Results, tmp_path: Path) -> None:
    failed = changed(results, status=lambda frame: pd.Categorical(["failed"] * len(frame)))
    lossless = dataclasses.replace(results, frame=results.frame[results.frame["label"] == "png"])
    for run, kind in ((failed, "compressai"), (lossless, "compressai"), (failed, "codec-compare")):
        with pytest.raises(BenchboxError, match="run trade has nothing for"):
            make(kind, run, tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("kind", ["compressai", "codec-compare"])
def test_names_never_leave_the_folder(results: Results, tmp_path: Path, kind: str) -> None:
    labels = {"jpeg": f"../../{SCRIPT}", "webp method=2": "../../script-alert-1-script", "png": 'a"/../b${name}'}
    hostile = changed(results, label=lambda frame: frame["label"].map(labels).astype("category"),
                      dataset=pd.Categorical(["../../" + SCRIPT] * len(results.frame)),
                      sample=lambda frame: "../" + frame["sample"].astype(str) + SCRIPT)  # fmt: skip
    out = tmp_path / "in" / "here"
    out.mkdir(parents=True)
    files = make(kind, hostile, out)
    assert set(tmp_path.rglob("*.json")) == set(files)
    assert len({file.resolve() for file in files}) == len(files)
    for file in files:
        assert file.resolve().is_relative_to(out)
        assert quote(file.name) == file.name
    read = [strictly(file) for file in files]
    names = [d["name"] if kind == "compressai" else d["constant_values"][0] for d in read if isinstance(d, dict)]
    assert set(names) == {*labels.values()} - ({labels["png"]} if kind == "compressai" else set())


def test_an_option_that_a_report_does_not_take_is_one_line(workspace: Path, tmp_path: Path) -> None:
    known = registry.load()
    expected = {"compressai": "unknown option 'anchr'; it takes no options", "tables": "'anchr'; did you mean 'anchor'"}
    for kinds in (["compressai"], ["tables", "compressai"]):
        line = f"{kinds[0]}: .*{expected[kinds[0]]}"
        with pytest.raises(OptionError, match=line):
            write_reports(stored_results("trade", workspace, known), known, kinds, tmp_path, {"anchr": "jpeg"})
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text(), unique=True, max_size=8))
def test_file_names_are_plain_and_all_different(texts: list[str]) -> None:
    names = safe_names(texts)
    assert list(names) == texts
    assert len(set(names.values())) == len(texts)
    assert all(name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names.values())
