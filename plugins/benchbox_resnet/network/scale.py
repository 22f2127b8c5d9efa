"""The scale path: it chooses the coding table of each symbol from decoded integers alone.

    z_hat (integers) -> `prior`  -> t1 -> table index of the first checkerboard half
    t1 -> `mask` -> table steps by which rounding is coarser or finer at a position (models with masking only)
    t1, first symbols -> `refine` -> t2 -> table index of the second half

Index = floor(clip(t, 0, 63)). In training t is an ordinary float and the scale is continuous. Once frozen, every number
is fixed-point, carried in float64, in which all sums here are exact (`coding.exact.ExactScale.bounds` computes it from
the weights), so that the order of summation, the device and the number of threads make no difference.
"""

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn

from benchbox_resnet.network.config import MASK_BAND, MASK_FROM, SCALE_COUNT, SCALE_MIN, SCALE_STEP, ModelConfig
from benchbox_resnet.network.layers import clamp_through

#: Unit of the networks' outputs, in steps of the scale table (8 steps are 0.985 in the logarithm of the scale).
UNIT = 8.0
#: Factor on the outputs of the last layers (a power of two), so that training steps move scales gently.
OUTPUT = 0.25
#: Fractional bits of weights and trained biases, and of hidden activations. Interpolated biases have 8 bits more.
WEIGHT_BITS, HIDDEN_BITS = 12, 6
#: Weights lie strictly inside +-WEIGHT_LIMIT (16 bits in all); hidden activations in [0, HIDDEN_LIMIT).
WEIGHT_LIMIT, HIDDEN_LIMIT = 8.0, 256.0
#: Largest sum of magnitudes of a window of `refine_near` after `balance`: less than half of what is exact.
NEAR_SUM = 8.0
#: z_hat lies in [-Z_LIMIT, Z_LIMIT].
Z_LIMIT = 127
#: Fractional bits of the levels of `mask`.
LEVEL_BITS = 6
#: `refine` does not distinguish symbols larger than this.
SYMBOL_LIMIT = 255


def index_of_scale(scale: Tensor) -> Tensor:
    """The continuous index t of a scale, so that floor(t) is the nearest table: any shape."""
    return torch.log(scale / SCALE_MIN) / SCALE_STEP + 0.5


def scale_of_index(t: Tensor) -> Tensor:
    """The inverse of `index_of_scale`."""
    return SCALE_MIN * torch.exp((t - 0.5) * SCALE_STEP)


def symbol_features() -> tuple[Tensor, Tensor]:
    """Tables of `refine` in training: log2(1 + |s|) for |s| = 0..255, and its mean under each of the 64 scales.

    Shapes (256,) and (64,), multiples of 2^-HIDDEN_BITS. Their difference is the surprise of a latent. (Frozen models
    use `coding.tables.symbol_statistics`, which follow the grid and the quantisers.)
    """
    s = np.arange(SYMBOL_LIMIT + 1)  # numpy: some functions of torch take two seconds to import
    companded = np.log2(1 + s)
    spread = SCALE_MIN * np.exp(np.arange(SCALE_COUNT) * SCALE_STEP)[:, None]
    below = np.vectorize(math.erf)((s + 0.5) / (math.sqrt(2) * spread))
    mass = np.diff(below, axis=1, prepend=0.0)
    mass /= mass.sum(1, keepdims=True)
    expected = (mass * companded).sum(1)
    fixed = (np.floor(v * 2.0**HIDDEN_BITS + 0.5) * 2.0**-HIDDEN_BITS for v in (companded, expected))
    features, means = (torch.from_numpy(v.astype(np.float32)) for v in fixed)
    return features, means


def mask_bounds(config: ModelConfig) -> tuple[Tensor, Tensor]:
    """Most table steps by which masking makes rounding finer, and coarser, for each latent: (M,) float32 each, 0 for
    the first `MASK_FROM` latents."""
    latent = np.arange(config.latents)  # numpy: see symbol_features
    detail, masked = latent >= config.mask_detail_from, latent >= MASK_FROM
    finer = np.where(detail, config.mask_detail_finer, config.mask_finer) * masked
    coarser = np.where(detail, config.mask_detail_coarser, config.mask_coarser) * masked
    return torch.from_numpy(finer.astype(np.float32)), torch.from_numpy(coarser.astype(np.float32))


class ScalePath(nn.Module):
    """The two exact networks. M latents, Z hyper-latents, K hidden units, Q qualities."""

    features: Tensor
    expected: Tensor
    mask_level: Tensor
    mask_finer: Tensor
    mask_coarser: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        m, z, k, q = config.latents, config.hyper, config.scale_hidden, config.qualities
        self.prior_hidden = nn.Conv2d(z, k, 3, padding=1, bias=False)
        self.prior_out = nn.Conv2d(k, 16 * m, 1, bias=False)
        self.refine_near = nn.Conv2d(m, m, config.scale_window, padding=config.scale_window // 2, groups=m, bias=False)
        self.refine_hidden = nn.Conv2d(2 * m, k, 1, bias=False)
        self.refine_out = nn.Conv2d(k, m, 1, bias=False)
        self.bias_prior_hidden = nn.Parameter(torch.zeros(q, k))
        self.bias_prior_out = nn.Parameter(torch.zeros(q, m))
        self.bias_refine_hidden = nn.Parameter(torch.zeros(q, k))
        self.bias_refine_out = nn.Parameter(torch.zeros(q, m))
        features, expected = symbol_features()
        self.register_buffer("features", features)
        self.register_buffer("expected", expected)
        self.masking = config.masking
        for name, bound in zip(("mask_finer", "mask_coarser"), mask_bounds(config), strict=True):
            self.register_buffer(name, bound[:, None, None], persistent=False)  # follows from the configuration
        self.register_buffer("mask_level", torch.zeros(q))  # mean activity at each quality
        nn.init.zeros_(self.prior_out.weight)
        nn.init.zeros_(self.refine_out.weight)
        nn.init.zeros_(self.refine_near.weight)

    def prior(self, z_hat: Tensor, q: Tensor) -> Tensor:
        """Training form. z_hat (B, Z, h/4, w/4), q (B,) integer qualities -> t1 (B, M, h, w)."""
        hidden = self.prior_hidden(z_hat) + self.bias_prior_hidden[q][:, :, None, None]
        u = OUTPUT * F.pixel_shuffle(self.prior_out(torch.relu(hidden).clamp_max(HIDDEN_LIMIT)), 4)
        return clamp_through(UNIT * (u + self.bias_prior_out[q][:, :, None, None]), 0.0, SCALE_COUNT - 0.01)

    @torch.no_grad()
    def mask(self, t1: Tensor, q: Tensor) -> Tensor:
        """Training form. t1 (B, M, h, w), q (B,) -> whole table steps (B, M, h, w) by which rounding is coarser.

        Activity is the mean of t1 over `MASK_BAND`: the local log-magnitude of latents that the decoder knows from z.
        Bounds are those of `mask_bounds`.
        """
        activity = t1[:, slice(*MASK_BAND)].mean(1, keepdim=True)
        level = torch.round(self.mask_level[q] * 2**LEVEL_BITS) * 2.0**-LEVEL_BITS
        moved = torch.floor(self.masking * (activity - level[:, None, None, None]) + 0.5)
        return torch.minimum(torch.maximum(moved, -self.mask_finer), self.mask_coarser)

    def refine(self, t1: Tensor, symbols: Tensor, first: Tensor, q: Tensor) -> Tensor:
        """Training form. t1, symbols (B, M, h, w), first (1, M, h, w) mask -> t2 (B, M, h, w), for the second half."""
        with torch.no_grad():
            seen = torch.log2(1 + symbols.abs().clamp_max(SYMBOL_LIMIT))
            surprise = (seen - self.expected[t1.long()]) * first
        near = self.refine_near(surprise)
        hidden = self.refine_hidden(torch.cat([near, surprise], 1)) + self.bias_refine_hidden[q][:, :, None, None]
        u = OUTPUT * self.refine_out(torch.relu(hidden).clamp_max(HIDDEN_LIMIT))
        u = u + self.bias_refine_out[q][:, :, None, None]
        return clamp_through(t1 + UNIT * u, 0.0, SCALE_COUNT - 0.01)

    @torch.no_grad()
    def balance(self) -> None:
        """Divide the windows of `refine_near` whose sums are large and multiply the weights of `refine_hidden` that
        read them: the same function but for rounding.

        Once frozen, the sums of `refine_near` must stay below 2^24 steps (see `coding.exact`).
        """
        windows = self.refine_near.weight
        large = (windows.abs().sum((1, 2, 3)) / NEAR_SUM).clamp_min(1.0)
        windows /= large[:, None, None, None]
        self.refine_hidden.weight[:, : len(large)] *= large[:, None, None]
