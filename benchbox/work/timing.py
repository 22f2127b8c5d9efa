"""Times a point that was measured before, under the timing protocol."""

from __future__ import annotations

import hashlib
from typing import Any

from benchbox.codec.given import given_stream
from benchbox.guard import breach
from benchbox.plan import Point, Timing
from benchbox.work.clock import decode_batch, encode_batch, repeated
from benchbox.work.setup import Setup, check_untouched


def time_point(setup: Setup, point: Point, row: dict[str, Any], protocol: Timing) -> None:
    """Time a point that was measured before.

    Raises:
        PluginError: the bytes differ from those of the quality run by more than the codec declares.
    """
    info, codec = setup.info, setup.codec
    pixels = setup.source.copy()
    given, _ = encode_batch(info.id, codec, [pixels] * protocol.batch, point.quality)
    if not isinstance(given, list | tuple) or len(given) != protocol.batch:
        raise breach(codec.encode_batch, f"encode_batch must give a list of {protocol.batch} streams, one for each "
                     "picture", info.id)
    streams = [given_stream(codec, output, info.id) for output in given]
    _check_same(streams[0], point, setup)
    decode_batch(info.id, codec, streams)
    row["timing"] = repeated(info.id, codec, pixels, point.quality, streams, protocol)
    check_untouched(pixels, setup)


def _check_same(data: bytes, point: Point, setup: Setup) -> None:
    """Raise PluginError unless timing encodes what was measured: the same bytes, or where the codec declares a
    `size_tolerance` (the quality run may be another machine's) a stream of a length within it."""
    info, codec, known = setup.info, setup.codec, point.stream
    if not info.capabilities.deterministic or known in (None, hashlib.sha256(data).hexdigest()):
        return
    assert known is not None
    tolerance = info.capabilities.size_tolerance
    if not tolerance:
        raise breach(codec.encode, "encode gives other bytes than in the quality run though deterministic is "
                     "declared; keep no state between calls, or declare deterministic=False", info.id)
    size = setup.streams.size(known)
    if size is not None and abs(len(data) - size) > tolerance * size:
        raise breach(codec.encode, f"encode gives {len(data)} bytes where the quality run had {size}, and they are "
                     f"declared to differ by at most {100 * tolerance:g} %; declare another size_tolerance", info.id)
