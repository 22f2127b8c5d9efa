"""A sharded run measures its own share, whatever is measured already, and says what the others' is."""

from __future__ import annotations

from pathlib import Path

import pytest
import tomli_w
from click.testing import CliRunner, Result
from small_runs import plan

import benchbox
from benchbox.cli.main import commands
from benchbox.errors import BenchboxError

CODECS = ({"id": "jpeg", "qualities": [30, 60]}, {"id": "qoi"})


def call(tmp_path: Path, *flags: str) -> Result:
    """Run the plan in ``tmp_path`` with the command line."""
    command = ["run", str(tmp_path / "plan.toml"), "--workspace", str(tmp_path / "runs"), "--workers", "1", *flags]
    return CliRunner().invoke(commands, command)


@pytest.mark.slow
def test_a_shard_measures_its_share_and_says_so(tmp_path: Path, pictures: Path) -> None:
    (pictures / "3.png").write_bytes(b"no picture")  # each codec's rows belong to one shard, as any other
    (pictures / "4.png").write_bytes((pictures / "0.png").read_bytes())  # measured once, by the shard of 0.png
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(pictures, *CODECS)), encoding="utf-8")
    first = call(tmp_path, "--shard", "1/2", "--dry-run").output
    assert not (tmp_path / "runs").exists()
    done = call(tmp_path, "--shard", "1/2")
    frame = benchbox.load("t", tmp_path / "runs")
    assert len(frame) == 15
    mine = frame[(frame["status"] == "ok").to_numpy()]
    assert set(mine["codec"]) == {"jpeg", "qoi"}
    assert f"t, shard 1/2: {mine['key'].nunique()} of " in first
    elsewhere = 15 - int(done.output.partition("shard 1/2: ")[2].partition(" points to measure")[0].split(" of ")[1])
    assert f"shard 1/2: {elsewhere} other points are other shards'; `benchbox merge` unites them" in done.output
    assert "report:" not in done.output
    again = call(tmp_path, "--shard", "1/2")
    assert "t, shard 1/2: 0 of" in again.output

    other = call(tmp_path, "--shard", "2/2", "--report", "tables")  # in the same workspace, which has a half by now
    assert "report:" in other.output
    frame = benchbox.load("t", tmp_path / "runs")
    assert set(frame.loc[frame["sample"] != "3.png", "status"]) == {"ok"}
    fails = [bool(shard.exit_code) for shard in (done, other)]  # a shard of the picture that cannot be read
    assert any(fails)
    assert fails == ["3.png: not a picture" in shard.output for shard in (done, other)]


@pytest.mark.slow
def test_a_shard_without_points_is_done(tmp_path: Path, pictures: Path) -> None:
    shares = [benchbox.run(plan(pictures, CODECS[1]), workspace=tmp_path / f"{k}", shard=f"{k}/4", workers=1)
              for k in (1, 4)]  # fmt: skip
    assert [list(share["status"]).count("ok") for share in shares] == [1, 0]
    assert not [*tmp_path.glob("*/t/report")]
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(pictures, CODECS[1])), encoding="utf-8")
    done = call(tmp_path, "--shard", "4/4")
    assert done.exit_code == 0
    assert "t: no points (0 measured now" in done.output


REFUSED = [["--shard", "5/4"], ["--shard", "1/2", "--quick"], ["--shard", "1/2", "--match", "bpp=1"]]


@pytest.mark.parametrize("flags", REFUSED)
def test_nothing_is_made_where_a_shard_is_refused(flags: list[str], tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(pictures, CODECS[0])), encoding="utf-8")
    error = call(tmp_path, *flags).exception
    assert isinstance(error, BenchboxError)
    assert error.exit_code == 2
    assert "shard" in str(error)
    assert not (tmp_path / "runs").exists()
