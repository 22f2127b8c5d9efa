"""AVIF by libavif, encoded by aom. Everything whose default differs between AVIF libraries is set here."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from benchbox.codec import Capabilities, OptionsModel, QualityAxis
from benchbox.image import Image
from benchbox_pillow.common import OPAQUE, PILLOW_GLOBALS, PillowCodec, PillowInfo, opaque

LOSSLESS_QUALITY = 100
"""Here aom's quantiser is lossless: it refuses to tune for iq, and its other tunes give equal bytes."""


class Options(OptionsModel):
    """Options of AVIF."""

    speed: int = Field(6, ge=0, le=10, description="0 slow to 10 fast")
    subsampling: Literal["4:2:0", "4:2:2", "4:4:4"] = Field("4:2:0", description="chroma subsampling of colour")
    tune: Literal["iq", "ssim", "psnr"] = Field("iq", description="what aom optimises; libavif's default is iq")
    threads: int = Field(1, ge=1, le=64, description="threads of encoder and decoder")


class AvifInfo(PillowInfo):
    """AVIF; Pillow's libavif may lack aom, and the bytes depend on aom and dav1d too."""

    def identity(self, options: Any) -> str:
        from PIL import AvifImagePlugin

        versions = [f"{name} {AvifImagePlugin.get_codec_version(name)}" for name in ("aom", "dav1d")]
        return " ".join([super().identity(options), *versions])

    def unavailable(self) -> str | None:
        reason = super().unavailable()
        if reason is not None:
            return reason
        from PIL import AvifImagePlugin

        if AvifImagePlugin.get_codec_version("aom") is None:
            return "this Pillow's libavif was built without aom; run: pip install --force-reinstall 'pillow>=12'"
        return None


class AvifCodec(PillowCodec):
    """See `PillowCodec`. Gray is coded as monochrome (4:0:0), which the stream says, so it comes back as gray."""

    format = "AVIF"

    def refusal(self, image: Image, quality: float) -> str | None:
        return super().refusal(image, quality) or (OPAQUE if opaque(image) else None)

    def settings(self, image: Image, quality: float) -> dict[str, Any]:
        subsampling = "4:0:0" if image.shape[2] == 1 else self.options.subsampling
        tune = self.options.tune if quality < LOSSLESS_QUALITY else "ssim"
        return {"quality": int(quality), "speed": self.options.speed, "subsampling": subsampling, "range": "full",
                "codec": "aom", "max_threads": self.options.threads, "autotiling": False, "tile_rows": 0,
                "tile_cols": 0, "alpha_premultiplied": False, "advanced": {"tune": tune}}

    def open(self, data: bytes) -> Any:
        from PIL import AvifImagePlugin

        # Pillow has no argument for the decoder's threads. The caller holds the lock PILLOW_GLOBALS.
        assert PILLOW_GLOBALS.locked()
        before = AvifImagePlugin.DEFAULT_MAX_THREADS
        AvifImagePlugin.DEFAULT_MAX_THREADS = self.options.threads
        try:
            return super().open(data)
        finally:
            AvifImagePlugin.DEFAULT_MAX_THREADS = before

    def restore(self, data: bytes, pixels: Image) -> Image:
        return pixels[:, :, :1].copy() if pixels.shape[2] == 3 and _monochrome(data) else pixels


def _monochrome(data: bytes) -> bool:
    """Bit 4 of the third byte of the first av1C box (AV1-ISOBMFF, 2.3.3); with alpha, the first is the colour's."""
    box = data.find(b"av1C")
    return 0 <= box < len(data) - 7 and bool(data[box + 6] & 0x10)


AVIF = AvifInfo(
    id="avif",
    suffix=".avif",
    title="AVIF (libavif, aom)",
    Options=Options,
    capabilities=Capabilities(channels=frozenset({1, 3, 4}), max_size=32768),  # 32768: libavif's dimension limit
    quality=QualityAxis("quality", (5, 10, 15, 20, 30, 40, 50, 60, 70, 80, 90, 95), 0, 100, integer=True),
    codec_class=AvifCodec,
    feature="avif",
    library="libavif",
)
