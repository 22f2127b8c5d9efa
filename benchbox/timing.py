"""Timing under protocol: one pinned worker, an untimed warm-up, repeats with every raw second kept.

Wall and processor seconds are taken of each call, the worker's peak memory over all repeats, and how many cores other
processes kept busy meanwhile: speed tables refuse what was measured beside other work. Codecs hand over host data, so
device work and transfers are inside the time; a batch is timed whole and divided by its size.
"""

from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psutil

from benchbox.codec import Codec, CodecInfo
from benchbox.errors import PluginError
from benchbox.image import Image
from benchbox.jobs import Job, Point
from benchbox.measure import Clock, Emit, fail_all, failure, open_codec, timed
from benchbox.plan import Timing
from benchbox.worker import worker

DISTURBED = 0.2
"""Cores that other processes may keep busy, on average over a point's repeats, before its times are refused."""


def time_job(job: Job, protocol: Timing, emit: Emit, go_on: Callable[[], bool] = lambda: True) -> None:
    """Time every point of a job under `protocol`, emitting each as soon as it is finished; errors cost the point."""
    emit({"event": "start", "key": job.points[0].key})
    try:
        pixels = worker().reference(job.sample, job.sample_sha256).pixels
        info, codec = open_codec(job)
    except Exception as error:  # a codec may raise anything
        fail_all(job, error, emit)
        return
    for point in job.points:
        if not go_on():
            return
        emit({"event": "start", "key": point.key})
        try:
            row = {"status": "ok", "timing": time_point(codec, info, pixels, point, protocol)}
        except Exception as error:  # a codec may raise anything
            row = failure(error)
        emit({"event": "point", "key": point.key, **row})


def time_point(codec: Codec, info: CodecInfo, pixels: Image, point: Point, protocol: Timing) -> dict[str, Any]:
    """Raw seconds of each repeat (`encode_s`, `decode_s`, `encode_cpu_s`, `decode_cpu_s`), `others` and `peak_bytes`.

    Raises:
        PluginError: the bytes differ from those of the quality run, though the codec declares itself deterministic.
    """
    images = [pixels] * protocol.batch
    streams = _encode(codec, images, point.quality)
    if info.capabilities.deterministic and point.stream not in (None, hashlib.sha256(streams[0]).hexdigest()):
        raise PluginError(f"{info.id} gave other bytes than in the quality run; it declares itself deterministic")
    _decode(codec, streams)
    forget_peak()
    others = Others()
    encode, decode = [], []
    for _ in range(protocol.repeats):
        encode.append(timed(lambda: _encode(codec, images, point.quality))[1])
        decode.append(timed(lambda: _decode(codec, streams))[1])
    busy = others.cores()
    return {**_seconds("encode", encode, protocol.batch), **_seconds("decode", decode, protocol.batch),
            "others": busy, "peak_bytes": peak_memory()}  # fmt: skip


def _encode(codec: Codec, images: list[Image], quality: float | None) -> list[bytes]:
    return [codec.encode(images[0], quality)] if len(images) == 1 else codec.encode_batch(images, quality)


def _decode(codec: Codec, streams: list[bytes]) -> list[Image]:
    return [codec.decode(streams[0])] if len(streams) == 1 else codec.decode_batch(streams)


def _seconds(side: str, clocks: list[Clock], batch: int) -> dict[str, list[float]]:
    return {f"{side}_s": [c.wall / batch for c in clocks], f"{side}_cpu_s": [c.cpu / batch for c in clocks]}


SHORTEST_LOOK = 0.1
"""Seconds that the look at other processes lasts at least: the system counts in hundredths of a second."""


class Others:
    """Counts the processor time that other processes take from its making on."""

    def __init__(self) -> None:
        self._start, self._busy, self._own = time.perf_counter(), _busy_seconds(), _own_seconds()

    def cores(self) -> float:
        """Cores kept busy by others on average, over `SHORTEST_LOOK` at least."""
        time.sleep(max(0.0, SHORTEST_LOOK - (time.perf_counter() - self._start)))
        wall = time.perf_counter() - self._start
        busy = (_busy_seconds() - self._busy) - (_own_seconds() - self._own)
        return max(0.0, busy - 0.01) / wall


def _busy_seconds() -> float:
    times = psutil.cpu_times()
    return float(sum(times) - times.idle - getattr(times, "iowait", 0.0) - getattr(times, "guest", 0.0)
                 - getattr(times, "guest_nice", 0.0))  # fmt: skip


def _own_seconds() -> float:
    times = os.times()
    return times.user + times.system + times.children_user + times.children_system


def forget_peak() -> None:
    """Start the peak anew (Linux: proc(5), clear_refs 5); where that is not permitted the peak is the process's."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return


def peak_memory() -> int | None:
    """Peak resident memory of this process in bytes, since `forget_peak`; None where the system does not tell."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM")), None)
