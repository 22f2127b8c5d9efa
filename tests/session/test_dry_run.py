"""A dry run describes the run that would be made, and leaves every byte of the workspace as it was."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path

import pytest
import tomli_w
from plugin_files import TOY
from small_runs import go, plan

from benchbox.cli.main import main
from benchbox.machine import SHORTEST_LOOK

JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}


def digests(folder: Path) -> dict[str, str]:
    return {str(path.relative_to(folder)): hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(folder.rglob("*")) if path.is_file()}  # fmt: skip


def dry_run(tmp_path: Path, asked: dict[str, object], monkeypatch: pytest.MonkeyPatch,
            capsys: pytest.CaptureFixture[str], *flags: str) -> str:  # fmt: skip
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(asked))
    words = ["benchbox", "run", str(tmp_path / "plan.toml"), "--dry-run", "--workspace", str(tmp_path / "runs"), *flags]
    monkeypatch.setattr("sys.argv", words)
    with pytest.raises(SystemExit) as stop:
        main()
    assert stop.value.code == 0
    return capsys.readouterr().out


def test_over_a_finished_run_it_changes_nothing(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    before = digests(tmp_path / "runs")
    out = dry_run(tmp_path, plan(pictures, JPEG), monkeypatch, capsys)
    assert out.startswith("t: 0 of 9 points to measure in 0 jobs\n")
    other = plan(pictures, {"id": "webp", "qualities": [20, 80]})  # the same name, another sweep
    assert "t: 6 of 6 points to measure in 3 jobs" in dry_run(tmp_path, other, monkeypatch, capsys)
    more = plan(pictures, JPEG, metrics=["psnr", "psnr-y"])
    assert "9 of them only to score" in dry_run(tmp_path, more, monkeypatch, capsys)
    out = dry_run(tmp_path, plan(pictures, JPEG), monkeypatch, capsys, "--match", "bpp=1", "--match", "psnr=30")
    assert "6 of 6 searches to continue, at most " in out
    assert digests(tmp_path / "runs") == before
    assert go(tmp_path, plan(pictures, JPEG)).equals(first)


def test_over_a_matched_run_it_has_nothing_to_do(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    matched = plan(pictures, JPEG, match=["bpp=1"])
    go(tmp_path, matched)
    before = digests(tmp_path / "runs")
    out = dry_run(tmp_path, matched, monkeypatch, capsys)
    assert out.startswith("t: 0 of 3 searches to continue, at most 0 points to measure\n")
    assert digests(tmp_path / "runs") == before


def test_without_a_workspace_it_makes_none(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    out = dry_run(tmp_path, plan(pictures, JPEG), monkeypatch, capsys)
    assert "t: 9 of 9 points to measure in 3 jobs" in out
    assert not (tmp_path / "runs").exists()


def test_it_counts_what_small_pictures_and_timing_take(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Encoding, decoding and scoring these 9 points takes a hundredth of a second."""
    asked = plan(pictures, JPEG, timing={"repeats": 3})
    out = dry_run(tmp_path, asked, monkeypatch, capsys)
    (wall, processor), report = re.findall(r"about (\d+) s with \d+ workers, (\d+) s of processor", out)[0], " report: "
    assert int(wall) >= 6, "a run and its timing start workers each, and a report follows"
    said = re.findall(r", (\S+) s of one processor|: (\S+) s of one processor", out)
    assert sum(float(one or other) for one, other in said) == pytest.approx(int(processor), abs=1)
    assert report in out
    assert report not in dry_run(tmp_path, asked, monkeypatch, capsys, "--no-report")
    (timing,) = re.findall(r"timing: 9 points, (\S+) s of one processor", out)
    assert 3 * SHORTEST_LOOK < float(timing) < 10
    go(tmp_path, plan(pictures, JPEG))
    out = dry_run(tmp_path, asked, monkeypatch, capsys)
    assert out.startswith("t: 0 of 9 points to measure in 0 jobs\n")
    assert "\n  timing: 9 points, " in out


def test_it_counts_what_opening_a_codec_takes(
    tmp_path: Path, pictures: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """A worker opens the codec, and so does the process that decodes its first stream once more."""
    lines = "import time", "end = time.process_time() + 1.0", "while time.process_time() < end: pass", "return Toy()"
    source = {"quick": TOY, "slow": TOY.replace("return Toy()", "\n        ".join(lines))}
    asked, start = plan(pictures, {"id": "toy", "qualities": [2, 5]}), dict[str, float]()
    for name, text in source.items():
        (tmp_path / f"{name}.py").write_text(text, encoding="utf-8")
        flags = "--plugin", str(tmp_path / f"{name}.py"), "--workers", "1"
        out = dry_run(tmp_path, asked, monkeypatch, capsys, *flags)
        start[name] = float(re.findall(r"start: (\S+) s of one processor", out)[0])
    half = plan(pictures, {"id": "toy", "qualities": [2]}, plugins=[str(tmp_path / "slow.py")])
    go(tmp_path, half, workers=1)
    out = dry_run(tmp_path, asked, monkeypatch, capsys, *flags)
    assert out.startswith("t: 3 of 6 points to measure")
    assert float(re.findall(r"start: (\S+) s of one processor", out)[0]) > start["quick"] + 1.0, "what is known of it"
    assert 1.0 < start["slow"] - start["quick"] < 3.0, "twice 1 s, less what a start takes less than foreseen here"
