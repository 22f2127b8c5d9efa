"""Damaged streams through the decoders: each must come back as a picture or be refused by one line of benchbox's.

Each codec has a child process with limited memory that encodes tiny pictures, changes the streams and decodes them. The
parent notes where it dies or takes too long, and starts another after that stream. Every change follows from seed,
codec and number, so any can be made again.
"""

from __future__ import annotations

import dataclasses
import json
import random
import resource
import struct
import subprocess
import sys
import tempfile
import time
import zlib
from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from benchbox import image, registry
from benchbox.cli import one_picture
from benchbox.codec import Codec, CodecInfo
from benchbox.errors import BenchboxError
from benchbox.guard import guarded
from benchbox.image import Image

OURS = ("resnet",)
"""Codecs whose whole bitstream is ours."""

SIZES = ((17, 17), (33, 47), (64, 80))
ADDRESS_SPACE = 12 << 30
SECONDS = 60.0
"""The longest that one stream may take."""

START_SECONDS = 600.0
"""The longest that a child may take to make the streams that it is to change."""

DOOR_EVERY = 10
"""Of so many streams one is decoded by the function behind ``benchbox decode``, which opens the codec anew."""

PICTURE, REFUSED, STOPPED = "picture", "refused", "stopped by the user"


@dataclasses.dataclass
class Outcome:
    """What became of the streams of one codec; `raw` are results that are neither a picture nor one line of ours."""

    codec: str
    pictures: int = 0
    refused: int = 0
    raw: list[str] = dataclasses.field(default_factory=list)
    slowest: float = 0.0

    @property
    def tries(self) -> int:
        """Number of streams decoded."""
        return self.pictures + self.refused + len(self.raw)


def available() -> list[str]:
    """Ids of the codecs that can be tried here."""
    return [info.id for info in registry.load().codecs.values() if info.unavailable() is None]


def attack(codec: str, count: int, seed: int, keep: Path) -> Outcome:
    """Decode `count` changed streams of `codec` in child processes. Streams with a raw result are kept in `keep`."""
    outcome, begin = Outcome(codec), 0
    while begin < count:
        with tempfile.TemporaryDirectory(prefix="torture-") as folder:
            results, ending = _child(codec, (begin, count), seed, Path(folder))
            for number, result, seconds in results:
                outcome.slowest = max(outcome.slowest, seconds)
                outcome.pictures += result == PICTURE
                outcome.refused += result == REFUSED
                if result not in (PICTURE, REFUSED):
                    _raw(outcome, number, result, Path(folder), keep)
            begin += len(results)
            if ending == STOPPED:
                return outcome
            if begin < count:
                _raw(outcome, begin, ending, Path(folder), keep)
                begin += 1
    return outcome


def _child(codec: str, numbers: tuple[int, int], seed: int, folder: Path) -> tuple[list[tuple[int, str, float]], str]:
    """(number, result, seconds) of each stream that a child process finished, and how the process ended."""
    lines = folder / "results"
    lines.touch()
    with (folder / "errors").open("wb") as errors:
        command = [sys.executable, __file__, codec, *map(str, numbers), str(seed), str(folder)]
        child = subprocess.Popen(command, stdout=errors, stderr=errors)
    ending = ""
    try:
        while child.poll() is None:
            time.sleep(0.2)
            begun = (folder / "stream").exists()  # else it still encodes the pictures
            if time.time() - lines.stat().st_mtime > (SECONDS if begun else START_SECONDS):
                child.kill()
                ending = f"not finished after {SECONDS:g} s"
    except KeyboardInterrupt:
        child.kill()
        child.wait()
        ending = STOPPED
    results = [tuple(json.loads(line)) for line in lines.read_text().splitlines()]
    if not (folder / "stream").exists():
        said = (folder / "errors").read_text(errors="replace").strip().splitlines()
        raise SystemExit(f"{codec}: its streams cannot be made: {(said or ['nothing was said'])[-1]}")
    return results, ending or f"the process ended with status {child.returncode}"


def _raw(outcome: Outcome, number: int, what: str, folder: Path, keep: Path) -> None:
    outcome.raw.append(f"{outcome.codec} {number}: {what}")
    keep.mkdir(parents=True, exist_ok=True)
    kept = folder / f"raw-{number}"
    (keep / f"{outcome.codec}-{number}.bin").write_bytes((kept if kept.exists() else folder / "stream").read_bytes())


def pictures_for(info: CodecInfo) -> list[Image]:
    """Tiny pictures of each kind that the codec takes."""
    noise = np.random.default_rng(0)
    found = []
    for height, width in SIZES:
        y, x = np.mgrid[:height, :width]
        planes = np.stack([x * 5 + y * 3, x * 2 + y * 7, x + y, x * 9], 2) % 256
        planes += noise.integers(0, 20, planes.shape)
        for channels in sorted(info.capabilities.channels):
            for bits in sorted(info.capabilities.bit_depths):
                pixels = planes.clip(0, 255)[:, :, :channels] * (257 if bits == 16 else 1)
                found.append(np.ascontiguousarray(pixels.astype(np.uint16 if bits == 16 else np.uint8)))
    return [pixels for pixels in found if info.capabilities.refusal(pixels) is None]


def sound(info: CodecInfo, codec: Codec) -> list[bytes]:
    """Streams of the tiny pictures at both ends and in the middle of the codec's axis."""
    axis = info.axis(info.parse_options({}))
    values = axis.values if axis is not None else (None,)
    streams = []
    for pixels in pictures_for(info):
        for quality in {values[0], values[len(values) // 2], values[-1]}:
            try:
                streams.append(codec.encode(pixels, quality))
            except BenchboxError:  # declined
                continue
    return streams


def changed(streams: Sequence[bytes], chance: random.Random) -> bytes:
    """One of the streams with damage."""
    data = bytearray(chance.choice(streams))
    chance.choice(_DAMAGE)(data, streams, chance)
    return bytes(data)


def _truncate(data: bytearray, _streams: Sequence[bytes], chance: random.Random) -> None:
    del data[chance.randrange(len(data) + 1) :]


def _flip(data: bytearray, _streams: Sequence[bytes], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 1, 3, 10))):
        data[chance.randrange(len(data))] ^= 1 << chance.randrange(8)


def _header(data: bytearray, _streams: Sequence[bytes], chance: random.Random) -> None:
    for _ in range(chance.choice((1, 2, 4))):
        data[chance.randrange(min(len(data), 120))] = chance.choice((0, 1, 0x7F, 0x80, 0xFF, chance.randrange(256)))


def _replace(data: bytearray, _streams: Sequence[bytes], chance: random.Random) -> None:
    place = chance.randrange(len(data))
    data[place : place + chance.randrange(1, 30)] = chance.randbytes(chance.randrange(30))


def _number(data: bytearray, _streams: Sequence[bytes], chance: random.Random) -> None:
    place = chance.randrange(max(1, min(len(data) - 4, 200)))
    data[place : place + 4] = chance.choice((b"\xff" * 4, b"\x7f\xff\xff\xff", b"\0\0\xff\xff", b"\0\1\0\0", bytes(4)))


def _splice(data: bytearray, streams: Sequence[bytes], chance: random.Random) -> None:
    other = chance.choice(streams)
    data[chance.randrange(len(data) + 1) :] = other[chance.randrange(len(other) + 1) :]


_DAMAGE: tuple[Callable[[bytearray, Sequence[bytes], random.Random], None], ...] = (
    _truncate, _flip, _flip, _header, _header, _replace, _number, _splice,
)  # fmt: skip


def resealed(data: bytes) -> bytes:
    """A stream of resnet with the checksum that its bytes have now, so that damage gets beyond that check."""
    return data[:-4] + struct.pack("<I", zlib.crc32(data[:-4])) if len(data) > 4 else data


def _decode(codec: Codec, info: CodecInfo, data: bytes) -> str:
    try:
        image.check(guarded(codec.decode, data), info.id)
    except BenchboxError as error:
        return _judged(error)
    return PICTURE


def _decode_by_door(stream: Path, codec: str) -> str:
    try:
        one_picture.decode(stream, codec, stream.with_suffix(".png"), "cpu", registry.load())
    except BenchboxError as error:
        return _judged(error)
    return PICTURE


def _judged(error: BenchboxError) -> str:
    return REFUSED if "\n" not in str(error) and " raised " not in str(error) else f"raw: {error}"


def main() -> None:
    """Decode the changed streams ``BEGIN .. END - 1`` of one codec; arguments as in `_child`."""
    name, begin, end, seed = sys.argv[1], int(sys.argv[2]), int(sys.argv[3]), sys.argv[4]
    folder = Path(sys.argv[5])
    resource.setrlimit(resource.RLIMIT_AS, (ADDRESS_SPACE, ADDRESS_SPACE))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    info = registry.load().codec(name)
    codec = info.open(info.parse_options({}), "cpu")
    streams = sound(info, codec)
    with (folder / "results").open("a", buffering=1) as results:
        for number in range(begin, end):
            chance = random.Random(f"{seed} {name} {number}")
            data = changed(streams, chance)
            if name in OURS and chance.random() < 0.8:
                data = resealed(data)
            (folder / "stream").write_bytes(data)
            start = time.perf_counter()
            try:
                by_door = number % DOOR_EVERY == 0
                result = _decode_by_door(folder / "stream", name) if by_door else _decode(codec, info, data)
            except Exception as error:  # what a user would see as a traceback
                result = f"raw: {type(error).__name__}: {error}"
            if result not in (PICTURE, REFUSED):
                (folder / f"raw-{number}").write_bytes(data)
            results.write(json.dumps([number, result, time.perf_counter() - start]) + "\n")


if __name__ == "__main__":
    main()
