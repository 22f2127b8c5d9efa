"""A published rate-distortion curve, and a format that such curves are read from."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchbox.stated import Stated, stated


@dataclass(frozen=True)
class PicturePoints:
    """P points of one picture on a published curve, in any order.

    Attributes:
        quality: what each point was made with, or its number; points of one quality make a mean over pictures.
        bpp: bits per pixel.
        metrics: metric id -> values as scored; None where not published.
        pixels: number of pixels of the picture; None where the source does not say.
    """

    quality: tuple[float, ...]
    bpp: tuple[float, ...]
    metrics: Mapping[str, tuple[float | None, ...]]
    pixels: int | None = None


@dataclass(frozen=True)
class Reference(Stated):
    """A published rate-distortion curve, drawn with the measured ones and never part of an average. Each attribute is
    an argument, or is written on a subclass.

    A curve that is given picture by picture has `pictures`, and no `bpp` and `metrics`: reports then compute its means,
    BD-rates and intervals as those of measured codecs.

    Attributes:
        id: e.g. ``"vtm"``; what ``--literature`` names.
        title: for legends.
        dataset: id of the data set it was measured on; a run on another data set does not show it.
        convention: how the points were made ("mean of bpp and of PSNR over 24 images, RGB ...").
        source: citation, or repository and commit.
        bpp: P rates in bits per pixel, rising.
        metrics: metric id -> P values at these rates, as scored (MS-SSIM raw, PSNR in dB); None where not published.
        caution: what a reader must know, or "".
        kind: the word behind its title in legends: ``"published"``, or ``"earlier run"`` for one of the user's own.
        pictures: id of a picture, with or without suffix -> its points.
    """

    id: str = stated(str)
    title: str = stated(str)
    dataset: str = stated(str)
    convention: str = stated(str)
    source: str = stated(str)
    bpp: tuple[float, ...] = stated(tuple)
    metrics: Mapping[str, tuple[float | None, ...]] = stated(Mapping)
    caution: str = stated(str, default="")
    kind: str = stated(str, default="published")
    pictures: Mapping[str, PicturePoints] = stated(Mapping, default={})


@dataclass(frozen=True)
class ReferenceFormat(Stated, ABC):
    """A file format of published curves; plugins subclass it and return instances from `benchbox_references`. Each
    attribute is an argument, or is written on the subclass.

    Attributes:
        id: e.g. ``"compressai"``.
        title: one line for ``benchbox list references``.
        suffixes: lower-case ends of file names, e.g. ``(".json",)``. A name in ``--literature`` that ends in one of
            them is a file, not the id of a curve.
    """

    id: str = stated(str)
    title: str = stated(str)
    suffixes: tuple[str, ...] = stated(tuple)

    @abstractmethod
    def read(self, path: Path, datasets: Collection[str]) -> Reference:
        """Read the one curve in the file `path`.

        Args:
            path: a file whose name ends in one of `suffixes`.
            datasets: the run's data sets as its plan names them; the curve must be on one of them.

        Raises:
            UsageError: the file cannot be read or is not of this format; one line that names the file, the problem
                and the remedy.
        """

    def read_all(self, path: Path, datasets: Collection[str]) -> Sequence[Reference]:
        """Read every curve in the file `path`; by default, the one that `read` gives. Arguments and errors likewise."""
        return [self.read(path, datasets)]

    def recognises(self, path: Path) -> bool:
        """Whether the file `path` looks like one of this format, as far as its beginning shows; False passes it on to
        other formats without a word."""
        return True
