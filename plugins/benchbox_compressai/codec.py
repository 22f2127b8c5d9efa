"""A CompressAI model as a codec: pictures padded to multiples of 64, entropy-coded by its own `compress`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from pydantic import Field

from benchbox.codec import Capabilities, CheckedCodec, CodecInfo, OptionsModel, QualityAxis
from benchbox.errors import CodecError, CorruptBitstream
from benchbox.image import MAX_PIXELS, Image
from benchbox.program import digest
from benchbox_compressai import bitstream, library, weights

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""

_STRIDE = 64  # pixels to a hyper-latent; 16 to a latent
_ELIC_GROUPS = (16, 16, 32, 64, 192)  # channels of the slices of elic2022's latents


class Options(OptionsModel):
    """Options of CompressAI's models."""

    metric: Literal["mse", "ms-ssim"] = Field("mse", description="what the weights were trained for")
    threads: int = Field(1, ge=1, le=64, description="threads of torch")


@dataclass(frozen=True)
class CompressaiInfo(CodecInfo):
    """One architecture; the axis is the zoo's quality, each with weights of its own. The zoo has 1 to `qualities`."""

    qualities: int = 8

    def identity(self, options: Any) -> str:
        from importlib import metadata

        versions = " ".join(f"{name} {metadata.version(name)}" for name in ("compressai", "torch"))
        found = weights.find(self.id, options.metric)
        digests = " ".join(f"{quality}:{digest(path)[:16]}" for quality, path in found.items())
        return f"benchbox_compressai {VERSION} {versions} weights {digests}"

    def unavailable(self) -> str | None:
        reason = library.missing()
        if reason is None and not (weights.find(self.id, "mse") or weights.find(self.id, "ms-ssim")):
            reason = f"no weights of it in {weights.folder()}; run: benchbox compressai fetch {self.id}"
        return reason

    def axis(self, options: Any) -> QualityAxis:
        found = weights.find(self.id, options.metric)
        values = tuple(float(quality) for quality in found) or tuple(range(1, self.qualities + 1))
        return QualityAxis("quality", values, min(1, *values), max(self.qualities, *values), integer=True)


class CompressaiCodec(CheckedCodec):
    """Loads all weights when it is opened, so that no measured call includes that."""

    def __init__(self, info: CodecInfo, options: Any, device: str = "cpu") -> None:
        super().__init__(info, options, device)
        paths = weights.find(info.id, options.metric)
        if not paths:
            raise CodecError(f"{info.id}: no {options.metric} checkpoint of it in {weights.folder()}; "
                             f"run: benchbox compressai fetch {info.id} --metric {options.metric}")
        self._networks = {quality: weights.load(info.id, path) for quality, path in paths.items()}
        self._digests = {quality: bytes.fromhex(digest(path))[:4] for quality, path in paths.items()}
        import torch

        torch.set_num_threads(options.threads)

    def compress(self, image: Image, quality: float) -> bytes:
        value = int(quality)
        if value not in self._networks:
            have = ", ".join(str(key) for key in self._networks)
            raise CodecError(f"{self.info.id}: there is no checkpoint of quality {value}, only of {have}")
        import torch

        height, width = image.shape[:2]
        padded = np.pad(image, ((0, -height % _STRIDE), (0, -width % _STRIDE), (0, 0)), mode="edge")
        pixels = torch.from_numpy(np.ascontiguousarray(padded.transpose(2, 0, 1))).unsqueeze(0).float() / 255
        with torch.no_grad():
            strings = self._networks[value].compress(pixels)["strings"]
        return bitstream.pack(value, height, width, self._digests[value], [bytes(batch[0]) for batch in strings])

    def decode(self, data: bytes) -> Image:
        packed = bitstream.unpack(data, self.info.id)
        if packed.height * packed.width > MAX_PIXELS:
            raise CorruptBitstream(f"{self.info.id}: the header claims {packed.width}x{packed.height}")
        if self._digests.get(packed.quality) != packed.model:
            raise CorruptBitstream(f"{self.info.id}: made by the checkpoint {packed.model.hex()} of quality "
                                   f"{packed.quality}, which is not among those loaded")
        import torch

        strings = [[string] for string in packed.strings]
        try:
            with torch.no_grad():
                decoded = self._networks[packed.quality].decompress(strings, self._shape(packed.height, packed.width))
        except Exception as error:  # ValueError, IndexError, AssertionError, RuntimeError ... on damage
            reason = (str(error).splitlines() or [type(error).__name__])[0]
            raise CorruptBitstream(f"{self.info.id}: the stream cannot be decoded ({reason})") from error
        pixels = (decoded["x_hat"][0].clamp(0, 1) * 255).round().to(torch.uint8).permute(1, 2, 0).numpy()
        return np.ascontiguousarray(pixels[:packed.height, :packed.width])

    def _shape(self, height: int, width: int) -> Any:
        """The value that `compress` of the network returned as "shape"."""
        import torch

        rows, columns = -(-height // _STRIDE), -(-width // _STRIDE)
        hyper, latent = torch.Size([rows, columns]), torch.Size([4 * rows, 4 * columns])
        if self.info.id == "elic2022":
            return {"y": [torch.Size([group, *latent]) for group in _ELIC_GROUPS], "hyper": hyper}
        return latent if self.info.id == "bmshj2018-factorized" else hyper


def _model(name: str, qualities: int) -> CompressaiInfo:
    # Tolerance: the networks compute in floating point, and other processors and thread counts round differently.
    return CompressaiInfo(id=name, title=f"{name} (CompressAI)", Options=Options,
                          capabilities=Capabilities(channels=frozenset({3}), pixel_tolerance=1,
                                                    size_tolerance=0.01, score_tolerance=0.03), suffix=".cai",
                          codec_class=CompressaiCodec, qualities=qualities)


CODECS = [_model("bmshj2018-factorized", 8), _model("bmshj2018-hyperprior", 8), _model("mbt2018-mean", 8),
          _model("mbt2018", 8), _model("cheng2020-anchor", 6), _model("cheng2020-attn", 6), _model("elic2022", 5)]
