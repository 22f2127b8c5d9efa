"""What a folder data set passes over is counted and said; what benchbox wrote there is never taken for pictures."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from benchbox_datasets.describe import describe
from benchbox_datasets.folder import FolderInfo
from click.testing import CliRunner
from dataset_server import png
from PIL import Image as PillowImage
from small_runs import plan

import benchbox
from benchbox.cli import main  # noqa: F401  (its imports add the commands)
from benchbox.cli.main import commands
from benchbox.dataset import written_by_benchbox
from benchbox.errors import DatasetError

JPEG = {"id": "jpeg", "qualities": [30, 50, 70, 90]}


def ids(folder: Path) -> list[str]:
    return [sample.id for sample in FolderInfo().open(str(folder)).samples]


@pytest.mark.parametrize("inner", ["io", "."])
def test_a_workspace_in_the_folder_of_its_pictures(inner: str, pictures: Path) -> None:
    """The figures of a run are no pictures of the next, also where the folder itself is the workspace."""
    for _ in range(2):
        frame = benchbox.run(plan(pictures, JPEG), workspace=pictures / inner, workers=2, reports=["figures"])
        assert len(frame) == 3 * 4
    assert len([path for path in pictures.rglob("*.png") if path.parent != pictures]) >= 2


@pytest.mark.slow
def test_what_benchbox_wrote_into_the_folder_is_no_picture(pictures: Path) -> None:
    """Workspace, run, report, publication, wherever below the folder they lie."""
    mine = ["0.png", "1.png", "2.png"]
    for workspace in (pictures / "io", pictures):
        benchbox.run(plan(pictures, JPEG), workspace=workspace, workers=2)
    made = {
        "report": ["report", "t", "--format", "page", "--output", str(pictures / "a" / "page")],
        "figures": ["report", "t", "--format", "figures", "--output", str(pictures)],
        "visual": ["report", "t", "--format", "visual", "--output", str(pictures)],
        "publication": ["publish", "t", "--output", str(pictures / "given")],
    }
    for command in made.values():
        result = CliRunner().invoke(commands, [*command, "--workspace", str(pictures / "io")])
        assert result.exit_code == 0, result.output
    assert len([path for path in pictures.rglob("*.png") if path.parent != pictures]) >= 5
    assert ids(pictures) == mine
    said = "\n".join(FolderInfo().open(str(pictures)).notes)
    for what in ("io (a workspace", "t (a run", "a/page (a report", "given (a run", "figures (figures",
                 "visual (a report"):
        assert f"passed over: {what} of benchbox)" in said
    assert describe(pictures).startswith("# passed over: ")
    assert [entry["file"] for entry in tomllib.loads(describe(pictures))["files"]] == mine


def test_a_folder_of_figures_that_is_named_is_taken(tmp_path: Path) -> None:
    """Only what lies below the named folder is passed over."""
    (tmp_path / "figures").mkdir()
    (tmp_path / "figures" / "captions.md").write_text("# Captions\n")
    (tmp_path / "figures" / "a.png").write_bytes(png(1))
    assert written_by_benchbox(tmp_path / "figures") == "figures of benchbox"
    assert ids(tmp_path / "figures") == ["a.png"]
    with pytest.raises(DatasetError, match=r"no pictures \(passed over: figures \(figures of benchbox\)\): put some"):
        ids(tmp_path)


@pytest.mark.parametrize(("files", "kind"), [
    (["store.sqlite"], "a workspace"), (["lock", "streams"], "a workspace"), (["results.parquet", "settings.json"],
    "a published run"), (["plan.toml", "settings.json", "environment.json"], "a run"),
])  # fmt: skip
def test_each_mark_of_a_folder_of_ours(files: list[str], kind: str, tmp_path: Path) -> None:
    folder = tmp_path / "made"
    folder.mkdir()
    for name in files:
        (folder / name).touch()
    (folder / "a.png").write_bytes(png(1))
    assert written_by_benchbox(folder) == f"{kind} of benchbox"
    with pytest.raises(DatasetError, match=rf"no pictures \(passed over: made \({kind} of benchbox\)\)"):
        ids(tmp_path)


@pytest.mark.parametrize("files", [
    ["settings.json"], ["index.html"], ["lock"], ["streams"], ["plan.toml", "settings.json"],
])
def test_folders_of_others_are_searched(files: list[str], tmp_path: Path) -> None:
    folder = tmp_path / "visual"
    folder.mkdir()
    for name in files:
        (folder / name).write_text("<title>mine</title>")
    (folder / "a.png").write_bytes(png(1))
    assert written_by_benchbox(folder) == ""
    assert ids(tmp_path) == ["visual/a.png"]


def test_passed_over_by_suffix(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    for name in ("a.png", "b.heic", "c.HEIC", "sub/d.txt", "e", ".hidden.png", ".git", "f.psd"):
        (tmp_path / name).write_bytes(png(1))
    notes = FolderInfo().open(str(tmp_path)).notes
    assert notes == FolderInfo().open(str(tmp_path)).passed_over
    assert notes == ("passed over: 5 files (2 .heic, 1 without a suffix, 1 .psd, 1 .txt)",
                     "passed over: 2 hidden files or folders")  # fmt: skip
    for number in range(12):
        (tmp_path / f"x.{number}").write_bytes(b"")
    assert "passed over: 17 files (2 .heic" in FolderInfo().open(str(tmp_path)).notes[0]
    assert FolderInfo().open(str(tmp_path)).notes[0].endswith(", ...)")
    (tmp_path / "a.png").unlink()
    with pytest.raises(DatasetError, match=r"hold no pictures \(passed over: 17 files"):
        FolderInfo().open(str(tmp_path))


def test_suffixes_of_formats_that_are_read(tmp_path: Path) -> None:
    picture = PillowImage.new("RGB", (9, 8), "red")
    names = {"a.jfif": "JPEG", "b.jpe": "JPEG", "c.j2k": "JPEG2000", "d.tga": "TGA", "e.apng": "PNG", "f.JFIF": "JPEG"}
    for name, kind in names.items():
        picture.save(tmp_path / name, kind)
    found = FolderInfo().open(str(tmp_path))
    assert [sample.id for sample in found.samples] == sorted(names)
    assert found.notes == ()
    assert {sample.load().shape for sample in found.samples} == {(8, 9, 3)}


def test_a_run_says_what_was_passed_over(tmp_path: Path, pictures: Path) -> None:
    (pictures / "a.heic").write_bytes(b"x")
    result = CliRunner().invoke(commands, [
        "run", "--name", "t", "--dataset", f"folder:{pictures}", "--codec", "jpeg@50", "--metric", "psnr",
        "--workspace", str(tmp_path / "runs")])  # fmt: skip
    assert result.exit_code == 0, result.output
    for text in (result.stderr, *((tmp_path / "runs" / "t" / name).read_text(encoding="utf-8")
                                  for name in ("settings.json", "report/index.html"))):
        assert "passed over: 1 file (1 .heic)" in text
