"""The spool of a run that was killed: whole files are taken in, damaged ones are set aside with a word, orphans go, and
nothing in it is ever run as code."""

from __future__ import annotations

import hashlib
import json
import os
import pickle
import random
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import psutil
import pytest
from small_runs import go, measured, plan
from waiting import until

import benchbox
from benchbox import image
from benchbox.errors import StoreError
from benchbox.execution.spool import Tail, read_job, seal, write_job
from benchbox.plan import Job, Point, SampleName

JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}
COLUMNS = ["key", "status", "reason", "bytes", "exact", "stream_sha256", "pixels_sha256", "psnr"]
KEYS = ("a" * 64, "b" * 64)
POINTS = (Point(KEYS[0], 50.0, ("psnr",)), Point(KEYS[1], None, (), "c" * 64))
JOB = Job(SampleName("folder:/p", "a.png", "/p/%FF%20a.png"), "0" * 64, "jpeg", "jpeg", "{}", "id", "cpu", POINTS)

SCRIPT = """
import json, os, sys
import benchbox
from benchbox.store import WritableStore
WritableStore.append = lambda self, points, session: list(points) and os._exit(7)  # dies with the first point in hand
benchbox.run(json.loads(sys.argv[1]), workspace=sys.argv[2], workers=1, reports=[])
"""


class Words:
    """Progress that keeps what is said."""

    def __init__(self) -> None:
        self.said: list[str] = []

    def say(self, message: str) -> None:
        self.said.append(message)

    def begin(self, total: int, label: str) -> None: ...

    def step(self, status: str) -> None: ...

    def end(self) -> None: ...


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the workspaces ``broken``, of a run that died with finished points in its spool, and ``whole``, of
    the same run to its end; `ASKED` is its plan."""
    made = tmp_path_factory.mktemp("spool")
    (made / "p").mkdir()
    image.write_png(made / "p" / "a.png", np.random.default_rng(1).integers(0, 255, (48, 64, 3)).astype(np.uint8))
    asked = plan(made / "p", JPEG)
    command = [sys.executable, "-c", SCRIPT, json.dumps(asked), str(made / "broken")]
    assert subprocess.run(command, check=False).returncode == 7
    cut_to_points(made / "broken" / "spool")
    benchbox.run(asked, workspace=made / "whole", workers=1, reports=[])
    return made


def cut_to_points(spool: Path) -> None:
    """Once its worker is gone too, have the record of a run's one job end with a finished point, as it need not."""
    (path,) = spool.glob("*.jsonl")
    until(lambda: not psutil.pid_exists(json.loads(path.read_bytes().splitlines()[0])["pid"]), "the worker's end")
    lines = path.read_bytes().splitlines(keepends=True)
    while json.loads(lines[-1])["event"] != "point":
        lines.pop()
    path.write_bytes(b"".join(lines))


@pytest.fixture
def broken_off(folder: Path, tmp_path: Path) -> dict[str, Any]:
    """The plan of a run in ``tmp_path/runs`` that died with finished points in its spool."""
    shutil.copytree(folder / "broken", tmp_path / "runs")
    assert b'"event": "point"' in spooled(tmp_path, ".jsonl").read_bytes()
    return plan(folder / "p", JPEG)


@pytest.fixture
def ended(folder: Path, tmp_path: Path) -> dict[str, Any]:
    """The same, but the store has all of the run already, so that running again takes in the spool and no more."""
    shutil.copytree(folder / "whole", tmp_path / "runs")
    shutil.copytree(folder / "broken" / "spool", tmp_path / "runs" / "spool", dirs_exist_ok=True)
    return plan(folder / "p", JPEG)


def carry_on(tmp_path: Path, asked: dict[str, Any]) -> tuple[pd.DataFrame, list[str]]:
    words = Words()
    frame = benchbox.run(asked, workspace=tmp_path / "runs", workers=2, reports=[], progress=words)
    return frame, words.said


def spooled(tmp_path: Path, suffix: str) -> Path:
    (path,) = (tmp_path / "runs" / "spool").glob(f"*{suffix}")
    return path


def test_a_job_comes_back_from_its_file_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_job(path, JOB)
    assert read_job(path) == JOB
    assert JOB.sample.path == Path(os.fsdecode(b"/p/\xff a.png"))


def test_whole_files_are_taken_in(tmp_path: Path, broken_off: dict[str, Any]) -> None:
    frame, said = carry_on(tmp_path, broken_off)
    assert set(frame["status"]) == {"ok"}
    assert any(line.startswith("recovered ") for line in said)
    assert not list((tmp_path / "runs" / "spool").iterdir())


def test_streams_that_were_damaged_since_are_encoded_again(tmp_path: Path, broken_off: dict[str, Any]) -> None:
    for path in (tmp_path / "runs" / "streams").glob("*/*"):
        path.write_bytes(bytes(path.stat().st_size))
    frame, _ = carry_on(tmp_path, broken_off)
    assert set(frame["status"]) == {"ok"}
    for path in (tmp_path / "runs" / "streams").glob("*/*"):
        assert hashlib.sha256(path.read_bytes()).hexdigest() == path.name


def _flip(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


def _other(change: Callable[[dict[str, Any]], None]) -> Callable[[bytes], bytes]:
    """Change a whole file and give it a checksum that fits."""

    def damage(data: bytes) -> bytes:
        values = json.loads(data.splitlines()[-1])
        values.pop("crc")
        change(values)
        return seal(values)

    return damage


DAMAGE: dict[str, tuple[str, Callable[[bytes], bytes]]] = {
    "empty job": (".job", lambda data: b""),
    "zeros": (".job", lambda data: bytes(len(data))),
    "zero tail": (".job", lambda data: data[:40] + bytes(len(data) - 40)),
    "torn job": (".job", lambda data: data[:-20]),
    "flip in job": (".job", lambda data: data.replace(b'"jpeg"', b'"jpef"')),
    "pickle": (".job", lambda data: pickle.dumps({"job": 1})),
    "array": (".job", lambda data: b"[]\n"),
    "deep": (".job", lambda data: b"[" * 100_000),
    "other version": (".job", _other(lambda v: v.update(version=2))),
    "no version": (".job", _other(lambda v: v.pop("version"))),
    "missing field": (".job", _other(lambda v: v["job"].pop("identity"))),
    "unknown key": (".job", _other(lambda v: v["job"].update(more=1))),
    "unknown key in a point": (".job", _other(lambda v: v["job"]["points"][0].update(more=1))),
    "other type": (".job", _other(lambda v: v["job"].update(points="many"))),
    "zeros in events": (".jsonl", lambda data: bytes(4096) + b"\n"),
    "zeros without an end": (".jsonl", lambda data: bytes(4096)),
    "flip in events": (".jsonl", lambda data: data.replace(b'"bytes": ', b'"bytes": 1')),
    "array in events": (".jsonl", lambda data: b"[]\n" + data),
    "event of another key": (".jsonl", _other(lambda v: v.update(key="f" * 64))),
    "event without a reason": (".jsonl", _other(lambda v: v.pop("reason", None))),
    "event without bytes": (".jsonl", lambda data: b"".join(
        seal({**e, "bytes": None}) for e in map(json.loads, data.splitlines()) if e.pop("crc"))),
    "event of another score": (".jsonl", lambda data: b"".join(
        seal({**e, "scores": {"psnr": ["1", 3.0]}}) for e in map(json.loads, data.splitlines()) if e.pop("crc"))),
}


@pytest.mark.parametrize("kind", DAMAGE)
def test_a_damaged_file_is_set_aside_and_changes_nothing(
    kind: str, tmp_path: Path, folder: Path, ended: dict[str, Any]
) -> None:
    suffix, damage = DAMAGE[kind]
    path = spooled(tmp_path, suffix)
    path.write_bytes(damage(path.read_bytes()))
    damaged = path.read_bytes()
    frame, said = carry_on(tmp_path, ended)
    pd.testing.assert_frame_equal(frame[COLUMNS], benchbox.load("t", folder / "whole")[COLUMNS])
    assert (tmp_path / "runs" / "spool" / "damaged" / path.name).read_bytes() == damaged
    (line,) = (line for line in said if "damaged" in line)
    assert path.stem in line
    assert "\n" not in line


def test_what_a_damaged_file_held_is_measured_again(
    tmp_path: Path, folder: Path, broken_off: dict[str, Any]
) -> None:
    spooled(tmp_path, ".job").write_bytes(b"\0" * 300)
    frame, said = carry_on(tmp_path, broken_off)
    pd.testing.assert_frame_equal(frame[COLUMNS], benchbox.load("t", folder / "whole")[COLUMNS])
    assert any("damaged" in line and "measured again" in line for line in said)


def test_no_bit_of_a_file_can_flip_unnoticed(tmp_path: Path) -> None:
    path = tmp_path / "x.jsonl"
    write_job(path, JOB)
    whole = path.with_suffix(".job").read_bytes()
    chance = random.Random(1)
    for at in chance.sample(range(len(whole) - 1), 200):
        path.with_suffix(".job").write_bytes(_flip(whole, at))
        with pytest.raises(StoreError):
            read_job(path)
        path.write_bytes(_flip(seal({"event": "point", "key": "k" * 60, "bytes": 1801}), at % 80))
        tail = Tail(path)
        assert not list(tail.events())
        assert tail.damaged


def test_a_torn_last_line_is_no_damage(tmp_path: Path, broken_off: dict[str, Any]) -> None:
    path = spooled(tmp_path, ".jsonl")
    path.write_bytes(path.read_bytes() + b'{"event": "poi')
    _, said = carry_on(tmp_path, broken_off)
    assert not any("damaged" in line for line in said)
    assert not list((tmp_path / "runs" / "spool").iterdir())


def test_orphans_go(tmp_path: Path, pictures: Path) -> None:
    go(tmp_path, plan(pictures, JPEG))
    spool = tmp_path / "runs" / "spool"
    write_job(spool / "never-began.jsonl", JOB)
    (spool / "no-job.jsonl").write_bytes(seal({"event": "start", "key": "k"}))
    (spool / "half.part").write_bytes(b"{")
    before = measured(tmp_path)
    go(tmp_path, plan(pictures, JPEG))
    assert not list(spool.iterdir())
    assert measured(tmp_path) == before


def test_a_crafted_job_runs_no_code(tmp_path: Path, pictures: Path) -> None:
    sign = tmp_path / "sign"

    class Evil:
        def __reduce__(self) -> tuple[Any, ...]:
            return os.system, (f"touch {sign}",)

    (tmp_path / "runs" / "spool").mkdir(parents=True)
    (tmp_path / "runs" / "spool" / "a.job").write_bytes(pickle.dumps(Evil()))
    (tmp_path / "runs" / "spool" / "a.jsonl").write_bytes(b"")
    assert set(go(tmp_path, plan(pictures, JPEG))["status"]) == {"ok"}
    assert not sign.exists()
    assert (tmp_path / "runs" / "spool" / "damaged" / "a.job").exists()
