"""MozJPEG from pyvips-binary, with everything on that its own cjpeg turns on: trellis quantisation, overshoot
deringing, progressive scans searched for the smallest file, quantisation table 3 (ImageMagick's, by N. Robidoux)."""

from __future__ import annotations

import functools
import re
from typing import Any, Literal

import numpy as np
from pydantic import Field

from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import MAX_PIXELS, Image

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""

_INSTALL = 'run: pip install "benchbox[mozjpeg]"'


class Options(OptionsModel):
    """Options of MozJPEG."""

    subsampling: Literal["4:2:0", "4:4:4"] = Field("4:2:0", description="chroma subsampling of colour")
    quant_table: int = Field(3, ge=0, le=8, description="quantisation table; 0 is annex K of JPEG, 3 MozJPEG's default")
    trellis: bool = Field(True, description="trellis quantisation")


class MozjpegInfo(CodecInfo):
    """MozJPEG; the bytes depend on pyvips, libvips and the MozJPEG inside it."""

    def identity(self, options: Any) -> str:
        import pyvips

        libvips = ".".join(str(pyvips.version(part)) for part in range(3))
        return f"benchbox_mozjpeg {VERSION} pyvips {pyvips.__version__} libvips {libvips} MozJPEG {_mozjpeg()}"

    def unavailable(self) -> str | None:
        try:
            import pyvips  # noqa: F401
        except Exception as error:  # without its binary, pyvips raises OSError when it finds no libvips
            return f"pyvips cannot be imported ({(str(error).splitlines() or [''])[0]}); {_INSTALL}"
        if not _mozjpeg():
            return f"this libvips comes without MozJPEG; {_INSTALL}"
        return None


class MozjpegCodec(CheckedCodec):
    """Writes and reads JPEG files in memory."""

    def __init__(self, info: CodecInfo, options: Any, device: str = "cpu") -> None:
        super().__init__(info, options, device)
        import pyvips

        pyvips.concurrency_set(1)
        pyvips.cache_set_max(0)  # else decoding the same bytes again is a look-up

    def compress(self, image: Image, quality: float) -> bytes:
        import pyvips

        height, width, channels = image.shape
        picture = pyvips.Image.new_from_memory(image.tobytes(), width, height, channels, "uchar")
        picture = picture.copy(interpretation="srgb" if channels == 3 else "b-w")
        subsample = "on" if self.options.subsampling == "4:2:0" else "off"  # "auto" drops 4:2:0 from quality 90 on
        try:
            data: bytes = picture.jpegsave_buffer(
                Q=int(quality), subsample_mode=subsample, quant_table=self.options.quant_table,
                trellis_quant=self.options.trellis, overshoot_deringing=True, optimize_scans=True,
                optimize_coding=True, interlace=True, keep="none")
        except pyvips.Error as error:
            raise CodecError(f"{self.info.id}: libvips could not encode: {_line(error)}") from error
        return data

    def decode(self, data: bytes) -> Image:
        if not data.startswith(b"\xff\xd8") or not data.endswith(b"\xff\xd9"):
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are truncated or of another format")
        import pyvips

        try:
            picture = pyvips.Image.jpegload_buffer(data, fail_on="warning", access="sequential")
            if picture.format != "uchar" or picture.bands not in (1, 3):
                raise CorruptBitstream(f"{self.info.id}: {picture.bands} bands of {picture.format} "
                                       "are no picture of this codec")
            if picture.width * picture.height > MAX_PIXELS:
                raise CorruptBitstream(f"{self.info.id}: the header claims {picture.width}x{picture.height}, "
                                       f"above {MAX_PIXELS} pixels")
            pixels = np.frombuffer(picture.write_to_memory(), np.uint8)
        except pyvips.Error as error:
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded ({_line(error)})") from error
        return pixels.reshape(picture.height, picture.width, picture.bands)


@functools.cache
def _mozjpeg() -> str:
    """The version of MozJPEG inside the libvips of pyvips-binary, found in the library file, since libvips has no
    function that returns it; ``""`` where there is none."""
    from importlib import metadata

    try:
        files = metadata.files("pyvips-binary") or []
    except metadata.PackageNotFoundError:
        return ""
    for file in files:
        if file.name.startswith("libvips"):
            found = re.search(rb"mozjpeg version ([0-9][0-9.]*)", file.read_binary())
            if found:
                return found[1].decode()
    return ""


def _line(error: Any) -> str:
    return " ".join(str(error.detail or error.message).split())


MOZJPEG = MozjpegInfo(
    id="mozjpeg",
    title="MozJPEG",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3}), max_size=65500),  # 65500: libjpeg's JPEG_MAX_DIMENSION
    suffix=".jpg",
    quality=QualityAxis("quality", (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 85, 90, 95), 1, 100, integer=True),
    codec_class=MozjpegCodec,
)
