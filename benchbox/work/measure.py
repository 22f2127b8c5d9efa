"""Measures a job, with one loop for quality and for timing. The only place that scores.

Events are dicts of JSON values, so that a file of them outlives the process that wrote it:

- ``{"event": "start", "key"}`` before work on a point begins,
- ``{"event": "point", "key", "status", "reason", ...}`` when it is finished. A quality point has `bytes` and the other
  columns of its encoding, `scores` (metric id -> ``[version, value or null, reason]``) and `rescored` (true if a kept
  stream was only decoded and scored). A timed point has `timing`, the result of `benchbox.work.clock.repeated`.
  `changed` is true where the picture is no longer the one that was planned, so that nothing was measured.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np

from benchbox import image as pixel
from benchbox.codec import Codec, CodecInfo
from benchbox.errors import BenchboxError, PluginError, StoreError, UnsupportedImageError
from benchbox.image import Image
from benchbox.plan import Job, Point, Timing
from benchbox.store import Streams
from benchbox.work.clock import decode_batch, encode_batch, repeated, timed
from benchbox.work.worker import Source, Worker

Emit = Callable[[dict[str, Any]], None]


@dataclass(frozen=True)
class _Setup:
    """Shared by all points of a job."""

    info: CodecInfo
    codec: Codec
    source: Source
    streams: Streams


def run_job(
    worker: Worker, job: Job, streams: Streams, emit: Emit, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Measure or time every point of a job and emit each as soon as it is finished.

    The codec is opened and warmed up, untimed, on this picture. An error of the codec fails the point, not the job;
    StoreError (a full disk) is raised, since nothing more could be stored. `go_on` is called before each point; False
    ends the job.
    """
    if not job.points:
        return
    emit({"event": "start", "key": job.points[0].key})
    try:
        source = worker.source(job.sample, job.sample_sha256)
    except Exception as error:  # the picture changed after it was planned; a third party's sample may raise anything
        for point in job.points:
            emit({"event": "point", "key": point.key, "changed": True, **_failure(error)})
        return
    try:
        setup = _set_up(worker, job, source, streams)
    except StoreError:
        raise
    except Exception as error:  # a codec may raise anything
        for point in job.points:
            emit({"event": "point", "key": point.key, **_failure(error)})
        return
    measure = _encode_and_score if job.timing is None else partial(_time, protocol=job.timing)
    for point in job.points:
        if not go_on():
            return
        emit({"event": "start", "key": point.key})
        row: dict[str, Any] = {"status": "ok", "reason": ""}
        try:
            measure(setup, point, row)
        except StoreError:
            raise
        except Exception as error:  # a codec may raise anything
            row |= _failure(error)
        emit({"event": "point", "key": point.key, **row})


def decode_row(worker: Worker, row: Mapping[str, Any], streams: Streams) -> Image:
    """The decoded picture of a results row (`codec`, `options`, `device`, `stream_sha256`), from its stored stream."""
    codec = worker.codec(str(row["codec"]), str(row["options"]), str(row["device"]))
    return pixel.check(codec.decode(streams.get(str(row["stream_sha256"]))), str(row["codec"]))


def _set_up(worker: Worker, job: Job, source: Source, streams: Streams) -> _Setup:
    """Open the codec of a job.

    Raises:
        PluginError: this process has another version of the codec than the plan was made with.
    """
    info = worker.registry.codec(job.codec)
    options = info.parse_options(json.loads(job.options))
    info.require(options)
    identity = info.identity(options)
    if identity != job.identity:
        raise PluginError(f"{job.codec}: this worker has '{identity}', the plan was made with '{job.identity}'; "
                          "install the same versions on every machine")
    codec = worker.codec(job.codec, job.options, job.device)
    refused = info.capabilities.refusal(source.pixels) is not None
    if job.timing is None and not refused and any(point.stream is None for point in job.points):
        _warm_up(codec, source.pixels, job.points[0].quality)
    return _Setup(info, codec, source, streams)


def _warm_up(codec: Codec, pixels: Image, quality: float | None) -> None:
    try:
        codec.decode(codec.encode(pixels, quality))
    except Exception:  # the point makes the same call again and records its error
        return


def _encode_and_score(setup: _Setup, point: Point, row: dict[str, Any]) -> None:
    """Fill `row` step by step, so that values found before an error are kept."""
    info, codec, pixels = setup.info, setup.codec, setup.source.pixels
    row |= _shape(pixels)
    refusal = info.capabilities.refusal(pixels)
    if refusal is not None:
        raise UnsupportedImageError(refusal)
    row["rescored"] = point.stream is not None
    data = setup.streams.get(point.stream) if point.stream is not None else _encode(setup, point, row)
    output, clock = timed(lambda: codec.decode(data))
    decoded = _same_kind(output, pixels, info)
    if point.stream is None:
        exact = bool(np.array_equal(decoded, pixels))
        row |= {"decode_s": clock.wall, "decode_cpu_s": clock.cpu, "exact": exact,
                "pixels_sha256": pixel.digest(decoded)}  # fmt: skip
        if info.capabilities.lossless and not exact:
            differ = int(np.any(decoded != pixels, axis=2).sum())
            raise PluginError(f"{info.id} declares itself lossless, but {differ} pixels differ")
    row["scores"] = setup.source.scores(decoded, point.metrics)


def _encode(setup: _Setup, point: Point, row: dict[str, Any]) -> bytes:
    data, clock = timed(lambda: setup.codec.encode(setup.source.pixels, point.quality))
    if not isinstance(data, bytes | bytearray | memoryview) or not len(data):
        what = "0 bytes" if isinstance(data, bytes | bytearray | memoryview) else type(data).__name__
        raise PluginError(f"{setup.info.id}: encode must return non-empty bytes, got {what}")
    data = bytes(data)
    row |= {"bytes": len(data), "stream_sha256": setup.streams.put(data),
            "encode_s": clock.wall, "encode_cpu_s": clock.cpu}  # fmt: skip
    return data


def _time(setup: _Setup, point: Point, row: dict[str, Any], protocol: Timing) -> None:
    """Time a point that was measured before.

    Raises:
        PluginError: the bytes differ from those of the quality run, though the codec declares itself deterministic.
    """
    info, codec, pixels = setup.info, setup.codec, setup.source.pixels
    streams = encode_batch(codec, [pixels] * protocol.batch, point.quality)
    if info.capabilities.deterministic and point.stream not in (None, hashlib.sha256(streams[0]).hexdigest()):
        raise PluginError(f"{info.id} declares itself deterministic, but gave different bytes than in the quality run")
    decode_batch(codec, streams)
    row["timing"] = repeated(codec, pixels, point.quality, streams, protocol)


def _same_kind(decoded: Any, source: Image, info: CodecInfo) -> Image:
    pixels = pixel.check(decoded, f"{info.id}: decoded picture")
    if pixels.shape != source.shape or pixels.dtype != source.dtype:
        raise PluginError(f"{info.id}: decoded to {pixels.shape} {pixels.dtype}, "
                          f"the source is {source.shape} {source.dtype}")
    return pixels


def _shape(pixels: Image) -> dict[str, int]:
    height, width, channels = pixels.shape
    return {"width": width, "height": height, "channels": channels, "bit_depth": pixels.dtype.itemsize * 8}


def _failure(error: Exception) -> dict[str, Any]:
    """`status` and `reason` of a point that ended in `error`."""
    if isinstance(error, UnsupportedImageError):
        return {"status": "unsupported", "reason": str(error)}
    if isinstance(error, MemoryError):
        return {"status": "memory", "reason": f"out of memory: {error or 'an allocation failed'}"}
    text = str(error) if isinstance(error, BenchboxError) else f"{type(error).__name__}: {error}"
    return {"status": "failed", "reason": " ".join(text.split())[:500]}
