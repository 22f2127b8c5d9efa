"""A report writes into its own folder; whatever else it writes to or removes stays as it was, and costs that report."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from installed_plugins import Install

from benchbox import registry
from benchbox.errors import PluginError
from benchbox.results import find_run, load_results, write_reports
from benchbox.store import Workspace

GOLDEN = Path(__file__).parents[1] / "golden"

SOURCE = """
import os, shutil, tempfile
from pathlib import Path
from benchbox import Report, hookimpl

class Does(Report):
    def render(self, results, options, out):
        place = Path(os.environ["PLACE"])
        exec(os.environ["DOES"], {**globals(), "results": results, "out": out, "place": place})
        (out / "does").write_text("done")
        return [out / "does"]

class After(Report):
    def render(self, results, options, out):
        (out / "after").write_text(os.getcwd())
        shown = [getattr(results, name) for name in ("metrics", "references", "codec_settings", "dataset_notes",
                                                     "environment", "left_out", "plan", "name")]
        (out / "shown").write_text("%r %s" % (shown, results.frame.to_csv()))
        return [out / "after", out / "shown"]

@hookimpl
def benchbox_reports(): return [Does(id="does", title="Does"), After(id="after", title="After")]
"""


def held(folder: Path) -> dict[str, bytes]:
    return {str(path.relative_to(folder)): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


@pytest.fixture
def place(tmp_path: Path, install: Install, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with the workspace ``runs`` that has the run ``past`` with a page, and a file of the user's."""
    install("acme", SOURCE)
    folder = tmp_path / "place"
    shutil.copytree(GOLDEN / "workspace-1", folder / "runs")
    (folder / "runs" / "past" / "report").mkdir()
    (folder / "runs" / "past" / "report" / "index.html").write_text("a page")
    (folder / "mine.txt").write_text("mine")
    monkeypatch.setenv("PLACE", str(folder))
    monkeypatch.chdir(folder)
    return folder


def write(does: str, monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    monkeypatch.setenv("DOES", does)
    loaded = registry.load()
    results = load_results(find_run("past", Workspace.at(Path("runs"))), loaded)
    return write_reports(results, [loaded.report("does"), loaded.report("after")], Path("runs", "past", "report"))


@pytest.mark.parametrize("does", [
    "(place / 'new.txt').write_text('x')",
    "(place / 'mine.txt').open('a').write('x')",
    "os.close(os.open(place / 'mine.txt', os.O_WRONLY | os.O_TRUNC))",
    "os.truncate(place / 'mine.txt', 0)",
    "Path('mine.txt').write_text('x')",
    "(out.parent / 'index.html').write_text('x')",
    "(out.parent.parent / 'index.html').write_text('x')",
    "(out.parent.parent.parent / 'index.html').write_text('x')",
    "(out.parent.parent.parent.parent / 'settings.json').write_text('x')",
    "(out / '..' / '..' / '..' / 'index.html').write_text('x')",
    "(out / 'link').symlink_to(place); (out / 'link' / 'new.txt').write_text('x')",
    "(out / 'link').symlink_to(place / 'mine.txt'); (out / 'link').write_text('x')",
    "os.chdir(place); Path('new.txt').write_text('x')",
    "os.remove(place / 'runs' / 'store.sqlite')",
    "os.replace(place / 'mine.txt', out / 'taken.txt')",
    "(out / 'a').write_text('x'); os.replace(out / 'a', place / 'runs' / 'past' / 'plan.toml')",
    "(out / 'a').write_text('x'); os.link(out / 'a', place / 'new.txt')",
    "(out / 'a').write_text('x'); shutil.copy(out / 'a', place / 'mine.txt')",
    "shutil.rmtree(place / 'runs')",
    "shutil.rmtree(out.parent.parent.parent)",
    "(place / 'folder').mkdir()",
    "import pyarrow; pyarrow.parquet.write_table(pyarrow.table({'a': [1]}), out.parent.parent / 'index.html')",
    "import pyarrow; pyarrow.parquet.write_table(pyarrow.table({'a': [1]}), out.parent / 'index.html')",
    "open('/nowhere/at/all')",
])  # fmt: skip
def test_what_is_not_its_own_stays(does: str, place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = held(place)
    with pytest.raises(PluginError, match=r"^report does \(plugin acme\): render .*; written all the same: .*after$"):
        write(f"import pyarrow.parquet; {does}", monkeypatch)
    after = held(place)
    assert after.pop("runs/past/report/shown")
    assert after == {**before, "runs/past/report/after": str(place).encode()}


@pytest.mark.parametrize("does", [
    "(out / 'a').write_text('x'); os.replace(out / 'a', out / 'b'); os.remove(out / 'b')",
    "(out / 'a' / 'b').mkdir(parents=True); shutil.rmtree(out / 'a')",
    "(place / 'mine.txt').read_text(); open('/dev/null', 'w').close()",
    "tempfile.NamedTemporaryFile().write(b'x'); tempfile.mkdtemp()",
    "folder = tempfile.TemporaryDirectory(); Path(folder.name, 'a').write_text('x'); folder.cleanup()",
    "(Path.home() / '.cache' / 'acme').mkdir(parents=True); (Path.home() / '.cache' / 'acme' / 'a').write_text('x')",
    "os.chdir(out); Path('a').write_text('x')",
    "os.chdir('/')",
])  # fmt: skip
def test_its_own_temporary_and_cached_files_are_written(
    does: str, place: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "home").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path / "home"))
    assert write(does, monkeypatch) == [Path("runs/past/report", name) for name in ("does", "after", "shown")]
    assert Path("runs/past/report/after").read_text() == str(place)


def test_files_of_a_run_in_a_folder_called_cache_are_kept(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (place / "runs").rename(place / "cache")
    (place / "runs").symlink_to("cache")
    with pytest.raises(PluginError, match=r"PermissionError: .* a report writes only into the folder that it was giv"):
        write("(place / 'cache' / 'past' / 'plan.toml').write_text('x')", monkeypatch)


CHANGES = """
def emptied(it):
    for inner in list(it.values()) if isinstance(it, dict) else list(it) if isinstance(it, list) else []:
        emptied(inner)
    if isinstance(it, dict | list): it.clear()
for name in ("metrics", "references", "codec_settings", "dataset_notes", "environment", "left_out"):
    emptied(getattr(results, name))
results.frame.loc[:, "psnr"] = 1.0
results.frame.insert(0, "new", 1)
del results.frame["bpp"]
"""


def test_the_next_report_sees_no_change_of_the_results(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOES", "")
    loaded = registry.load()
    results = load_results(find_run("past", Workspace.at(Path("runs"))), loaded)
    shown = []
    for does in ("", CHANGES):
        monkeypatch.setenv("DOES", does)
        write_reports(results, [loaded.report("does"), loaded.report("after")], Path("out"))
        shown.append(Path("out", "shown").read_text())
    assert shown[0] == shown[1]


def test_afterwards_everything_may_be_written(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    write("", monkeypatch)
    (place / "mine.txt").write_text("again")
