"""The codec's options, capabilities and identity, which need no torch."""

from __future__ import annotations

import hashlib
import importlib.metadata
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

from pydantic import Field

from benchbox.codec import Capabilities, Codec, CodecInfo, FileOption, OptionsModel, QualityAxis
from benchbox.errors import CodecError, CodecUnavailableError, OptionError

if TYPE_CHECKING:
    from benchbox_resnet.codec import ResnetCodec

VERSION = 6
"""Part of the identity; raise it whenever code changes the bytes or pixels that the same weights give."""

SEARCH_VERSION = 3
"""The same for the search of `effort`: part of the identity where the option is set."""

WEIGHTS = Path(__file__).parent / "weights"

QUALITIES = 16
"""Trained operating points of the bundled weights: qualities 0 to 15, fractions allowed."""


class Options(OptionsModel):
    """Options of the residual-network codec."""

    tune: str = Field("mse", description="bundled model, by the measure it was trained for: mse or ms-ssim")
    weights: FileOption = Field("", description="a weights file (.safetensors) instead of a bundled model")
    effort: int = Field(0, ge=0, le=20, description="encoder's search: 0 none; each unit two gradient steps")
    denoise: float = Field(0.0, ge=0, le=1, description="sensor noise removed before coding: 0 none, 1 all detected")
    precision: Literal["auto", "float32", "bfloat16", "int8"] = Field(
        "auto", description="of the networks; auto: the fastest that the device has instructions for"
    )
    threads: int = Field(1, ge=1, le=64, description="CPU threads of the networks")


class ResnetInfo(CodecInfo):
    """The codec `resnet`."""

    def identity(self, options: Any) -> str:
        digest = _digest(self._paths(options)[0])
        cleaner = f" scikit-image {importlib.metadata.version('scikit-image')}" if options.denoise else ""
        search = f" search {SEARCH_VERSION}" if options.effort else ""
        torch = importlib.metadata.version("torch")
        return f"benchbox_resnet {VERSION} model {digest[:16]} torch {torch}{cleaner}{search}"

    def axis(self, options: Any) -> QualityAxis:
        return QualityAxis("quality", tuple(float(q) for q in range(QUALITIES)), 0, QUALITIES - 1)

    def unavailable(self) -> str | None:
        absent = _absent_library()
        if absent is None and not bundled():
            return "no trained weights are installed; train some: benchbox resnet train --data DIR --out DIR"
        return absent

    def require(self, options: Any = None) -> None:
        named = options is not None and options.weights
        reason = _absent_library() if named else self.unavailable()
        if reason is not None:
            raise CodecUnavailableError(f"{self.id}: {reason}")

    def open(self, options: Any, device: str) -> Codec:
        self.require(options)
        codec: ResnetCodec = _codec_class().open(
            self, self._paths(options), device, options.threads, options.effort, options.denoise, options.precision
        )
        return codec

    def _paths(self, options: Any) -> list[Path]:
        """The weights file that encodes, then the other bundled ones, whose streams are also decoded."""
        if options.weights:
            return [Path(options.weights), *bundled()]
        models = {path.stem: path for path in bundled()}
        if options.tune not in models:
            raise OptionError(f"resnet: no bundled model is called '{options.tune}'; there are: {', '.join(models)}")
        return [models.pop(options.tune), *models.values()]


def _absent_library() -> str | None:
    for module in ("torch", "safetensors"):
        if importlib.util.find_spec(module) is None:
            return f"{module} is not installed; run: pip install \"benchbox[resnet]\""
    return None


def bundled() -> list[Path]:
    """The weights files in the package, `mse` first."""
    return sorted(WEIGHTS.glob("*.safetensors"), key=lambda p: (p.stem != "mse", p.name))


def _digest(path: Path) -> str:
    try:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise CodecError(f"resnet: cannot read the weights {path}: {error.strerror}") from error


def _codec_class() -> type[ResnetCodec]:
    from benchbox_resnet.codec import ResnetCodec

    return ResnetCodec


RESNET = ResnetInfo(
    id="resnet",
    title="residual network (benchbox)",
    Options=Options,
    suffix=".bbr",
    capabilities=Capabilities(
        channels=frozenset({1, 3, 4}), deterministic=True, pixel_tolerance=8, devices=("cpu", "cuda"),
        # The transforms compute in floating point. Seen on Kodak, at a quarter of the qualities, between 8 bits and
        # float32: up to 6 levels. Seen between processors of two makers, with and without VNNI: up to 0.9 % of bytes
        # and 0.042 dB (MS-SSIM of the ms-ssim model below 0.1 bpp).
        size_tolerance=0.015, score_tolerance=0.06,
    ),
)
