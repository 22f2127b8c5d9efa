"""HEIC: HEVC intra (x265) in a HEIF file, through pillow-heif. Colour is full-range YCbCr of BT.601, 8 bits."""

from __future__ import annotations

import io
from typing import Any, Literal

import numpy as np
from pydantic import Field

from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import Image

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""

_MODES = {1: "L", 3: "RGB", 4: "RGBA"}

Preset = Literal["ultrafast", "superfast", "veryfast", "faster", "fast", "medium", "slow", "slower", "veryslow",
                 "placebo"]  # fmt: skip


class Options(OptionsModel):
    """Options of HEIC."""

    chroma: Literal["4:2:0", "4:2:2", "4:4:4"] = Field("4:2:0", description="chroma subsampling of colour")
    preset: Preset = Field("slow", description="x265's preset; slow is libheif's default")
    tune: Literal["ssim", "psnr", "grain"] = Field("ssim", description="what x265 optimises; ssim is libheif's default")
    psy: bool = Field(False, description="x265's psycho-visual choices (psy-rd, psy-rdoq)")
    threads: int = Field(1, ge=1, le=64, description="threads of encoder and decoder; more than 1 alters the bytes")


class HeicInfo(CodecInfo):
    """HEIC; the bytes depend on pillow-heif and the libraries inside it."""

    def identity(self, options: Any) -> str:
        import pillow_heif

        info = pillow_heif.libheif_info()
        parts = [f"benchbox_heif {VERSION} pillow-heif {pillow_heif.__version__} libheif {info['libheif']}",
                 info["encoders"]["x265"], info["decoders"]["libde265"]]
        return ", ".join(parts)

    def unavailable(self) -> str | None:
        install = 'run: pip install "benchbox[hevc]"'
        try:
            import pillow_heif
        except ImportError as error:
            return f"pillow-heif cannot be imported ({error}); {install}"
        info = pillow_heif.libheif_info()
        if "x265" not in info["encoders"] or "libde265" not in info["decoders"]:
            return f"this pillow-heif comes without x265 or libde265; {install}"
        return None


class HeicCodec(CheckedCodec):
    """Writes and reads HEIF files of one picture in memory."""

    def __init__(self, info: CodecInfo, options: Any, device: str = "cpu") -> None:
        super().__init__(info, options, device)
        threads = options.threads
        self._parameters = {
            "preset": options.preset, "tune": options.tune, "x265:frame-threads": "1",
            "x265:pools": "none" if threads == 1 else str(threads), "x265:wpp": "0" if threads == 1 else "1",
        }  # fmt: skip
        if not options.psy:
            # x265's tunes psnr and ssim should turn these off, but libheif leaves them on. Off saves 10 % of the bits
            # at equal PSNR and 14 % at equal MS-SSIM (docs/codecs.md).
            self._parameters |= {"x265:psy-rd": "0", "x265:psy-rdoq": "0"}

    def compress(self, image: Image, quality: float) -> bytes:
        import pillow_heif

        height, width, channels = image.shape
        buffer = io.BytesIO()
        try:
            # pillow-heif writes into enc_params, so it gets a copy.
            pillow_heif.encode(_MODES[channels], (width, height), image.tobytes(), buffer, quality=int(quality),
                               chroma=self.options.chroma.replace(":", ""), enc_params=dict(self._parameters),
                               tile_size=0)
        except (RuntimeError, ValueError, OSError) as error:
            raise CodecError(f"{self.info.id}: libheif could not encode: {_line(error)}") from error
        return buffer.getvalue()

    def decode(self, data: bytes) -> Image:
        if len(data) < 12 or data[4:8] != b"ftyp":
            raise CorruptBitstream(f"{self.info.id}: {len(data)} bytes that are truncated or of another format")
        import pillow_heif

        pillow_heif.options.DECODE_THREADS = self.options.threads  # pillow-heif has no argument for it; 4 by default
        try:
            picture = pillow_heif.open_heif(io.BytesIO(data), convert_hdr_to_8bit=False)[0]
            pixels = np.array(picture)
        except Exception as error:  # RuntimeError, ValueError, EOFError, SyntaxError, MemoryError ... on damage
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded ({_line(error)})") from error
        if picture.mode not in ("L", "RGB", "RGBA"):
            raise CorruptBitstream(f"{self.info.id}: a picture of mode {picture.mode} is no stream of this codec")
        return np.ascontiguousarray(pixels[:, :, None] if pixels.ndim == 2 else pixels)


def _line(error: BaseException) -> str:
    return (str(error).splitlines() or [type(error).__name__])[0]


HEIC = HeicInfo(
    id="heic",
    title="HEIC (libheif, x265)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), max_size=16384),
    suffix=".heic",
    # libheif turns 0 to 100 into x265's CRF, 50 to 0.
    quality=QualityAxis("quality", (5, 10, 15, 20, 25, 30, 36, 42, 48, 54, 60, 68), 0, 100, integer=True),
    codec_class=HeicCodec,
)
