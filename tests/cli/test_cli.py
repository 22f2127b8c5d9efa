"""The command line as a user meets it: one line for every mistake, exit code 2 for usage and 1 for failures."""

from __future__ import annotations

import contextlib
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

import benchbox
from benchbox import image
from benchbox.cli.main import main
from benchbox.errors import UsageError

PLAN = """
dataset = "folder:pictures"
metrics = ["psnr"]
[[codec]]
id = "jpeg"
qualities = [10, 30, 60, 90]
[[codec]]
id = "webp"
qualities = [10, 30, 60, 90]
options = { method = 2 }
"""


@pytest.fixture
def here(tmp_path: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A working folder with a small picture folder and a plan; the current directory."""
    (tmp_path / "pictures").mkdir()
    for i in range(2):
        image.write_png(tmp_path / "pictures" / f"{i}.png", np.ascontiguousarray(photo[i : i + 165, :170]))
    (tmp_path / "plan.toml").write_text(PLAN)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path / "no data sets"))
    return tmp_path


def call(*arguments: str, capsys: pytest.CaptureFixture[str]) -> tuple[int, str, str]:
    """Run the command line in this process: (exit code, standard output, standard error)."""
    before = sys.argv
    sys.argv = ["benchbox", *arguments]
    try:
        with pytest.raises(SystemExit) as stop:
            main()
    finally:
        sys.argv = before
    out, err = capsys.readouterr()
    return int(str(stop.value.code)), out, err


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (["run", "none.toml"], 2, "none.toml: there is no such plan file"),
        (["run", "--codec", "jpg"], 2, "no codec is called 'jpg'; did you mean 'jpeg'?"),
        (["run", "--codec", "jpeg@0"], 2, "quality 0 is out of range; take"),
        (["run", "--codec", "jpeg@1:2"], 2, "write start:stop:step"),
        (["run", "--codec", "jpeg:sub"], 2, "write options as key=value"),
        (["run", "--codec", "jpeg", "--metric", "ssimm"], 2, "did you mean 'ssim'?"),
        (["run", "--metric", "psnr"], 2, "no codec is asked for"),
        (["run", "plan.toml", "--codec", "jpeg"], 2, "exclude each other"),
        (["run", "--codec", "jpeg", "--dataset", "folder:nowhere"], 1, "nowhere"),
        (["run", "--codec", "jpeg", "--dataset", "kodak"], 1, "benchbox fetch kodak"),
        (["run", "plan.toml", "--workspace", "plan.toml"], 2, "is a file"),
        (["report", "nothing"], 1, "there are no results in runs"),
        (["export", "nothing", "--output", "x.csv"], 1, "there are no results in runs"),
        (["fetch", "nothing"], 2, "no data set is called 'nothing'"),
        (["fetch", "samples"], 1, "samples"),
        (["encode", "pictures/0.png", "-c", "jpeg", "-q", "101", "-o", "x.jpg"], 2, "out of range"),
        (["encode", "none.png", "-c", "jpeg", "-o", "x.jpg"], 1, "none.png"),
        (["encode", "pictures/0.png", "-c", "png", "-q", "1", "-o", "x.png"], 2, "a lossless codec has no quality"),
        (["encode", "pictures/0.png", "-c", "jpeg", "-o", "no/folder/x.jpg"], 1, "cannot be written"),
        (["encode", "pictures/0.png", "-c", "jpeg", "--device", "cuda", "-o", "x.jpg"], 2, "jpeg: runs on cpu, not on"),
        (["encode", "pictures/0.png", "-c", "jpeg", "--device", "gpu", "-o", "x.jpg"], 2, "not on 'gpu'; choose one"),
        (["decode", "plan.toml", "-c", "jpeg", "-o", "x.png"], 1, "plan.toml"),
        (["decode", "none.jpg", "-o", "x.png"], 1, "none.jpg: cannot be opened (No such file or directory); check the"),
        (["decode", "pictures", "-c", "jpeg", "-o", "x.png"], 1, "pictures: cannot be opened (Is a directory)"),
        (["decode", "none.jpg", "-o", "x.jpg"], 2, "x.jpg: decode writes PNG; name the file x.png"),
        (["decode", "plan.toml", "-o", "x.png"], 2, "name it with -c"),
        (["rum"], 2, "No such command 'rum'"),
        (["run", "--bogus"], 2, "No such option"),
    ],
)
def test_a_mistake_is_one_clear_line(
    arguments: list[str], code: int, message: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    got, out, err = call(*arguments, capsys=capsys)
    assert (got, "Traceback" in err) == (code, False)
    assert message in err
    assert out == ""
    if code == 1 or err.startswith("benchbox:"):
        assert len(err.strip().splitlines()) == 1


@pytest.mark.parametrize(("line", "words"), [
    ('codec = ["jpg"]', "no codec is called 'jpg'; did you mean 'jpeg'?"),
    ('codec = ["webp:methode=6"]', "webp: unknown option 'methode'; did you mean 'method'?"),
    ('codec = ["jpeg@101"]', "quality 101 is out of range; take"),
    ('codec = ["jpeg"]\nmetrics = ["ssimm"]', "no metric is called 'ssimm'; did you mean 'ssim'?"),
])  # fmt: skip
def test_what_a_plan_asks_for_is_named_with_the_plan(
    line: str, words: str, here: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (here / "wrong.toml").write_text(f'dataset = "samples"\n{line}\n')
    code, out, err = call("run", "wrong.toml", capsys=capsys)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert err.startswith("benchbox: wrong.toml: ")
    assert words in err
    with pytest.raises(UsageError, match=rf"^wrong\.toml: .*{re.escape(words)}"):
        benchbox.run("wrong.toml")


def test_run_then_report_then_export(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("run", "plan.toml", "--no-report", capsys=capsys)
    assert code == 0
    assert "plan: 16 ok (16 measured now" in out
    assert "0 measured now" in call("run", "plan.toml", "--no-report", capsys=capsys)[1]
    code, out, _ = call("report", "plan", capsys=capsys)
    assert code == 0
    assert (here / "runs" / "plan" / "report" / "index.html").exists()
    assert "index.html" in out
    for kind, reader in (("csv", pd.read_csv), ("parquet", pd.read_parquet)):
        assert call("export", "runs/plan", "--format", kind, "--output", f"t.{kind}", capsys=capsys)[0] == 0
        table = reader(here / f"t.{kind}")
        assert len(table) == 16
        assert set(table["label"]) == {"jpeg", "webp method=2"}
    for kind, name in (("csv", "u.Parquet"), ("csv", "u.pq"), ("parquet", "u.csv")):
        code, _, err = call("export", "runs/plan", "--format", kind, "--output", name, capsys=capsys)
        assert (code, (here / name).exists()) == (2, False)
        assert f"{name}: would hold {kind}; add --format " in err
    for name in ("u.xlsx", "u.csv.gz", "u.json"):
        code, _, err = call("export", "runs/plan", "--output", name, capsys=capsys)
        assert (code, (here / name).exists()) == (2, False)
        assert err.count("known: .csv, .parquet, .pq") == 1
    assert "plan" in call("list", "runs", capsys=capsys)[1]


def test_relative_paths_of_a_plan_start_at_the_plan(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "elsewhere").mkdir()
    os.chdir(here / "elsewhere")
    assert call("run", "../plan.toml", "--no-report", capsys=capsys)[0] == 0


def test_failures_exit_with_one_and_are_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (here / "pictures" / "bad.png").write_bytes(b"\x89PNG\r\n\x1a\n")
    code, out, err = call("run", "plan.toml", "--no-report", capsys=capsys)
    assert code == 1
    assert "16 ok" in out
    assert "8 failed" in out
    assert "bad.png" in err


def test_dry_run_measures_nothing(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("run", "plan.toml", "--dry-run", capsys=capsys)
    assert code == 0
    assert "16 of 16 points to measure in 4 jobs" in out
    assert "MB of disk in runs" in out
    assert "16 measured now" in call("run", "plan.toml", "--no-report", capsys=capsys)[1]
    assert "0 of 16 points" in call("run", "plan.toml", "--dry-run", capsys=capsys)[1]


def test_gc_drops_only_what_no_run_needs(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    call("run", "plan.toml", "--no-report", capsys=capsys)
    assert "0 streams deleted" in call("gc", capsys=capsys)[1]
    text = PLAN.replace("[10, 30, 60, 90]\n[[", "[10, 30]\n[[")
    (here / "plan.toml").write_text(text)
    call("run", "plan.toml", "--no-report", capsys=capsys)
    assert "4 streams deleted" in call("gc", capsys=capsys)[1]
    assert "0 measured now" in call("run", "plan.toml", "--no-report", capsys=capsys)[1]


def test_one_picture_by_hand(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("encode", "pictures/0.png", "-c", "webp-lossless", "-o", "x.bin", capsys=capsys)
    assert code == 0
    assert f"{(here / 'x.bin').stat().st_size} bytes" in out
    assert call("decode", "x.bin", "-c", "webp-lossless", "-o", "y.png", capsys=capsys)[0] == 0
    assert (image.read(here / "y.png").pixels == image.read(here / "pictures" / "0.png").pixels).all()
    assert call("encode", "pictures/0.png", "-c", "jpeg", "-q", "40", "-o", "x.jpg", capsys=capsys)[0] == 0
    assert call("decode", "x.jpg", "-o", "z.png", capsys=capsys)[0] == 0


@pytest.mark.parametrize("kind", ["codecs", "metrics", "datasets", "reports", "plugins", "columns"])
def test_lists(kind: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("list", kind, capsys=capsys)
    assert code == 0
    assert len(out.splitlines()) > 1


def test_doctor_names_versions(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = call("doctor", capsys=capsys)
    assert code == 0
    assert "numpy" in out
    assert "jpeg" in out


@contextlib.contextmanager
def small_disk(folder: Path, options: str) -> Iterator[None]:
    """Mount a small or read-only file system at `folder`; needs the right to mount."""
    folder.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", options, "tmpfs", str(folder)]
    done = subprocess.run(command, capture_output=True, check=False)
    if done.returncode != 0:
        pytest.skip("mounting a small file system is not permitted here")
    try:
        yield
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def test_a_full_disk_stops_the_run_and_keeps_what_was_measured(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    big = np.random.default_rng(0).integers(0, 256, (700, 700, 3), np.uint8)
    image.write_png(here / "pictures" / "noise.png", big)
    with small_disk(here / "small", "size=900k"):
        code, _, err = call("run", "plan.toml", "--no-report", "--workspace", "small", capsys=capsys)
        assert code == 1
        assert "make room" in err or "is full" in err
        assert "Traceback" not in err
        assert call("list", "runs", "--workspace", "small", capsys=capsys)[0] == 0


def test_a_read_only_folder_is_named(here: Path, capsys: pytest.CaptureFixture[str]) -> None:
    with small_disk(here / "fixed", "ro"):
        code, _, err = call("run", "plan.toml", "--no-report", "--workspace", "fixed/runs", capsys=capsys)
    assert code == 1
    assert "fixed/runs" in err
    assert "choose another --workspace" in err


def test_help_is_the_same_as_a_module() -> None:
    done = subprocess.run([sys.executable, "-m", "benchbox", "--help"], capture_output=True, text=True, check=True)
    assert "Compare image codecs" in done.stdout


def test_importing_is_light() -> None:
    script = "import sys, benchbox, benchbox.cli.main; print({'torch', 'pandas', 'matplotlib'} & {*sys.modules})"
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "set()"
