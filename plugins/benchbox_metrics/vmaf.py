"""VMAF of single pictures, by the libvmaf in imageio-ffmpeg's ffmpeg; the model v0.6.1 and its variant NEG.

Source: https://github.com/Netflix/vmaf; models ``vmaf_v0.6.1`` and ``vmaf_v0.6.1neg`` as built into libvmaf. VMAF is
made for video and sees luma alone: ``Y' = 0.2126 R' + 0.7152 G' + 0.0722 B'`` (ITU-R BT.709-6, item 3.2), limited
range (item 3.4), rounded to 8 bits, or to 10 for 16-bit pictures. A picture is a video of one frame: its motion is 0.
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
"""Smallest side in pixels. libvmaf crashes below 17, and below 64 it gives identical pictures less than its 97.4."""

INSTALL = "run: pip install benchbox[vmaf]"

_KR, _KB = 0.2126, 0.0722


def frame(pixels: Image) -> bytes:
    """The limited-range luma of gray or RGB pixels and neutral chroma, as one planar 4:4:4 frame: bytes for uint8, 10
    bits in little-endian uint16 for uint16."""
    if pixels.shape[2] == 1:
        luma = pixels[:, :, 0].astype(np.float64)
    else:
        red, green, blue = (pixels[:, :, channel].astype(np.float64) for channel in range(3))
        luma = _KR * red + (1 - _KR - _KB) * green + _KB * blue
    scale, dtype = (1, np.dtype("u1")) if pixels.dtype == np.uint8 else (4, np.dtype("<u2"))
    y = np.rint(scale * (16 + 219 * (luma / peak(pixels)))).astype(dtype)
    return y.tobytes() + np.full((2, *y.shape), 128 * scale, dtype).tobytes()


@dataclass(frozen=True)
class PreparedVmaf(Prepared):
    """The reference picture, and its frame."""

    metric: VmafMetric
    ffmpeg: str
    reference: Image
    frame: bytes

    def score(self, image: Image) -> float:
        image = check_pair(self.metric.id, self.reference, image)
        height, width, _ = image.shape
        kind = "yuv444p" if image.dtype == np.uint8 else "yuv444p10le"
        raw = ["-f", "rawvideo", "-pix_fmt", kind, "-s", f"{width}x{height}", "-r", "1", "-i"]
        graph = f"libvmaf=model='version={self.metric.model}\\:name=score':log_path=log.json:log_fmt=json:n_threads=0"
        with tempfile.TemporaryDirectory(prefix="benchbox-metric-") as name:
            Path(name, "reference.yuv").write_bytes(self.frame)
            Path(name, "decoded.yuv").write_bytes(frame(image))
            programs.run(self.metric.id, [self.ffmpeg, "-hide_banner", "-nostdin", "-loglevel", "error",
                                          "-threads", "1", *raw, "decoded.yuv", *raw, "reference.yuv",
                                          "-lavfi", graph, "-f", "null", "-"], Path(name))  # fmt: skip
            log: dict[str, Any] = json.loads(Path(name, "log.json").read_text())
        return float(log["frames"][0]["metrics"]["score"])


@dataclass(frozen=True)
class VmafScorer(Scorer):
    """Holds the path of ffmpeg."""

    metric: VmafMetric
    ffmpeg: str

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference(self.metric.id, reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small: VMAF needs {SMALLEST} pixels a side")
        return PreparedVmaf(self.metric, self.ffmpeg, reference, frame(reference))


@dataclass(frozen=True)
class VmafMetric(Metric):
    """Not applicable to pictures below 64 pixels a side; `model` is libvmaf's name of the model."""

    model: str = ""

    def open(self, device: str) -> Scorer:
        reason = self.unavailable()
        if reason is not None:
            raise BenchboxError(f"{self.id}: {reason}")
        import imageio_ffmpeg

        return VmafScorer(self, imageio_ffmpeg.get_ffmpeg_exe())

    def unavailable(self) -> str | None:
        if importlib.util.find_spec("imageio_ffmpeg") is None:
            return f"the package imageio-ffmpeg is not installed; {INSTALL}"
        return None


def metrics() -> list[Metric]:
    """VMAF and VMAF NEG; the version of each names the build of ffmpeg."""
    return [VmafMetric(id=name, title=title, version=f"1 {_build()}".strip(), unit="", better="higher",
                       display=Display(title, decimals=2), lowest=0.0, highest=100.0, model=model)
            for name, title, model in (("vmaf", "VMAF", "vmaf_v0.6.1"), ("vmaf-neg", "VMAF NEG", "vmaf_v0.6.1neg"))]


def _build() -> str:
    """The version of the wheel, which holds one ffmpeg; the digest of the program where the user names another."""
    if importlib.util.find_spec("imageio_ffmpeg") is None:
        return ""
    own = os.environ.get("IMAGEIO_FFMPEG_EXE", "")
    if own and Path(own).is_file():
        return f"sha256:{digest(own)[:16]}"
    return f"imageio-ffmpeg {metadata.version('imageio-ffmpeg')}"
