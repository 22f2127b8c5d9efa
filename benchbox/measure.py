"""One job -> measurements. The only clock and the only place that scores.

Events are dicts of JSON values, so that they survive in a file whatever becomes of the process that wrote them:

- ``{"event": "start", "key"}`` before work on a point begins,
- ``{"event": "point", "key", "status", "reason", "bytes", ...}`` when it is finished; `scores` maps a metric to
  ``[version, value or null, reason]``; `rescored` tells that a kept stream was only decoded and scored.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from benchbox import image as pixel
from benchbox.codec import Codec, CodecInfo
from benchbox.errors import BenchboxError, PluginError, StoreError, UnsupportedImageError
from benchbox.image import Image
from benchbox.jobs import Job, Point
from benchbox.streams import keep_stream, read_stream
from benchbox.worker import Reference, worker

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class Clock:
    """Seconds one call took: wall and processor time of this process."""

    wall: float
    cpu: float


def timed(call: Callable[[], Any]) -> tuple[Any, Clock]:
    """Run `call` under the clock. Codecs hand over host data, so nothing is still under way when it returns."""
    cpu, wall = time.process_time(), time.perf_counter()
    value = call()
    wall = time.perf_counter() - wall
    return value, Clock(wall, time.process_time() - cpu)


def run_job(job: Job, streams: Path, emit: Emit, go_on: Callable[[], bool] = lambda: True) -> None:
    """Measure every point of a job, emitting each as soon as it is finished.

    The codec is opened and warmed up, untimed, on this picture. Errors of the codec cost the point, not the job;
    StoreError (a full disk) is passed on, since nothing more could be kept. `go_on` is asked before each point.
    """
    if not job.points:
        return
    emit({"event": "start", "key": job.points[0].key})
    try:
        reference = worker().reference(job.sample, job.sample_sha256)
        info, codec = open_codec(job)
        refusal = info.capabilities.refusal(reference.pixels)
        if refusal is None and any(point.stream is None for point in job.points):
            _warm_up(codec, reference.pixels, job.points[0].quality)
    except StoreError:
        raise
    except Exception as error:  # a codec may raise anything
        fail_all(job, error, emit)
        return
    for point in job.points:
        if not go_on():
            return
        emit({"event": "start", "key": point.key})
        if refusal is not None:
            row = {"status": "unsupported", "reason": refusal, **_shape(reference.pixels)}
        else:
            row = _point(point, info, codec, reference, streams)
        emit({"event": "point", "key": point.key, **row})


def open_codec(job: Job) -> tuple[CodecInfo, Codec]:
    """The codec of a job, opened in this process; PluginError where this process has another than was planned."""
    info = worker().registry.codec(job.codec)
    options = info.parse_options(json.loads(job.options))
    info.require(options)
    identity = info.identity(options)
    if identity != job.identity:
        raise PluginError(f"{job.codec}: this worker has '{identity}', the plan was made with '{job.identity}'; "
                          "install the same versions on every machine")
    return info, worker().codec(job.codec, job.options, job.device)


def _warm_up(codec: Codec, pixels: Image, quality: float | None) -> None:
    try:
        codec.decode(codec.encode(pixels, quality))
    except Exception:  # the same call is made again, under record
        return


def _point(point: Point, info: CodecInfo, codec: Codec, reference: Reference, streams: Path) -> dict[str, Any]:
    row: dict[str, Any] = {"status": "ok", "reason": "", "rescored": point.stream is not None}
    row |= _shape(reference.pixels)
    try:
        if point.stream is None:
            row |= _encode(point, codec, reference.pixels, streams)
        data = row.pop("data", None) or read_stream(streams, str(point.stream))
        output, clock = timed(lambda: codec.decode(data))
        decoded = _same_kind(output, reference.pixels, info)
        if point.stream is None:
            exact = bool(np.array_equal(decoded, reference.pixels))
            row |= {"decode_s": clock.wall, "decode_cpu_s": clock.cpu, "exact": exact,
                    "pixels_sha256": pixel.digest(decoded)}  # fmt: skip
            if info.capabilities.lossless and not exact:
                differ = int(np.any(decoded != reference.pixels, axis=2).sum())
                raise PluginError(f"{info.id} declares itself lossless, but {differ} pixels differ")
        row["scores"] = reference.scores(decoded, point.metrics)
    except StoreError:
        raise
    except Exception as error:  # a codec may raise anything
        row |= failure(error)
    return row


def _encode(point: Point, codec: Codec, pixels: Image, streams: Path) -> dict[str, Any]:
    data, clock = timed(lambda: codec.encode(pixels, point.quality))
    if not isinstance(data, bytes | bytearray | memoryview) or not len(data):
        raise PluginError(f"encode gave {type(data).__name__} of no length where bytes were due")
    data = bytes(data)
    return {"data": data, "bytes": len(data), "stream_sha256": keep_stream(streams, data),
            "encode_s": clock.wall, "encode_cpu_s": clock.cpu}  # fmt: skip


def _same_kind(decoded: Any, source: Image, info: CodecInfo) -> Image:
    pixels = pixel.check(decoded, f"{info.id}: decoded picture")
    if pixels.shape != source.shape or pixels.dtype != source.dtype:
        raise PluginError(f"{info.id}: decoded to {pixels.shape} {pixels.dtype}, "
                          f"the source is {source.shape} {source.dtype}")
    return pixels


def _shape(pixels: Image) -> dict[str, int]:
    height, width, channels = pixels.shape
    return {"width": width, "height": height, "channels": channels, "bit_depth": pixels.dtype.itemsize * 8}


def fail_all(job: Job, error: Exception, emit: Emit) -> None:
    """Every point of a job ends in `error`: its picture or its codec cannot be opened."""
    for point in job.points:
        emit({"event": "point", "key": point.key, **failure(error)})


def failure(error: Exception) -> dict[str, Any]:
    """`status` and `reason` of a point that ended in `error`."""
    if isinstance(error, UnsupportedImageError):
        return {"status": "unsupported", "reason": str(error)}
    if isinstance(error, MemoryError):
        return {"status": "memory", "reason": f"out of memory: {error or 'an allocation failed'}"}
    text = str(error) if isinstance(error, BenchboxError) else f"{type(error).__name__}: {error}"
    return {"status": "failed", "reason": " ".join(text.split())[:500]}


def decode_row(row: Mapping[str, Any], streams: Path) -> Image:
    """The decoded picture of a results row (`codec`, `options`, `device`, `stream_sha256`), from its kept stream."""
    codec = worker().codec(str(row["codec"]), str(row["options"]), str(row["device"]))
    return pixel.check(codec.decode(read_stream(streams, str(row["stream_sha256"]))), str(row["codec"]))
