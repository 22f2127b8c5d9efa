"""VMAF and PSNR-HVS of single pictures, by the libvmaf in imageio-ffmpeg's ffmpeg.

Source: https://github.com/Netflix/vmaf, as built into ffmpeg: the models ``vmaf_v0.6.1`` and ``vmaf_v0.6.1neg``, and
the feature ``psnr_hvs``, which is Xiph's: Egiazarian et al., "New full-reference quality metrics based on HVS", VPQM
2006, with the masking of Ponomarenko et al., "On between-coefficient contrast masking of DCT basis functions", 2007.

Both are taken of luma alone, in the form of video: ``Y' = 0.2126 R' + 0.7152 G' + 0.0722 B'`` (ITU-R BT.709-6, item
3.2), limited range (item 3.4), rounded to 8 bits for VMAF of 8-bit pictures, else to 10. A picture is a video of one
frame: its motion is 0.
"""

from __future__ import annotations

import importlib.util
import json
import os
import tempfile
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from typing import Any

import numpy as np

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import BenchboxError, NotApplicable
from benchbox.image import peak
from benchbox.program import digest
from benchbox_metrics import programs
from benchbox_metrics.pair import check_pair, check_reference

SMALLEST = 64
"""Smallest side in pixels. libvmaf crashes below 17, and below 64 it gives identical pictures less than VMAF's 97.4."""

INSTALL = "run: pip install benchbox[vmaf]"

_KR, _KB = 0.2126, 0.0722


def frame(pixels: Image, bits: int) -> bytes:
    """The limited-range luma of gray or RGB pixels and neutral chroma, as one planar 4:4:4 frame; `bits`: 8 (bytes) or
    10 (little-endian uint16)."""
    if pixels.shape[2] == 1:
        luma = pixels[:, :, 0].astype(np.float64)
    else:
        red, green, blue = (pixels[:, :, channel].astype(np.float64) for channel in range(3))
        luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    scale, dtype = (1, np.dtype("u1")) if bits == 8 else (4, np.dtype("<u2"))
    y = np.rint(scale * (16 + 219 * (luma / peak(pixels)))).astype(dtype)
    return y.tobytes() + np.full((2, *y.shape), 128 * scale, dtype).tobytes()


@dataclass(frozen=True)
class PreparedFrame(Prepared):
    """The reference picture, and its frame."""

    metric: LibvmafMetric
    ffmpeg: str
    reference: Image
    frame: bytes

    def score(self, image: Image) -> float:
        image = check_pair(self.metric.id, self.reference, image)
        height, width, _ = image.shape
        bits = self.metric.bits_of(image)
        kind = "yuv444p" if bits == 8 else "yuv444p10le"
        raw = ["-f", "rawvideo", "-pix_fmt", kind, "-s", f"{width}x{height}", "-r", "1", "-i"]
        graph = f"libvmaf={self.metric.request}:log_path=log.json:log_fmt=json:n_threads=0"
        with tempfile.TemporaryDirectory(prefix="benchbox-metric-") as name:
            Path(name, "reference.yuv").write_bytes(self.frame)
            Path(name, "decoded.yuv").write_bytes(frame(image, bits))
            programs.run(self.metric.id, [self.ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error",
                                          "-threads", "1", *raw, "decoded.yuv", *raw, "reference.yuv",
                                          "-lavfi", graph, "-f", "null", "-"], Path(name))  # fmt: skip
            log: dict[str, Any] = json.loads(Path(name, "log.json").read_text())
        value = log["frames"][0]["metrics"][self.metric.number]
        if value is None:  # how libvmaf's log writes an infinite number
            raise NotApplicable(f"luma is identical: {self.metric.title} is unbounded")
        return float(value)


@dataclass(frozen=True)
class LibvmafScorer(Scorer):
    """Holds the path of ffmpeg."""

    metric: LibvmafMetric
    ffmpeg: str

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference(self.metric.id, reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small: {self.metric.title} needs {SMALLEST} pixels a side")
        return PreparedFrame(self.metric, self.ffmpeg, reference, frame(reference, self.metric.bits_of(reference)))


@dataclass(frozen=True)
class LibvmafMetric(Metric):
    """Not applicable to pictures below 64 pixels a side; PSNR-HVS neither to pictures of identical luma.

    Attributes:
        request: the option of ffmpeg's filter libvmaf that asks for it.
        number: its name in the filter's log.
        bits: of the luma of an 8-bit picture, 8 or 10; that of a 16-bit one has 10.
    """

    request: str = ""
    number: str = ""
    bits: int = 8

    def bits_of(self, pixels: Image) -> int:
        """The bits of the luma that is made of `pixels`."""
        return self.bits if pixels.dtype == np.uint8 else 10

    def open(self, device: str) -> Scorer:
        reason = self.unavailable()
        if reason is not None:
            raise BenchboxError(f"{self.id}: {reason}")
        import imageio_ffmpeg

        return LibvmafScorer(self, imageio_ffmpeg.get_ffmpeg_exe())

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("imageio_ffmpeg") is None:
            return f"the package imageio-ffmpeg is not installed; {INSTALL}"
        return None


def metrics() -> list[Metric]:
    """VMAF, VMAF NEG and PSNR-HVS; the version of each names the build of ffmpeg."""
    version = f"1 {_build()}".strip()
    # (10 bits: rounding to 8 alone would keep it below some 55 dB; no model: ffmpeg would compute VMAF besides)
    hvs = LibvmafMetric(id="psnr-hvs", title="PSNR-HVS", version=version, unit="dB", better="higher",
                        display=Display("PSNR-HVS (dB)", decimals=2),
                        request="model='':feature='name=psnr_hvs'", number="psnr_hvs_y", bits=10)  # fmt: skip
    models = (("vmaf", "VMAF", "vmaf_v0.6.1"), ("vmaf-neg", "VMAF NEG", "vmaf_v0.6.1neg"))
    return [*(LibvmafMetric(id=name, title=title, version=version, unit="", better="higher",
                            display=Display(title, decimals=2), lowest=0.0, highest=100.0,
                            request=f"model='version={model}\\:name=score'", number="score")
              for name, title, model in models), hvs]  # fmt: skip


def _build() -> str:
    """The version of the wheel, which holds one ffmpeg; the digest of the program where the user names another."""
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return ""
    own = os.environ.get("IMAGEIO_FFMPEG_EXE", "")
    if own and Path(own).is_file():
        return f"sha256:{digest(own)[:16]}"
    return f"imageio-ffmpeg {metadata.version('imageio-ffmpeg')}"
