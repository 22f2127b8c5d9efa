"""The only clock: seconds of one call, and repeats under the timing protocol with every raw second kept.

Each call gives wall and processor seconds; all repeats together give the worker's peak memory. Codecs return host data,
so device work and transfers are inside the time; a batch is timed as a whole and divided by its size.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from benchbox.codec import Codec
from benchbox.image import Image
from benchbox.machine import children_peak, children_seconds, forget_peak, peak_memory
from benchbox.plan import Timing
from benchbox.work.call import measuring

LOOK_EVERY = 0.002
"""Seconds between looks at the memory of child processes."""


@dataclass(frozen=True)
class Clock:
    """Seconds that one call took: wall time, and processor time of this process and its children."""

    wall: float
    cpu: float


def timed(owner: str, function: Callable[..., Any], *arguments: Any) -> tuple[Any, Clock]:
    """The value of a plugin's `function`, called as `benchbox.work.call.measuring` has it, and the seconds it took.
    Codecs return host data, so no device work is pending afterwards."""
    with measuring(owner, function):
        children, cpu, wall = children_seconds(), time.process_time(), time.perf_counter()
        value = function(*arguments)
        wall = time.perf_counter() - wall
        cpu = time.process_time() - cpu
        return value, Clock(wall, cpu + max(0.0, children_seconds() - children))


def repeated(
    owner: str, codec: Codec, pixels: Image, quality: float | None, streams: Sequence[bytes], protocol: Timing
) -> dict[str, Any]:
    """Time encoding and decoding `protocol.repeats` times; `streams` is the encoded batch of `pixels`, `owner` the id
    of the codec.

    Returns:
        `encode_s`, `decode_s`, `encode_cpu_s` and `decode_cpu_s` (lists: seconds per picture of each repeat), and
        `peak_bytes` (of this process, and of the child processes that the codec starts).
    """
    images = [pixels] * protocol.batch
    forget_peak()
    before = children_seconds()
    encode, decode = [], []
    for _ in range(protocol.repeats):
        encode.append(encode_batch(owner, codec, images, quality)[1])
        decode.append(decode_batch(owner, codec, streams)[1])
    peak = peak_memory()
    if peak is not None and children_seconds() > before:
        peak += _children_at_most(lambda: decode_batch(owner, codec, encode_batch(owner, codec, images, quality)[0]))
    return {**_seconds("encode", encode, protocol.batch), **_seconds("decode", decode, protocol.batch),
            "peak_bytes": peak}  # fmt: skip


def _children_at_most(call: Callable[[], Any]) -> int:
    """Bytes: the greatest `children_peak` during `call`, looked at every few milliseconds from a thread, which would
    disturb a call that is timed."""
    most, over = 0, threading.Event()

    def watch() -> None:
        nonlocal most
        while not over.wait(LOOK_EVERY):
            most = max(most, children_peak())

    watcher = threading.Thread(target=watch, daemon=True)
    watcher.start()
    try:
        call()
    finally:
        over.set()
        watcher.join()
    return most


def encode_batch(
    owner: str, codec: Codec, images: Sequence[Image], quality: float | None
) -> tuple[list[bytes], Clock]:
    """The streams of `images`, encoded in one call, and its seconds; a single picture goes through `Codec.encode`."""
    if len(images) > 1:
        return timed(owner, codec.encode_batch, images, quality)
    stream, clock = timed(owner, codec.encode, images[0], quality)
    return [stream], clock


def decode_batch(owner: str, codec: Codec, streams: Sequence[bytes]) -> tuple[list[Image], Clock]:
    """The pictures of `streams`, decoded in one call, and its seconds; a single stream goes through `Codec.decode`."""
    if len(streams) > 1:
        return timed(owner, codec.decode_batch, streams)
    pixels, clock = timed(owner, codec.decode, streams[0])
    return [pixels], clock


def _seconds(side: str, clocks: Sequence[Clock], batch: int) -> dict[str, list[float]]:
    return {f"{side}_s": [c.wall / batch for c in clocks], f"{side}_cpu_s": [c.cpu / batch for c in clocks]}
