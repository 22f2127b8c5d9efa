"""Files that hold what workers measure until it is in the store: for each job a ``.job`` file with the job and a
``.jsonl`` file with a line for each event. They hold JSON, never code, and a checksum in every object, so that damage
is noticed: what is damaged is moved to the folder ``damaged`` and the rest is used.
"""

from __future__ import annotations

import contextlib
import json
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.errors import StoreError
from benchbox.plan import Job
from benchbox.store import STATUSES, fault

VERSION = 1
"""Version of the spool's files; files of another version are set aside."""

_MEASURED = {"bytes": int, "width": int, "height": int, "stream_sha256": str, "exact": bool}
"""Fields that the event of a measured point must have, with their types."""


def seal(values: dict[str, Any]) -> bytes:
    """One line of JSON with the checksum `crc` (CRC-32 of the line without it)."""
    text = json.dumps(values).encode()
    return text[:-1] + b'%s"crc": %d}\n' % (b", " if values else b"", zlib.crc32(text))


def unseal(line: bytes) -> dict[str, Any]:
    """The values of a line of `seal`. Raises ValueError if it is damaged."""
    values = json.loads(line)
    if not isinstance(values, dict) or values.pop("crc", None) != _crc(values):
        raise ValueError("its checksum does not match")
    return values


def _crc(values: dict[str, Any]) -> int:
    return zlib.crc32(json.dumps(values).encode())


def write_job(path: Path, job: Job) -> None:
    """Write the job of the spool file `path` into a file of its own, whole or not at all."""
    part = path.with_suffix(".part")
    part.write_bytes(seal({"version": VERSION, "job": job.as_json()}))
    part.replace(path.with_suffix(".job"))


def read_job(path: Path) -> Job:
    """The job of the spool file `path`.

    Raises:
        StoreError: its file is damaged, of another version, or cannot be read.
    """
    try:
        values = unseal(path.with_suffix(".job").read_bytes())
    except (OSError, ValueError, RecursionError) as error:
        raise StoreError(f"damaged ({error})") from None
    if values.get("version") != VERSION:
        raise StoreError(f"written by another version of benchbox ({str(values.get('version'))[:20]})")
    return Job.from_json(values.get("job"))


class Tail:
    """Reads the events that were appended to a spool file since the last look; a torn last line waits.

    Attributes:
        damaged: whether lines were passed over because they are damaged.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self.damaged = False
        self._offset = 0

    def events(self) -> Iterator[dict[str, Any]]:
        """The events of complete lines that were not read yet."""
        try:
            with self.path.open("rb") as file:
                file.seek(self._offset)
                data = file.read()
        except OSError:
            return
        end = data.rfind(b"\n") + 1
        self._offset += end
        self.damaged = self.damaged or data[end : end + 1] not in (b"", b"{") or b"\0" in data[end:]
        for line in data[:end].splitlines():
            try:
                yield unseal(line)
            except (ValueError, RecursionError):
                self.damaged = True

    def remove(self) -> None:
        """Delete the spool file and its job."""
        for suffix in (".jsonl", ".job", ".part"):
            with contextlib.suppress(OSError):
                self.path.with_suffix(suffix).unlink(missing_ok=True)

    def set_aside(self) -> Path:
        """Move the spool file and its job to the folder ``damaged`` beside them; returns the folder."""
        folder = self.path.parent / "damaged"
        folder.mkdir(exist_ok=True)
        for suffix in (".jsonl", ".job"):
            with contextlib.suppress(FileNotFoundError):
                self.path.with_suffix(suffix).replace(folder / self.path.with_suffix(suffix).name)
        return folder


@dataclass(frozen=True)
class LeftBehind:
    """The contents of one spool file of a run that was killed.

    Attributes:
        job: None where its file is damaged.
        points: the finished points whose lines are whole.
        damage: what is wrong with the files; "" if nothing is.
        files: to `remove` once the points are kept, or to `set_aside`.
    """

    job: Job | None
    points: tuple[dict[str, Any], ...]
    damage: str
    files: Tail


TOKEN = "token-"
"""A file of this name, with more, tells workers elsewhere that they share the workspace, while a run is at work."""


def left_behind(folder: Path, prefix: str = "") -> Iterator[LeftBehind]:
    """What is in the spool `folder`, in files whose names begin with `prefix`; files that belong to no other (a job
    that never began, a token) are deleted."""
    names = {path.with_suffix("") for end in ("*.jsonl", "*.job") for path in folder.glob(prefix + end)}
    for name in sorted(names):
        tail = Tail(name.with_name(name.name + ".jsonl"))
        events = list(tail.events())
        try:
            job = read_job(tail.path)
        except StoreError as error:
            if tail.path.with_suffix(".job").exists():
                yield LeftBehind(None, (), f"{name.name}.job: {error}", tail)
            else:
                tail.remove()
            continue
        if not tail.path.exists():
            tail.remove()
            continue
        points = tuple(event for event in events if event.get("event") == "point")
        good = tuple(point for point in points if _is_whole(point, job))
        damaged = tail.damaged or len(good) < len(points)
        yield LeftBehind(job, good, f"{tail.path.name}: damaged" if damaged else "", tail)
    for stray in [*folder.glob(f"{prefix}*.part"), *(folder.glob(f"{TOKEN}*") if not prefix else ())]:
        stray.unlink(missing_ok=True)


def _is_whole(point: dict[str, Any], job: Job) -> bool:
    """Whether a finished point has all that the store keeps of it."""
    known = {asked.key for asked in job.points}
    if point.get("key") not in known or point.get("status") not in STATUSES:
        return False
    if not isinstance(point.get("reason"), str):
        return False
    if point["status"] != "ok":
        return True
    if job.timing is not None:
        return _is_timing(point.get("timing")) and not fault(point)
    scores = point.get("scores")
    if not isinstance(scores, dict) or not all(_is_score(score) for score in scores.values()) or fault(point):
        return False
    return bool(point.get("rescored")) or all(isinstance(point.get(name), kind) for name, kind in _MEASURED.items())


def _is_timing(timing: Any) -> bool:
    if not isinstance(timing, dict):
        return False
    seconds = [timing.get(name) for name in ("encode_s", "decode_s", "encode_cpu_s", "decode_cpu_s")]
    return all(isinstance(values, list) and len(values) == len(seconds[0] or ()) for values in seconds)


def _is_score(score: Any) -> bool:
    if not isinstance(score, list) or len(score) != 3:
        return False
    version, value, reason = score
    return isinstance(version, str) and (value is None or isinstance(value, float)) and isinstance(reason, str)
