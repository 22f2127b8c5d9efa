"""The network: residual transforms around a linear shortcut, a hyperprior and a two-step checkerboard context.

    x -+- PixelUnshuffle -- lin_a (KLT) ------------+                     +-- lin_s -- PixelShuffle -+- x_hat
       |                                            |                     |                          |
       +- g_a: unshuffle, res blocks, down, 1x1 ----+- * gain -> y        +-- g_s: 1x1, up, blocks --+- filter
                                                          |               |
             z = h_a |squash(y)| <------------------------+               |
                    z_hat = round(z) -> scale.prior -> t1                 |
                             h_s(z_hat) -> mean1, features                |
       first half:  s = round(y - mean1) with tables t1                   |
                    context(features, first y_hat) -> mean2               |
                    scale.refine(t1, first s) -> t2                       |
       second half: s = round(y - mean2) with tables t2                   |
                    y_hat = s + mean ------------------ / gain -----------+

Tables depend on integers only (see `scale`); means stay float, because noise in a mean moves a pixel, never the stream.
B pictures, H x W pixels, M latents at h x w = H/stride x W/stride, Z hyper-latents at h/4 x w/4.
"""

import dataclasses
from collections.abc import Callable
from typing import NamedTuple

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchbox_resnet.network.blocks import BlockStatistics
from benchbox_resnet.network.config import SCALE_COUNT, SCALE_STEP, ModelConfig
from benchbox_resnet.network.filter import PictureFilter
from benchbox_resnet.network.layers import (
    DepthBlock,
    ResBlock,
    activation,
    by_pixel,
    clamp_through,
    concatenated,
    quarters,
    round_through,
    shuffle,
    squash,
    unshuffle,
)
from benchbox_resnet.network.rate import laplace_bits, logistic_bits
from benchbox_resnet.network.scale import UNIT, Z_LIMIT, ScalePath, index_of_scale, scale_of_index

#: Factor on the residual networks' outputs. Muon moves every layer by steps of one size; at 40 dB the error of a pixel
#: is 0.01, and without this factor the jitter of the last layers exceeded it.
RESIDUAL = 0.125
#: Factor on the latents that g_s sees, for the same reason: they reach +-14 (DC).
LATENT_IN = 0.25
#: Side of the window in which a latent is predicted linearly from its own channel. The context network sees logarithms,
#: which hardly distinguish 100 from 101: without the window it cannot predict the mean brightness of a block at all.
CONTEXT_WINDOW = 5
#: Smallest scale of z's prior: below it, half a step of noise costs more than any table can save.
Z_SCALE_MIN = 0.06


@dataclasses.dataclass(frozen=True)
class Estimate:
    """The result of a forward pass: x_hat (B, 3, H, W) in [0, 1] but for overshoot, bits of y and of z, (B,) each."""

    x_hat: Tensor
    y_bits: Tensor
    z_bits: Tensor


def first_half(m: int, h: int, w: int, device: torch.device | None = None) -> Tensor:
    """(1, M, h, w): 1.0 on the first checkerboard half, else 0.0. Where row + column is even these are the even
    channels, elsewhere the odd ones."""
    even = (torch.arange(h, device=device)[:, None] + torch.arange(w, device=device)) % 2 == 0
    channel = torch.arange(m, device=device)[:, None, None] % 2 == 0
    return (even == channel).float()[None]


class Coding(NamedTuple):
    """How y is coded; every tensor is (B, M, h, w).

    `residual`: y less its predicted mean, in rounding steps; `symbols`: the same rounded, straight-through; `table`:
    the continuous index t of their tables; `y_hat`: y as the decoder reconstructs it.
    """

    residual: Tensor
    symbols: Tensor
    table: Tensor
    y_hat: Tensor


class ResidualCodec(nn.Module):
    """The network in its training form; `coding.pipeline` runs its parts one by one."""

    colour: Tensor
    finer: Tensor
    hyper_basis: Tensor
    hyper_level: Tensor

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        self.config = config
        c, d, m, z, q = config.channels, config.deep_channels, config.latents, config.hyper, config.qualities
        act, half = config.activation, config.stride // 2
        wide = 3 * half * half
        self.register_buffer("colour", torch.full((3,), 0.45))
        # (M,) logarithms: how much finer the steps of a channel are. Gains include them; networks that see logarithms
        # of latents see latents without them.
        self.register_buffer("finer", torch.zeros(m))
        # h_a is linear: (Z, M, 4, 4) directions of |squash(y)| in a cell of 4x4 latents, less (Q, Z), their means. It
        # is not trained, so z keeps its meaning and cannot drift (see `start`). When h_a was learned, or a network was
        # added to it, z grew during training until it was noise.
        self.register_buffer("hyper_basis", torch.zeros(z, m, 4, 4))
        self.register_buffer("hyper_level", torch.zeros(q, z))
        self.lin_a = nn.Conv2d(3 * config.stride**2, m, 1, bias=False)
        self.lin_s = nn.Conv2d(m, 3 * config.stride**2, 1, bias=False)
        blocks = [ResBlock(c, act) for _ in range(config.blocks)]
        # (nn.Identity keeps the numbered parameter names; `layers.unshuffle` cuts pictures into blocks)
        self.g_a_high = nn.Sequential(nn.Identity(), nn.Conv2d(wide, c, 1), *blocks)
        deep = [ResBlock(d, act) for _ in range(config.deep_blocks)]
        self.g_a_deep = nn.Sequential(nn.Conv2d(c, d, 2, stride=2), *deep, nn.Conv2d(d, m, 1))
        deep = [ResBlock(d, act) for _ in range(config.deep_blocks)]
        self.g_s_deep = nn.Sequential(nn.Conv2d(m, d, 1), *deep, nn.Conv2d(d, 4 * c, 1), nn.PixelShuffle(2))
        blocks = [ResBlock(c, act) for _ in range(config.blocks)]
        self.g_s_high = nn.Sequential(*blocks, nn.Conv2d(c, wide, 1), nn.Identity())
        self.filter = PictureFilter(config) if config.filter_channels else None
        self.h_s = nn.Sequential(
            nn.Conv2d(z, 4 * z, 1), nn.PixelShuffle(2), activation(act),
            nn.Conv2d(z, 4 * z, 1), nn.PixelShuffle(2), activation(act),
            nn.Conv2d(z, z, 3, padding=1), activation(act), nn.Conv2d(z, m + z, 1),
        )  # fmt: skip
        steps = [DepthBlock(config.context, act) for _ in range(config.context_blocks)]
        self.context = nn.Sequential(nn.Conv2d(2 * m + z, config.context, 1), *steps, nn.Conv2d(config.context, m, 1))
        self.context_linear = nn.Conv2d(m, m, CONTEXT_WINDOW, padding=CONTEXT_WINDOW // 2, groups=m, bias=False)
        self.scale = ScalePath(config)
        # Quality-dependent numbers, one row for each trained quality. Gains are logarithms. (numpy: weights files build
        # the network on the device `meta`, where torch's functions take seconds to import)
        log_gain = np.log(255 / np.sqrt(26 / np.array(config.lambdas, np.float64)))[:, None].repeat(m, 1)
        self.gain_a, self.gain_s = (nn.Parameter(torch.from_numpy(sign * log_gain).float()) for sign in (1, -1))
        self.feature_a, self.feature_s = nn.Parameter(torch.zeros(q, c)), nn.Parameter(torch.zeros(q, c))
        self.shift_h = nn.Parameter(torch.zeros(q, m + z))
        self.z_mean, self.z_scale = nn.Parameter(torch.zeros(q, z)), nn.Parameter(torch.full((q, z), -0.7))
        nn.init.zeros_(self.context_linear.weight)
        for layer in (self.g_a_deep[-1], self.g_s_high[-2], self.h_s[-1], self.context[-1]):
            assert isinstance(layer, nn.Conv2d)
            assert layer.bias is not None
            nn.init.zeros_(layer.weight)  # at step 0 this is a block-transform codec
            nn.init.zeros_(layer.bias)

    @torch.no_grad()
    def start_from(self, statistics: BlockStatistics) -> None:
        """Initialise as the best linear block codec: KLT both ways, and scales that fit its latents at each quality."""
        self.colour.copy_(statistics.mean)
        self.lin_a.weight.copy_(statistics.basis.T[:, :, None, None])
        self.lin_s.weight.copy_(statistics.basis[:, :, None, None])
        spread = statistics.variance[: self.config.latents].sqrt() * torch.exp(self.gain_a)
        t = index_of_scale(0.7 * spread.clamp_min(0.11)).clamp(0.5, 60)
        self.scale.bias_prior_out.copy_(t / UNIT)

    def linear_analysis(self, blocks: Tensor) -> Tensor:
        """Blocks less the mean colour (B, 3 * stride^2, h, w) -> (B, M, h, w). Always in float32: bfloat16 rounds large
        DC coefficients by half a step."""
        with torch.autocast(blocks.device.type, enabled=False):
            return by_pixel(self.lin_a, blocks)

    def analyse(self, x: Tensor, gain: Tensor, feature: Tensor) -> Tensor:
        """x (B, 3, H, W) in [0, 1], log-gains (B, M) and (B, C) -> y (B, M, h, w), float32."""
        stride = self.config.stride
        blocks = unshuffle(x.float(), stride) - self.colour.repeat_interleave(stride**2)[:, None, None]
        seen = self.g_a_high(quarters(blocks, stride))
        residual = self.g_a_deep(seen * torch.exp(feature)[:, :, None, None])
        y: Tensor = (self.linear_analysis(blocks) + RESIDUAL * residual.float()) * torch.exp(gain)[:, :, None, None]
        return y

    def magnitudes(self, y: Tensor) -> Tensor:
        """y (B, M, h, w) -> |squash(y)|, float32."""
        return self._squashed(y.float()).abs()

    def hyper_analysis(self, y: Tensor, level: Tensor) -> Tensor:
        """y (B, M, h, w), level (B, Z) -> z (B, Z, h/4, w/4), not rounded, float32."""
        with torch.autocast(y.device.type, enabled=False):
            return F.conv2d(self.magnitudes(y), self.hyper_basis, stride=4) - level[:, :, None, None]

    def filtering(self, row: Callable[[Tensor], Tensor]) -> Tensor | None:
        """`row` of the numbers by which the filter knows qualities, for `synthesise`; None where there is no filter."""
        return None if self.filter is None else row(self.filter.rows)

    def paths(self, y_hat: Tensor, gain: Tensor, feature: Tensor) -> tuple[Tensor, Tensor]:
        """y_hat (B, M, h, w), log-gains (B, M) and (B, C) -> what the linear and the residual path write: blocks of
        samples, (B, 3 * stride^2, h, w) float32, less the mean colour, and (B, 3 * (stride / 2)^2, 2h, 2w)."""
        y = y_hat * torch.exp(gain)[:, :, None, None]
        residual = self.g_s_high(self.g_s_deep(LATENT_IN * y) * torch.exp(feature)[:, :, None, None])
        with torch.autocast(y.device.type, enabled=False):
            return by_pixel(self.lin_s, y.float()), residual

    def synthesise(self, y_hat: Tensor, gain: Tensor, feature: Tensor, filtering: Tensor | None) -> Tensor:
        """y_hat (B, M, h, w), log-gains (B, M) and (B, C) -> x_hat (B, 3, H, W), not clipped, float32; `filtering`
        (B, 3F): see `filter`, None: not filtered."""
        linear, residual = self.paths(y_hat, gain, feature)
        stride = self.config.stride
        linear = linear.add_(self.colour.repeat_interleave(stride**2)[:, None, None])
        x_hat = shuffle(linear, stride).add_(shuffle(residual, stride // 2), alpha=RESIDUAL)
        return x_hat if self.filter is None or filtering is None else self.filter(x_hat, self.colour, filtering)

    def z_prior(self) -> tuple[Tensor, Tensor]:
        """Means and scales of the logistic prior of z, (Q, Z) each.

        They move slowly (one step of Adam each), which keeps z in place: scaling z and dividing h_s by the same factor
        gives the same codec, and a prior that follows fast lets z drift until it is noise.
        """
        return self.z_mean, Z_SCALE_MIN + torch.exp(self.z_scale)

    def hyper_synthesis(self, z_hat: Tensor, shift: Tensor) -> tuple[Tensor, Tensor]:
        """z_hat (B, Z, h/4, w/4), shift (B, M + Z) -> mean1 (B, M, h, w), features (B, Z, h, w)."""
        h = self.h_s(z_hat).float() + shift[:, :, None, None]
        return h[:, : self.config.latents], h[:, self.config.latents :]

    def second_mean(self, mean1: Tensor, features: Tensor, y_first: Tensor) -> Tensor:
        """mean1, y_first (B, M, h, w), y_first zero on the second half; features (B, Z, h, w) -> mean2 (B, M, h, w)."""
        seen = concatenated([self._squashed(mean1), features, self._squashed(y_first)])
        mean2: Tensor = mean1 + self.context(seen).float()
        with torch.autocast(y_first.device.type, enabled=False):
            linear: Tensor = self.context_linear(y_first)
        return mean2 + linear

    def code(self, y: Tensor, z_hat: Tensor, q: Tensor) -> Coding:
        """y (B, M, h, w), z_hat (B, Z, h/4, w/4), q (B,) integer qualities -> how the latents are coded."""
        t1 = self.scale.prior(z_hat, q)
        step: Tensor | float = 1.0
        if self.config.masking:
            coarser = self.scale.mask(t1, q)
            step = torch.exp(SCALE_STEP * coarser)
            t1 = clamp_through(t1 - coarser, 0.0, SCALE_COUNT - 0.01)
        mean1, features = self.hyper_synthesis(z_hat, self.shift_h[q])
        half = first_half(self.config.latents, y.shape[2], y.shape[3], y.device)
        first = round_through((y - mean1) / step) * half
        mean2 = self.second_mean(mean1, features, first * step + mean1 * half)
        t2 = self.scale.refine(t1, first.detach(), half, q)
        mean, table = torch.where(half > 0, mean1, mean2), torch.where(half > 0, t1, t2)
        residual = (y - mean) / step
        symbols = round_through(residual)
        return Coding(residual, symbols, table, symbols * step + mean)

    def forward(self, x: Tensor, q: Tensor) -> Estimate:
        """x (B, 3, H, W) in [0, 1], sides multiples of `pad_multiple`; q (B,) integer qualities.

        In training mode the rate is computed with uniform noise instead of rounding; everything else sees y and z
        rounded straight-through. With noise instead of z_hat, the networks learn to read a z far smaller than one step,
        which rounding erases.
        """
        y = self.analyse(x, self.gain_a[q], self.feature_a[q])
        # (detached: z costs few bits, and its gradient moved g_a's latents away from their own optimum)
        z = clamp_through(self.hyper_analysis(y.detach(), self.hyper_level[q]), -Z_LIMIT, Z_LIMIT)
        z_mean, z_scale = (v[q][:, :, None, None] for v in self.z_prior())
        z_hat = round_through(z)
        z_bits = logistic_bits((self._noisy(z) if self.training else z_hat) - z_mean, z_scale)
        seen = self.code(y, z_hat, q)
        spent = self._noisy(seen.residual) if self.training else seen.symbols
        y_bits = laplace_bits(spent, scale_of_index(seen.table))
        x_hat = self.synthesise(seen.y_hat, self.gain_s[q], self.feature_s[q], self.filtering(lambda rows: rows[q]))
        return Estimate(x_hat, y_bits.sum((1, 2, 3)), z_bits.sum((1, 2, 3)))

    def _squashed(self, v: Tensor) -> Tensor:
        return squash(v * torch.exp(-self.finer)[:, None, None])

    @staticmethod
    def _noisy(v: Tensor) -> Tensor:
        return v + torch.rand_like(v) - 0.5
