"""Measures a job, with one loop for quality and for timing. The only place that scores.

Events are dicts of JSON values, so that a file of them outlives the process that wrote it:

- ``{"event": "start", "key"}`` before work on a point begins; with ``"unscored": {metric: version}`` where the point
  was measured before and is only to be scored,
- ``{"event": "scoring", "key", "metric", "version", "row"}`` before a metric scores the point; `row` is what was found
  so far, so that a metric that ends the process costs its own score only,
- ``{"event": "point", "key", "status", "reason", ...}`` when the point is finished. A quality point has `bytes` and
  the other columns of its encoding; `scores` maps a metric to ``[version, value or null, reason]``; `rescored` says
  that a kept stream was only decoded and scored. A timed point has `timing`, see `benchbox.work.clock.repeated`.
  `changed` tells why where the picture is no longer the one that was planned, so that nothing was measured.

Plugins get copies of pictures, made outside the clock, and a codec that writes into its input fails by name. The first
point of a job is decoded in another process too, so that a codec that keeps the picture elsewhere than in its stream is
found out; where that fails, so are the points after it.
"""

from __future__ import annotations

import errno
import hashlib
from collections.abc import Callable, Mapping
from contextlib import nullcontext
from typing import Any

import numpy as np

from benchbox import image as pixel
from benchbox.codec.given import given_picture, given_stream
from benchbox.errors import PluginError, StoreError, UnsupportedImageError
from benchbox.guard import breach
from benchbox.image import Image
from benchbox.plan import Job, Point
from benchbox.processes import end_descendants
from benchbox.store import UNSCORED, Streams
from benchbox.work.call import call, reason_of
from benchbox.work.clock import timed
from benchbox.work.setup import Emit, Setup, check_untouched, set_up
from benchbox.work.timing import Watched, time_point
from benchbox.work.worker import Worker, sides_of


def run_job(
    worker: Worker, job: Job, streams: Streams, emit: Emit, go_on: Callable[[], bool] = lambda: True
) -> None:
    """Measure or time every point of a job and emit each as soon as it is finished.

    Errors of the codec cost the point, not the job; StoreError (a full disk) is passed on, since nothing more could be
    kept. `go_on` is asked before each point but the first.
    """
    if not job.points:
        return
    emit(_start(worker, job, job.points[0]))
    try:
        source = worker.source(job.sample, job.sample_sha256)
    except Exception as error:  # the picture changed after it was planned; a third party's sample may raise anything
        changed = "" if _is_of_memory(error) else reason_of(error)
        for point in job.points:
            emit({"event": "point", "key": point.key, "changed": changed, **_failed(worker, job, point, error)})
        return
    try:
        setup = set_up(worker, job, source, streams, emit)
    except StoreError:
        raise
    except Exception as error:  # a codec may raise anything
        for point in job.points:
            emit({"event": "point", "key": point.key, **_failed(worker, job, point, error)})
        return
    if job.timing is None:
        _each_point(setup, _encode_and_score, emit, emit, go_on)
        return
    watched = Watched(emit)

    def measure(setup: Setup, point: Point, row: dict[str, Any]) -> None:
        assert job.timing is not None
        watched.begin()
        time_point(setup, point, row, job.timing)

    try:
        _each_point(setup, measure, emit, watched.take, go_on)
    finally:
        watched.end()


def _each_point(
    setup: Setup, measure: Callable[[Setup, Point, dict[str, Any]], None], begun: Emit, finished: Emit,
    go_on: Callable[[], bool],
) -> None:  # fmt: skip
    job, worker = setup.job, setup.worker
    source_sha256 = worker.registry.source_sha256(job.codec)
    for point in job.points:
        if point is not job.points[0] and not go_on():
            return
        begun(_start(worker, job, point))
        row: dict[str, Any] = {"status": "ok", "reason": "", "source_sha256": source_sha256}
        try:
            measure(setup, point, row)
        except StoreError:
            raise
        except Exception as error:  # a codec may raise anything
            row |= _failed(worker, job, point, error)
        finished({"event": "point", "key": point.key, **row})


def _start(worker: Worker, job: Job, point: Point) -> dict[str, Any]:
    event: dict[str, Any] = {"event": "start", "key": point.key}
    if _is_rescored(job, point):
        event["unscored"] = {name: worker.registry.metric(name).version for name in point.metrics}
    return event


def _is_rescored(job: Job, point: Point) -> bool:
    return point.stream is not None and job.timing is None


def decode_row(worker: Worker, row: Mapping[str, Any], streams: Streams) -> Image:
    """The decoded picture of a results row (`codec`, `options`, `device`, `stream_sha256`), from its stored stream."""
    codec = worker.codec(str(row["codec"]), str(row["options"]), str(row["device"]))
    pixels = call(str(row["codec"]), codec.decode, streams.get(str(row["stream_sha256"])))
    return given_picture(codec, pixels, str(row["codec"]))


def _encode_and_score(setup: Setup, point: Point, row: dict[str, Any]) -> None:
    """Fill `row` step by step, so that values found before an error are kept."""
    info, codec, pixels = setup.info, setup.codec, setup.source.pixels
    row |= _shape(pixels)
    refusal = info.capabilities.refusal(pixels)
    if refusal is not None:
        raise UnsupportedImageError(refusal)
    kept = None if point.stream is None else _kept(setup, point, point.stream)
    if kept is None and point.stream is not None:  # the scores held are of bytes that are lost
        point = Point(point.key, point.quality, (*point.scored, *point.metrics))
    row["rescored"] = kept is not None
    data = _encode(setup, point, row) if kept is None else kept
    sha256 = row["stream_sha256"] if kept is None else point.stream
    output, clock = timed(info.id, codec.decode, data)
    if hashlib.sha256(data).hexdigest() != sha256:
        raise breach(codec.decode, "decode writes into the stream that it is given; let it work on a copy", info.id)
    decoded = _same_kind(output, pixels, setup)
    if not setup.trust.earned:
        _decode_elsewhere(setup, data, decoded)
    if kept is None:
        exact = pixel.same(decoded, pixels)
        row |= {"decode_s": clock.wall, "decode_cpu_s": clock.cpu, "exact": exact,
                "pixels_sha256": pixel.digest(decoded)}  # fmt: skip
        if info.capabilities.lossless and not exact:
            differ = int(np.any(decoded != pixels, axis=2).sum())
            raise breach(codec.decode, f"{differ} pixels differ though lossless is declared; declare lossless=False "
                         "and an axis, or keep every pixel", info.id)
    _score(setup, point, row, decoded)


def _score(setup: Setup, point: Point, row: dict[str, Any], decoded: Image) -> None:
    scores: dict[str, list[Any]] = {}
    row["scores"] = scores
    sides = sides_of(decoded)
    for name in point.metrics:
        metric = setup.worker.registry.metric(name)
        if name in setup.job.given_up:
            scores[name] = [metric.version, None, f"{UNSCORED}{name}: {setup.job.given_up[name]}"]
            continue
        setup.emit({"event": "scoring", "key": point.key, "metric": name, "version": metric.version, "row": row})
        scores[name] = setup.source.score(metric, sides)


def _decode_elsewhere(setup: Setup, data: bytes, decoded: Image) -> None:
    """Raises PluginError if the stream decodes to other pixels in a process that did not encode it."""
    job, info = setup.job, setup.info
    assert setup.worker.elsewhere is not None
    decode, remedy = setup.codec.decode, "the stream must hold all that decode needs"
    end_descendants(frozenset(setup.worker.kept_processes))  # one that a codec left could hand the picture on
    try:
        other = setup.worker.elsewhere.decode(job.codec, job.options, job.device, data)
    except PluginError as error:
        said = f"its stream cannot be decoded in another process ({error}); {remedy}"
        raise breach(decode, said, info.id) from None
    tolerance = info.capabilities.pixel_tolerance
    if other.shape != decoded.shape or other.dtype != decoded.dtype or (
        int(np.abs(other.astype(np.int32) - decoded.astype(np.int32)).max()) > tolerance if tolerance
        else not pixel.same(other, decoded)
    ):  # fmt: skip
        raise breach(decode, f"its stream decodes to other pixels in another process; {remedy}", info.id)
    setup.trust.earned = True
    setup.worker.elsewhere.trust(job.codec, job.options, job.device)


def _encode(setup: Setup, point: Point, row: dict[str, Any]) -> bytes:
    given = setup.source.copy()
    elsewhere = None if setup.trust.earned else setup.worker.elsewhere
    with nullcontext() if elsewhere is None else elsewhere.encoding():
        output, clock = timed(setup.info.id, setup.codec.encode, given, point.quality)
    check_untouched(given, setup)
    data = given_stream(setup.codec, output, setup.info.id)
    row |= {"bytes": len(data), "stream_sha256": _put(setup, data),
            "encode_s": clock.wall, "encode_cpu_s": clock.cpu}  # fmt: skip
    return data


def _put(setup: Setup, data: bytes) -> str:
    try:
        return setup.streams.put(data)
    except StoreError as error:
        if getattr(error.__cause__, "errno", None) == errno.EMFILE:  # a limit of this process, which is replaced then
            said = "encode leaves no file to open for anybody else; let it close its files, and keep the limit"
            raise breach(setup.codec.encode, said, setup.info.id) from None
        raise


def _kept(setup: Setup, point: Point, sha256: str) -> bytes | None:
    """The kept stream of a point that is only to be scored; encoded again where it is damaged, and None where that
    gives other bytes."""
    try:
        return setup.streams.get(sha256)
    except StoreError:
        data = _encode(setup, point, {})
        return data if hashlib.sha256(data).hexdigest() == sha256 else None


def _same_kind(decoded: Any, source: Image, setup: Setup) -> Image:
    pixels = given_picture(setup.codec, decoded, setup.info.id)
    if pixels.shape != source.shape or pixels.dtype != source.dtype:
        raise breach(setup.codec.decode, f"a picture went in as {source.shape} {source.dtype} and came back as "
                     f"{pixels.shape} {pixels.dtype}; return the shape and dtype that were encoded", setup.info.id)
    return pixels


def _shape(pixels: Image) -> dict[str, int]:
    height, width, channels = pixels.shape
    return {"width": width, "height": height, "channels": channels, "bit_depth": pixels.dtype.itemsize * 8}


def _failed(worker: Worker, job: Job, point: Point, error: Exception) -> dict[str, Any]:
    """What is known of a point that ended in `error`. One that was measured before and could not be scored stays what
    it is; the scores asked for are missing, and say why."""
    if _is_rescored(job, point):
        reason = f"{UNSCORED}decoding the kept stream failed: {reason_of(error)}"
        metrics = (worker.registry.metric(name) for name in point.metrics)
        scores = {metric.id: [metric.version, None, reason] for metric in metrics}
        return {"status": "ok", "reason": "", "rescored": True, "scores": scores}
    if isinstance(error, UnsupportedImageError):
        return {"status": "unsupported", "reason": reason_of(error)}
    if _is_of_memory(error):
        return {"status": "memory", "reason": f"out of memory: {reason_of(error)}"}
    return {"status": "failed", "reason": reason_of(error)}


def _is_of_memory(error: Exception) -> bool:
    return isinstance(error, MemoryError) or isinstance(error.__cause__, MemoryError)
