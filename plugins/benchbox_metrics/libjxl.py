"""SSIMULACRA 2 and Butteraugli, by the programs that define them: ``ssimulacra2`` and ``butteraugli_main`` of libjxl.

Source: https://github.com/libjxl/libjxl, tools/ssimulacra2.cc and lib/jxl/butteraugli. No paper defines them, so the
programs are the definition, and a score is the number that they print. They get pictures as PGM or PPM files of 8 or 16
bits, which they read as sRGB.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from benchbox import Display, Image, Metric, Prepared, Scorer
from benchbox.errors import BenchboxError, NotApplicable
from benchbox.image import peak
from benchbox.program import digest
from benchbox_metrics import programs
from benchbox_metrics.pair import check_pair, check_reference

SMALLEST = 8
"""Smallest side in pixels: below it ssimulacra2 refuses a picture, and butteraugli_main calls any two identical."""

INSTALL = "on Debian 13: apt-get install libjxl-devtools; elsewhere build libjxl with -DJPEGXL_ENABLE_DEVTOOLS=ON"


def pnm(pixels: Image) -> bytes:
    """A binary PGM or PPM file of (H, W, 1) or (H, W, 3) pixels; 16 bits are big-endian (Netpbm's format pages)."""
    height, width, channels = pixels.shape
    header = f"{'P5' if channels == 1 else 'P6'}\n{width} {height}\n{peak(pixels)}\n"
    return header.encode() + pixels.astype(pixels.dtype.newbyteorder(">")).tobytes()


@dataclass(frozen=True)
class PreparedLibjxl(Prepared):
    """The reference picture, and the bytes of its PGM or PPM file."""

    metric: LibjxlMetric
    program: str
    reference: Image
    file: bytes

    def score(self, image: Image) -> float:
        image = check_pair(self.metric.id, self.reference, image)
        with tempfile.TemporaryDirectory(prefix="benchbox-metric-") as name:
            Path(name, "reference.pnm").write_bytes(self.file)
            Path(name, "decoded.pnm").write_bytes(pnm(image))
            printed = programs.run(self.metric.id, [self.program, "reference.pnm", "decoded.pnm"], Path(name))
        try:
            return float(printed.split()[self.metric.word])
        except (IndexError, ValueError) as error:
            raise BenchboxError(f"{self.metric.id}: {self.metric.program} printed {printed.strip()[:60]!r}, no score; "
                                f"{INSTALL}") from error


@dataclass(frozen=True)
class LibjxlScorer(Scorer):
    """Holds the path of the program."""

    metric: LibjxlMetric
    program: str

    def prepare(self, reference: Image) -> Prepared:
        reference = check_reference(self.metric.id, reference)
        height, width, _ = reference.shape
        if min(height, width) < SMALLEST:
            raise NotApplicable(f"{width}x{height} is too small: {self.metric.title} needs {SMALLEST} pixels a side")
        return PreparedLibjxl(self.metric, self.program, reference, pnm(reference))


@dataclass(frozen=True)
class LibjxlMetric(Metric):
    """Not applicable to pictures below 8 pixels a side.

    Attributes:
        program: name of the executable on PATH; its digest is part of the version.
        word: the index of the score among the words that it prints; negative from the end.
    """

    program: str = ""
    word: int = 0

    def open(self, device: str) -> Scorer:
        path, reason = shutil.which(self.program), self.unavailable()
        if path is None or reason is not None:
            raise BenchboxError(f"{self.id}: {reason}")
        return LibjxlScorer(self, path)

    def unavailable(self) -> str | None:
        return None if shutil.which(self.program) else f"there is no program {self.program} on PATH; {INSTALL}"


def metrics() -> list[Metric]:
    """The three metrics; the version of each holds the digest of its program."""
    return [
        LibjxlMetric(id="ssimulacra2", title="SSIMULACRA 2", version=_version("ssimulacra2"), unit="", better="higher",
                     display=Display("SSIMULACRA 2", decimals=2), highest=100.0, program="ssimulacra2"),
        LibjxlMetric(id="butteraugli", title="Butteraugli", version=_version("butteraugli_main"), unit="",
                     better="lower", display=Display("Butteraugli, maximum", decimals=3), lowest=0.0,
                     program="butteraugli_main"),
        LibjxlMetric(id="butteraugli-3norm", title="Butteraugli 3-norm", version=_version("butteraugli_main"), unit="",
                     better="lower", display=Display("Butteraugli, 3-norm", decimals=3), lowest=0.0,
                     program="butteraugli_main", word=-1),
    ]  # fmt: skip


def _version(name: str) -> str:
    path = shutil.which(name)
    return f"1 sha256:{digest(path)[:16]}" if path else "1"
