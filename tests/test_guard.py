"""A plugin at fault costs its own line, its own report, its own run: by name, place and remedy, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest
from installed_plugins import Install
from small_runs import plan

import benchbox
from benchbox import guard
from benchbox.errors import PluginError, one_line

CODEC = """
import sys
from dataclasses import dataclass
from typing import Literal
from pydantic import Field
from benchbox import Capabilities, CodecInfo, OptionsModel, QualityAxis, hookimpl

class Needs(OptionsModel):
    model: str

class Info(CodecInfo):
    def identity(self, options): return {identity}
    def axis(self, options): {axis}
    def unavailable(self): {unavailable}
    def open(self, options, device): raise NotImplementedError

@hookimpl
def benchbox_codecs(): return [Info(id="faulty", title={title}{more})]
"""
SOUND = {"identity": "'faulty 1'", "axis": "return QualityAxis('q', (1, 2), 0, 9)", "unavailable": "return None",
         "title": "'Faulty'", "more": ""}  # fmt: skip


def command(*words: str, folder: Path) -> subprocess.CompletedProcess[str]:
    """The command line in a process of its own, which sees the plugins that `install` put on the path."""
    script = f"import sys; sys.path[:0] = {sys.path!r}; from benchbox.cli.main import main; main()"
    whole = [sys.executable, "-c", script, *words]
    return subprocess.run(whole, cwd=folder, capture_output=True, text=True, check=False)


@pytest.mark.parametrize(("change", "words"), [
    ({"axis": "1 / 0"}, "at fault: faulty (plugin acme): axis raised ZeroDivisionError: division by zero (acme.py:13)"),
    ({"axis": "sys.exit(3)"}, "at fault: faulty (plugin acme): axis raised SystemExit: 3 (acme.py:13)"),
    ({"unavailable": "raise OSError('no\\ndisk')"}, "unavailable raised OSError: no disk (acme.py:14)"),
    ({"unavailable": "raise ValueError('x' * 50_000_000)"}, "unavailable raised ValueError: xxx"),
    ({"more": ", Options=Needs"}, "available; needs the option model"),
    ({"title": "'two\\nlines\\x00\\udc80'"}, "two lines ?"),
], ids=["axis", "axis-exit", "unavailable", "huge", "option", "title"])  # fmt: skip
@pytest.mark.parametrize("listed", ["list", "doctor"])
def test_a_codec_at_fault_costs_its_own_line(
    listed: str, change: dict[str, str], words: str, install: Install, tmp_path: Path
) -> None:
    install("acme", CODEC.format(**SOUND | change))
    done = command(listed, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("faulty ")]
    assert words in line
    assert len(line) < 700
    assert "jpeg " in done.stdout
    assert "avif " in done.stdout


@pytest.mark.parametrize(("change", "words"), [
    ({"identity": "1 / 0"}, "faulty (plugin acme): identity raised ZeroDivisionError: division by zero (acme.py:12)"),
    ({"identity": "None"}, "got None; return plugin and library versions (acme.py:12)"),
    ({"axis": "return [1, 2]"}, "axis gave a list; it must give a QualityAxis or None (acme.py:13)"),
    ({"more": ", Options=Needs"}, "faulty: option model"),
], ids=["identity", "identity-none", "axis-list", "option"])  # fmt: skip
def test_a_run_with_a_codec_at_fault_names_it_in_one_line(
    change: dict[str, str], words: str, install: Install, tmp_path: Path
) -> None:
    install("acme", CODEC.format(**SOUND | change))
    done = command("run", "--codec", "jpeg@50", "--codec", "faulty", folder=tmp_path)
    assert done.returncode in (1, 2)
    assert len(done.stderr.splitlines()) == 1
    assert words in done.stderr


REPORT = """
from pathlib import Path
from benchbox import Report, hookimpl

class Faulty(Report):
    def render(self, results, options, out):
        {deed}

class Sound(Report):
    def render(self, results, options, out):
        (out / "sound.txt").write_text(str(results.frame["bpp"].min()))
        return [out / "sound.txt"]

@hookimpl
def benchbox_reports(): return [Faulty(id="faulty", title="Faulty"), Sound(id="sound", title="Sound")]
"""


@pytest.mark.parametrize(("deed", "words"), [
    ("1 / 0", "report faulty (plugin acme): render raised ZeroDivisionError: division by zero (acme.py:7)"),
    ("return None", "report faulty (plugin acme): render gave NoneType; it must give a list of paths (acme.py:6)"),
    ("return [out / 'nothing.txt']", "which is no file below"),
    ("(out / 'x').symlink_to('x'); return [out / 'x']", "which is no file below"),
    ("return [out.parent]", "which is no file below"),
    ("(out.parent / 'x.txt').write_text(''); (out / 'y').touch(); return [out / 'y']", "writes only into the folder"),
    ("results.frame['bpp'] = -1.0; return []", ""),
], ids=["raises", "none", "absent", "loop", "elsewhere", "stray", "spoils"])  # fmt: skip
def test_a_report_at_fault_costs_itself(
    deed: str, words: str, install: Install, pictures: Path, tmp_path: Path
) -> None:
    install("acme", REPORT.format(deed=deed))
    asked = plan(pictures, {"id": "jpeg", "qualities": [50]})
    if words:
        with pytest.raises(PluginError) as caught:
            benchbox.run(asked, workspace=tmp_path / "runs", reports=["faulty", "sound"])
        assert words in str(caught.value)
        assert "written all the same: " in str(caught.value)
    else:
        frame = benchbox.run(asked, workspace=tmp_path / "runs", reports=["faulty", "sound"])
        assert (frame["bpp"] > 0).all()
    assert float((tmp_path / "runs" / "t" / "report" / "sound.txt").read_text()) > 0
    assert len(benchbox.load("t", tmp_path / "runs")) == 3


OTHERS = """
import os
from benchbox import Display, Metric, Report, hookimpl
from benchbox.dataset import DatasetInfo

class Scale(Metric):
    def open(self, device): raise OSError
    def unavailable(self): os._exit(0)

class Pictures(DatasetInfo):
    def open(self, argument): raise OSError
    def missing(self): os._exit(0)

class Page(Report):
    def render(self, results, options, out): return []

@hookimpl
def benchbox_metrics(): return [Scale("faulty", "Faulty", "1", "", "lower", Display("f"))]
@hookimpl
def benchbox_datasets(): return [Pictures(id="faulty", title="Faulty")]
@hookimpl
def benchbox_reports(): return [Page(id="faulty", title="two\\nlines\\x00\\udc80")]
"""


@pytest.mark.parametrize(("kind", "words"), [
    ("metrics", "at fault: faulty (plugin acme): unavailable raised SystemExit: os._exit(0) (acme.py:8)"),
    ("datasets", "at fault: faulty (plugin acme): missing raised SystemExit: os._exit(0) (acme.py:12)"),
    ("reports", "two lines ?"),
])  # fmt: skip
def test_what_is_listed_survives_any_plugin(kind: str, words: str, install: Install, tmp_path: Path) -> None:
    install("acme", OTHERS)
    done = command("list", kind, folder=tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    (line,) = [line for line in done.stdout.splitlines() if line.startswith("faulty ")]
    assert words in line
    assert done.stdout.replace("\n", "").isprintable()


def test_text_of_others_becomes_one_line() -> None:
    class WorstError(Exception):
        def __str__(self) -> str:
            raise RuntimeError("no words")

    assert one_line("a\nb\x00\x1b[31mc\udc80") == "a b [31mc?"
    assert one_line("x" * 50_000_000, 20) == "x" * 19 + "…"
    assert one_line(WorstError()) == "WorstError without a readable message"


def test_a_call_that_changes_the_folder_leaves_it_to_others(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A report or data set that changes the folder would move the workspace of the run, which is relative to it."""
    monkeypatch.chdir(tmp_path)
    for call in (guard.answered, guard.worked):
        call(os.chdir, "/")
        assert Path.cwd() == tmp_path
        with pytest.raises(PluginError, match="gone"):
            call(leaves_and_raises)
        assert Path.cwd() == tmp_path


def leaves_and_raises() -> None:
    os.chdir("/")
    raise ValueError("gone")
