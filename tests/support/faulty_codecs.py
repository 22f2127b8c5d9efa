"""A sound codec, and codecs with one fault each, for the tests of the conformance kit."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import ConfigDict

from benchbox.codec import Capabilities, Codec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CorruptBitstream, UnsupportedImageError
from benchbox.image import Image, peak


class Steps(OptionsModel):
    """Options of the sound codec."""

    level: int = 6


class SoundCodec(Codec):
    """Rounds to a step and deflates; the quality is the number of levels kept."""

    def __init__(self, lossless: bool) -> None:
        self.lossless = lossless

    def encode(self, image: Image, quality: float | None) -> bytes:
        step = 1.0 if self.lossless else peak(image) / float(quality or 0)
        coded = np.asarray(np.rint(image / step), dtype=image.dtype)
        head = struct.pack("<4s3IBd", b"SND1", *image.shape, image.dtype.itemsize, step)
        body = zlib.compress(coded.tobytes())
        return head + body + struct.pack("<I", zlib.crc32(head + body))

    def decode(self, data: bytes) -> Image:
        if data[:4] != b"SND1" or len(data) < 29 or struct.unpack("<I", data[-4:])[0] != zlib.crc32(data[:-4]):
            raise CorruptBitstream("sound: no stream of this codec")
        _, height, width, channels, size, step = struct.unpack_from("<4s3IBd", data)
        dtype = np.uint8 if size == 1 else np.uint16
        coded = np.frombuffer(zlib.decompress(data[25:-4]), dtype).reshape(height, width, channels)
        top = np.iinfo(dtype).max
        return np.ascontiguousarray(np.clip(np.rint(coded * step), 0, top).astype(dtype))


@dataclass(frozen=True)
class SoundInfo(CodecInfo):
    """A codec without a fault; the faulty ones below derive from it."""

    make: Callable[[bool], Codec] = SoundCodec
    values: tuple[float, ...] = (2, 4, 8, 16, 32, 64)

    def identity(self, options: Any) -> str:
        return "sound 1"

    def axis(self, options: Any) -> QualityAxis | None:
        return None if self.capabilities.lossless else QualityAxis("levels", self.values, 2, 65535)

    def open(self, options: Any, device: str) -> Codec:
        return self.make(self.capabilities.lossless)


ALL_KINDS = Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}))
LOSSLESS = Capabilities(channels=frozenset({1, 3, 4}), bit_depths=frozenset({8, 16}), lossless=True)


def sound(**changes: Any) -> SoundInfo:
    return SoundInfo(**{"id": "sound", "title": "Sound", "Options": Steps, "capabilities": ALL_KINDS, **changes})


class Narrows(SoundCodec):
    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data)
        alike = pixels.shape[2] == 3 and (pixels == pixels[:, :, :1]).all()
        return np.ascontiguousarray(pixels[:, :, :1]) if alike else pixels


class DropsAlpha(SoundCodec):
    def decode(self, data: bytes) -> Image:
        return np.ascontiguousarray(super().decode(data)[:, :, :3])


class SwapsChannels(SoundCodec):
    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data)
        return np.ascontiguousarray(pixels[:, :, ::-1]) if pixels.shape[2] == 3 else pixels


class OffByOne(SoundCodec):
    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data).copy()
        pixels[-1, -1, 0] ^= 1
        return pixels


class FailsAtItsEnd(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        if quality == 65535:
            raise ValueError("too fine")
        return super().encode(image, quality)


class FailsWhenTiny(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        if image.shape[1] < 8:
            raise ValueError("no whole block")
        return super().encode(image, quality)


class FallsAtEight(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        return super().encode(image, 3 if quality == 8 else quality)


class CannotClose(SoundCodec):
    def close(self) -> None:
        raise RuntimeError("busy")


class TakesNoQuality(SoundCodec):
    def encode(self, image: Image) -> bytes:  # type: ignore[override]
        return super().encode(image, 8)


class ReadOnly(SoundCodec):
    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data)
        pixels.setflags(write=False)
        return pixels


class OneBuffer(SoundCodec):
    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data)
        self.buffer = getattr(self, "buffer", pixels)
        self.buffer[:] = pixels
        return self.buffer


class FailsOnNine(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        if (image == 9).all():
            raise ValueError("nine")
        return super().encode(image, quality)


class Remembers(SoundCodec):
    calls = 0

    def encode(self, image: Image, quality: float | None) -> bytes:
        self.calls += 1
        return super().encode(image, float(quality or 0) + self.calls)


class NeedsItself(SoundCodec):
    last: Image | None = None

    def encode(self, image: Image, quality: float | None) -> bytes:
        self.last = image
        return super().encode(image, quality)

    def decode(self, data: bytes) -> Image:
        pixels = super().decode(data)
        return pixels if self.last is None else self.last.copy()


class WritesIntoInput(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        if image.flags.writeable:
            image[0, 0] = 0
        return super().encode(image, quality)


class Bytearrays(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        return bytearray(super().encode(image, quality))  # type: ignore[return-value]


class Trusting(SoundCodec):
    def decode(self, data: bytes) -> Image:
        return super().decode(data[:-4] + struct.pack("<I", zlib.crc32(data[:-4])))


class TakesAnything(SoundCodec):
    def decode(self, data: bytes) -> Image:
        try:
            return super().decode(data)
        except CorruptBitstream:
            return np.zeros((8, 8, 3), np.uint8)


class OtherBatch(SoundCodec):
    def encode_batch(self, images: Any, quality: float | None) -> list[bytes]:
        return [self.encode(image, 4) for image in images]


class RefusesGray(SoundCodec):
    def encode(self, image: Image, quality: float | None) -> bytes:
        if image.shape[2] == 1:
            raise UnsupportedImageError("sound: gray is not for us")
        return super().encode(image, quality)


class Unreliable(SoundInfo):
    def identity(self, options: Any) -> str:
        return f"sound {id(object())} {np.random.default_rng().integers(1 << 60)}"


class Opens(OptionsModel):
    """Accepts any name."""

    model_config = ConfigDict(extra="allow")


class Fragile(OptionsModel):
    """One of its choices fails."""

    mode: Literal["good", "bad"] = "good"


@dataclass(frozen=True)
class FailsWithAChoice(SoundInfo):
    def open(self, options: Any, device: str) -> Codec:
        return DropsAlpha(False) if options.mode == "good" else Vanishes(False)


class Vanishes(SoundCodec):
    def decode(self, data: bytes) -> Image:
        return super().decode(data)[:-1]


class Boastful(Capabilities):
    """Declares gray only, refuses nothing."""

    def refusal(self, image: Image) -> str | None:
        return None


@dataclass(frozen=True)
class TakesUnknownOptions(SoundInfo):
    def parse_options(self, values: Any) -> OptionsModel:
        return Opens.model_validate(dict(values))
