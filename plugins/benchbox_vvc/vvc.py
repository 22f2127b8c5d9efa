"""VVC (H.266) intra by vvenc, decoded by ffmpeg's own decoder; colour as 10-bit 4:2:0 (see `colour`).

A stream is a header of 5 bytes (kind, width, height) and one VVC picture. The header is needed because pictures are
padded to even sides of 64 or more, and because gray is coded as colour without chroma.
"""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Any, Literal

import numpy as np
from pydantic import Field

from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CodecError, CorruptBitstream, UnsupportedImageError
from benchbox.image import MAX_PIXELS, Image
from benchbox_vvc import colour, ffmpeg

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""

_HEADER = struct.Struct(">BHH")
_KINDS = {0xB1: 1, 0xB3: 3}  # first byte of a stream -> channels

_ROOM = 3
"""Times the height that a picture is coded in whose stream does not fit ffmpeg's buffer: 4:2:0 noise of 10 bits has 15
bits a pixel."""


class Options(OptionsModel):
    """Options of VVC."""

    preset: Literal["faster", "fast", "medium", "slow", "slower"] = Field(
        "fast", description="vvenc's preset; its default, medium, takes 3 times as long for 4 to 5 % fewer bits")
    threads: int = Field(1, ge=1, le=64, description="threads of encoder and decoder")


class VvcInfo(CodecInfo):
    """VVC intra; the bytes depend on ffmpeg and the libvvenc inside it."""

    def identity(self, options: Any) -> str:
        return f"benchbox_vvc {VERSION} {ffmpeg.versions(ffmpeg.executable())}"

    def unavailable(self) -> str | None:
        install = 'run: pip install "benchbox[vvc]"'
        try:
            path = ffmpeg.executable()
        except (ImportError, RuntimeError) as error:
            return f"imageio-ffmpeg finds no ffmpeg ({error}); {install}"
        return None if ffmpeg.versions(path) else f"{path} cannot encode with libvvenc; {install}"


class VvcCodec(CheckedCodec):
    """Starts one ffmpeg process for each call; its start is part of the measured time."""

    def compress(self, image: Image, quality: float) -> bytes:
        height, width, channels = image.shape
        padded = _pad(image)
        if channels == 3:
            planes = colour.to_planes(padded)
        else:
            luma = colour.gray_to_luma(padded)
            flat = np.full((luma.shape[0] // 2, luma.shape[1] // 2), colour.MIDDLE, np.uint16)
            planes = (luma, flat, flat)
        kind = next(key for key, count in _KINDS.items() if count == channels)
        return _HEADER.pack(kind, width, height) + self._stream(planes, quality)

    def _stream(self, planes: Sequence[Any], quality: float) -> bytes:
        """The VVC stream of the three planes. Where it would exceed the 8 bits a pixel that ffmpeg reserves, gray rows
        below the picture, which cost next to nothing, make room for it."""
        try:
            return self._code(planes, quality)
        except CodecError as error:
            if "external library" not in str(error):  # ffmpeg says no more where its buffer is too small
                raise CodecError(f"{self.info.id}: {error}") from error
        try:
            return self._code([np.pad(plane, ((0, (_ROOM - 1) * plane.shape[0]), (0, 0)), constant_values=colour.MIDDLE)
                               for plane in planes], quality)  # fmt: skip
        except CodecError as error:
            raise UnsupportedImageError(f"{self.info.id}: vvenc failed at qp {quality:g} ({error}); take a higher "
                                        "qp") from error

    def _code(self, planes: Sequence[Any], quality: float) -> bytes:
        height, width = planes[0].shape
        samples = b"".join(plane.astype("<u2").tobytes() for plane in planes)
        return ffmpeg.encode(samples, width, height, self.options.preset, int(quality), self.options.threads)

    def decode(self, data: bytes) -> Image:
        if len(data) <= _HEADER.size or data[0] not in _KINDS:
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are no stream of this codec")
        kind, width, height = _HEADER.unpack_from(data)
        if not 0 < width * height <= MAX_PIXELS:
            raise CorruptBitstream(f"{self.info.id}: the header claims {width}x{height}")
        rows, columns = _padded(height), _padded(width)
        try:
            samples = ffmpeg.decode(data[_HEADER.size:], self.options.threads)
        except CodecError as error:
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded ({error})") from error
        size = 3 * rows * columns  # 1.5 samples of 2 bytes a pixel
        if len(samples) not in (size, _ROOM * size):
            raise CorruptBitstream(f"{self.info.id}: {len(samples)} bytes of samples, not those of {width}x{height}")
        coded = rows * len(samples) // size
        values = np.frombuffer(samples, "<u2").astype(np.uint16)
        luma = values[:coded * columns].reshape(coded, columns)[:rows]
        if _KINDS[kind] == 1:
            return np.ascontiguousarray(colour.luma_to_gray(luma)[:height, :width])
        cb, cr = values[coded * columns:].reshape(2, coded // 2, columns // 2)[:, :rows // 2]
        return np.ascontiguousarray(colour.from_planes(luma, cb, cr)[:height, :width])


def _padded(side: int) -> int:
    # vvenc needs 16 at least and pads to multiples of 8 by itself, but ffmpeg gives it a buffer of one byte a pixel,
    # which is too small for the headers of a small picture.
    return max(64, side + side % 2)


def _pad(image: Image) -> Image:
    height, width = image.shape[:2]
    return np.pad(image, ((0, _padded(height) - height), (0, _padded(width) - width), (0, 0)), mode="edge")


VVC = VvcInfo(
    id="vvc",
    title="VVC intra (vvenc)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3}), max_size=8192),
    suffix=".vvc",
    # The quantisation parameter; the size rises as it falls.
    quality=QualityAxis("qp", (51, 47, 43, 40, 37, 34, 31, 28, 25, 22, 19, 16), 0, 63, integer=True),
    codec_class=VvcCodec,
)
