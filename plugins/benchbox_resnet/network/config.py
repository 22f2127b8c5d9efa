"""The configuration of a network: one dataclass, stored with the weights, and the presets.

Importing this module imports no torch: the command line shows the presets before anything is trained.
"""

import dataclasses
import json
import math
from collections.abc import Mapping
from types import MappingProxyType

from benchbox.errors import CodecError
from benchbox.files import Foreign, parse_json

_TEXT = Foreign("configuration", CodecError, "export the weights again")
#: Coding tables are zero-mean and differ by their scale alone: this many scales, logarithmically spaced.
SCALE_COUNT = 64
SCALE_MIN, SCALE_MAX = 0.11, 256.0
#: Symbols are latents in units of this share of a rounding step (see `trellis`).
GRID = 3
#: Kinds of coding tables of latents, `SCALE_COUNT` each: whole steps, and the two quantisers of `trellis`.
TABLE_KINDS = 3
#: Coding tables of latents: number of scale + SCALE_COUNT * kind. Those of z follow.
LATENT_TABLES = TABLE_KINDS * SCALE_COUNT
#: Ratio of neighbouring scales, as a natural logarithm: 0.123. A scale is matched to within 6 %, which costs less than
#: 0.1 % of rate.
SCALE_STEP = math.log(SCALE_MAX / SCALE_MIN) / (SCALE_COUNT - 1)

#: Latents whose tables measure local activity, [first, last + 1); their number is a power of two.
MASK_BAND = (4, 68)
#: The first latents are never masked: they are the mean colours of a block, coded as differences to their neighbours.
MASK_FROM = 3
#: Largest change of a rounding step by masking, in table steps.
MASK_LIMIT = 12


#: Largest values of fields whose cost is a layer each, or a table for each channel; all others may be 10,000.
MOST: Mapping[str, int] = MappingProxyType({
    "channels": 4096, "blocks": 200, "deep_channels": 4096, "deep_blocks": 200, "hyper": 1024, "context": 4096,
    "context_blocks": 200, "scale_hidden": 4096, "scale_window": 31, "qualities": 64, "filter_channels": 1024,
    "filter_blocks": 50,
})  # fmt: skip


@dataclasses.dataclass(frozen=True)
class ModelConfig:
    """The shape of one network; the comment on each field gives the reason for its default.

    Raises ValueError for values that make no network.
    """

    #: Pixels per latent in each direction. 16 keeps every layer cheap; 8 suits very high rates at four times the cost.
    stride: int = 16
    #: Channels of the residual blocks at twice the latent resolution. On few cores the number of training steps matters
    #: more than width.
    channels: int = 128
    #: Residual blocks (two 3x3 convolutions each) at twice the latent resolution, in g_a and again in g_s.
    blocks: int = 3
    #: Channels at the latent resolution inside g_a and g_s: width here costs a quarter of width above.
    deep_channels: int = 128
    #: Residual blocks at the latent resolution, in g_a and again in g_s: their receptive field is large, and each costs
    #: a quarter.
    deep_blocks: int = 3
    #: Latent channels M; the linear path is the M leading directions of the training blocks. Alone it reaches 32 dB
    #: with 192 of the 768 directions, 37 dB with 320 and 39 dB with 368: high rates need them, and zeros cost low
    #: rates nothing.
    latents: int = 368
    #: Channels of the hyper-latent z, at a quarter of the latent resolution; half of `scale_hidden`, so that each sign
    #: of each channel gets a hidden unit.
    hyper: int = 64
    #: Width of the context network that predicts the second checkerboard half (256 doubles the cost of Muon).
    context: int = 192
    #: Depth-wise blocks in that network.
    context_blocks: int = 2
    #: Hidden units of the two exact integer networks that choose coding tables.
    scale_hidden: int = 128
    #: Side of the neighbourhood of decoded symbols that the second half's tables depend on (odd).
    scale_window: int = 5
    #: "leaky_relu" and "gelu" cost and gain the same (docs/resnet.md); "relu" is for ablations.
    activation: str = "leaky_relu"
    #: Slope by which rounding steps follow local activity, in table steps (see `scale.ScalePath.mask`): 0 for squared
    #: error, which is best with one step everywhere; MS-SSIM tolerates errors in busy places. A multiple of 1/256, so
    #: that it is exact.
    masking: float = 0.0
    #: Bounds of masking, in table steps: how much finer steps become in quiet places, how much coarser in busy ones.
    #: Latents from `mask_detail_from` on, the fine detail of a block, have their own bounds (768, the largest number of
    #: latents, means that none have).
    mask_finer: int = MASK_LIMIT
    mask_coarser: int = MASK_LIMIT
    mask_detail_from: int = 768
    mask_detail_finer: int = MASK_LIMIT
    mask_detail_coarser: int = MASK_LIMIT
    #: Symbols whose guessed table is this one or wider are quantised dependently (see `coding.trellis`); 64: none are.
    dependent_from: int = SCALE_COUNT
    #: Channels of the filter of the decoded picture (see `filter`), at half the resolution; 0: there is none. 32 with
    #: two blocks take 11 kMAC a pixel.
    filter_channels: int = 0
    #: Residual blocks of that filter.
    filter_blocks: int = 2
    #: Trained operating points; qualities in between interpolate the gains.
    qualities: int = 16
    #: Lambda at the lowest and highest quality (loss = bits per pixel + lambda * 255^2 * MSE), geometric in between.
    lambda_min: float = 0.0009
    lambda_max: float = 0.4
    #: The same for models tuned for MS-SSIM (loss = bits per pixel + weight * (1 - MS-SSIM)). The literature's models
    #: span 2.4 to 220, which begins at 0.13 bits per pixel.
    ms_ssim_weight_min: float = 2.4
    ms_ssim_weight_max: float = 220.0

    def __post_init__(self) -> None:
        for field in dataclasses.fields(self):
            value, kind = getattr(self, field.name), field.type
            if isinstance(value, bool) or not isinstance(value, (int, float) if kind is float else kind):  # type: ignore[arg-type]
                raise ValueError(f"{field.name} must be of type {kind.__name__}, not {value!r:.40}")  # type: ignore[union-attr]
            if isinstance(value, int | float) and not abs(value) <= MOST.get(field.name, 10_000):
                raise ValueError(f"{field.name} must be at most {MOST.get(field.name, 10_000)}, not {value!r:.40}")
        least = {"channels": 1, "blocks": 0, "deep_channels": 1, "deep_blocks": 0, "latents": 2, "hyper": 1,
                 "context": 1, "context_blocks": 0, "scale_window": 1, "mask_detail_from": 0, "filter_channels": 0,
                 "filter_blocks": 0}  # fmt: skip
        for name, low in least.items():
            if getattr(self, name) < low:
                raise ValueError(f"{name} must be {low} or more, not {getattr(self, name)}")
        if self.stride not in (8, 16):
            raise ValueError(f"stride must be 8 or 16, not {self.stride}")
        if self.activation not in ("leaky_relu", "gelu", "relu"):
            raise ValueError(f"activation must be leaky_relu, gelu or relu, not {self.activation!r}")
        if self.latents % 2 or self.latents > 3 * self.stride**2:
            raise ValueError(f"latents must be even and at most {3 * self.stride**2}, not {self.latents}")
        if self.scale_window % 2 == 0:
            raise ValueError(f"scale_window must be odd, not {self.scale_window}")
        if self.scale_hidden < 2 * self.hyper:
            raise ValueError(f"scale_hidden must be at least twice hyper, {2 * self.hyper}, not {self.scale_hidden}")
        if self.masking * 256 % 1 or not 0 <= self.masking <= 2:
            raise ValueError(f"masking must be a multiple of 1/256 from 0 to 2, not {self.masking}")
        for name in ("mask_finer", "mask_coarser", "mask_detail_finer", "mask_detail_coarser"):
            if not 0 <= getattr(self, name) <= MASK_LIMIT:
                raise ValueError(f"{name} must be from 0 to {MASK_LIMIT}, not {getattr(self, name)}")
        if not 0 <= self.dependent_from <= SCALE_COUNT:
            raise ValueError(f"dependent_from must be from 0 to {SCALE_COUNT}, not {self.dependent_from}")
        if self.masking and self.latents < MASK_BAND[1]:
            raise ValueError(f"masking needs {MASK_BAND[1]} latents at least, not {self.latents}")
        if self.qualities < 2:
            raise ValueError(f"qualities must be 2 or more, not {self.qualities}")

    @property
    def pad_multiple(self) -> int:
        """Picture sides are padded to a multiple of this many pixels, the side of one hyper-latent."""
        return 4 * self.stride

    @property
    def lambdas(self) -> list[float]:
        """Lambda of each trained quality, ascending."""
        return [self.lambda_at(quality) for quality in range(self.qualities)]

    def lambda_at(self, quality: float) -> float:
        """Lambda at a quality, geometric between the trained ones."""
        at = quality / (self.qualities - 1)
        return float(self.lambda_min * (self.lambda_max / self.lambda_min) ** at)

    def ms_ssim_weight_at(self, quality: float) -> float:
        """Weight of (1 - MS-SSIM) at a quality in models tuned for it, geometric between the two ends."""
        low, high = self.ms_ssim_weight_min, self.ms_ssim_weight_max
        return float(low * (high / low) ** (quality / (self.qualities - 1)))

    def quality_of_ms_ssim_weight(self, weight: float) -> float:
        """The inverse of `ms_ssim_weight_at`, beyond both ends too."""
        low, high = self.ms_ssim_weight_min, self.ms_ssim_weight_max
        return (self.qualities - 1) * math.log(weight / low) / math.log(high / low)

    @property
    def residual_layers(self) -> int:
        """Convolutions inside residual blocks of g_a and g_s together."""
        return 4 * (self.blocks + self.deep_blocks)

    def to_json(self) -> str:
        """A stable text form, stored with the weights."""
        return json.dumps(dataclasses.asdict(self), sort_keys=True)

    @classmethod
    def from_json(cls, text: str) -> "ModelConfig":
        """The inverse of `to_json`; raises CodecError, naming unknown fields and wrong values."""
        values = parse_json(text, "resnet: the configuration in the weights", _TEXT)
        if not isinstance(values, dict):
            raise CodecError("resnet: the configuration in the weights is no JSON object; export the weights again")
        unknown = sorted(set(values) - {f.name for f in dataclasses.fields(cls)})
        if unknown:
            raise CodecError(f"resnet: unknown model fields {unknown}: these weights need a newer benchbox")
        try:
            return cls(**values)
        except ValueError as error:
            raise CodecError(f"resnet: these weights do not describe a model: {error}") from error


#: `small` trains on two CPU cores in hours, `base` in days, `large` needs a GPU.
PRESETS: Mapping[str, ModelConfig] = MappingProxyType({
    "small": ModelConfig(),
    "base": ModelConfig(channels=160, blocks=4, deep_channels=256, deep_blocks=4, hyper=96, context=256,
                        scale_hidden=192),
    "large": ModelConfig(channels=192, blocks=12, deep_channels=320, deep_blocks=6, hyper=128, context=320,
                         scale_hidden=256),
})  # fmt: skip
