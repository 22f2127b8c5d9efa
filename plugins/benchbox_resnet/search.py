"""Effort at the encoder: gradient steps on the latents, towards fewer bits and less error. Decoders do not change.

z, and with it the tables of the first half and the first means, stay as they are; y moves under the true objective,
bits + lambda * 255^2 * MSE of the real synthesis, with straight-through rounding (as in Campos et al. 2019, "Content
adaptive optimization for neural image compression"). The best y met is kept.
"""

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchbox_resnet.exact import QUALITY_BITS, SYMBOL_UNKNOWN
from benchbox_resnet.layers import round_through
from benchbox_resnet.model import first_half, gaussian_bits
from benchbox_resnet.pipeline import Pipeline, Symbols
from benchbox_resnet.scale import scale_of_index
from benchbox_resnet.tiles import Tile, analysis_halo

#: Steps of Adam for each unit of effort, and their size in rounding steps.
STEPS, RATE = 5, 0.06


def lambda_at(pipeline: Pipeline, quality: int) -> float:
    """The trade-off at a fixed-point quality: geometric between trained ones."""
    config = pipeline.config
    at = quality / 2**QUALITY_BITS / (config.qualities - 1)
    return float(config.lambda_min * (config.lambda_max / config.lambda_min) ** at)


def search(
    pipeline: Pipeline,
    pixels: npt.NDArray[np.uint8],
    y: npt.NDArray[np.float32],
    z_hat: Symbols,
    quality: int,
    effort: int,
) -> None:
    """Improve y (h, w, M) of the picture `pixels` (H, W, 3) in place, tile by tile."""
    for tile in pipeline.tiles_of(z_hat, analysis_halo(pipeline.config)):
        window = (tile[0].window(4), tile[1].window(4))
        start = torch.from_numpy(y[window].copy()).to(pipeline.device).permute(2, 0, 1)[None]
        with torch.inference_mode(False), torch.enable_grad():
            better = _Tile(pipeline, pixels, z_hat, tile, quality).improve(start.clone(), effort * STEPS)
        inner = (tile[0].inner(4), tile[1].inner(4))
        y[tile[0].core(4), tile[1].core(4)] = better[0].permute(1, 2, 0)[inner].cpu().numpy()


class _Tile:
    """The objective in one window: everything that does not move is computed once."""

    def __init__(
        self, pipeline: Pipeline, pixels: npt.NDArray[np.uint8], z_hat: Symbols, tile: Tile, quality: int
    ) -> None:
        self.pipeline, self.quality, self.net = pipeline, quality, pipeline.model.net
        self.x = pipeline.window_of(pixels, tile)
        self.mean1, self.features = (t.clone() for t in pipeline.hyper(z_hat, tile, quality))
        self.t1 = pipeline.prior(z_hat, tile, quality).clone()
        self.first = first_half(pipeline.config.latents, self.mean1.shape[2], self.mean1.shape[3], self.x.device) > 0
        self.gain = pipeline.row(self.net.gain_s, quality).clone()
        self.feature = pipeline.row(self.net.feature_s, quality).clone()
        self.weight = lambda_at(pipeline, quality) * 255**2

    def improve(self, y: Tensor, steps: int) -> Tensor:
        """y (1, M, h, w) -> the best of `steps` steps and the start."""
        y = y.requires_grad_()
        optimiser = torch.optim.Adam([y], RATE)
        best, least = y.detach().clone(), float("inf")
        for step in range(steps + 1):
            loss = self.loss(y)
            if float(loss.detach()) < least:
                best, least = y.detach().clone(), float(loss.detach())
            if step < steps:
                (y.grad,) = torch.autograd.grad(loss, [y])
                optimiser.step()
        return best

    def loss(self, y: Tensor) -> Tensor:
        """Bits a pixel + lambda * 255^2 * MSE, with symbols truly rounded."""
        s1 = round_through(y - self.mean1)
        y_first = torch.where(self.first, s1 + self.mean1, 0.0)
        mean2 = self.net.second_mean(self.mean1, self.features, y_first)
        s2 = round_through(y - mean2)
        s, mean = torch.where(self.first, s1, s2), torch.where(self.first, self.mean1, mean2)
        bits = gaussian_bits(s, scale_of_index(self._tables(s1).floor() + 0.5)).sum()
        x_hat = self.net.synthesise(s + mean, self.gain, self.feature)
        pixels = self.x.shape[2] * self.x.shape[3]
        return bits / pixels + self.weight * (x_hat.clamp(0, 1) - self.x).square().mean()

    @torch.no_grad()
    def _tables(self, s1: Tensor) -> Tensor:
        """t (1, M, h, w) of both halves for these symbols of the first."""
        known = torch.where(self.first, s1, SYMBOL_UNKNOWN)[0].permute(1, 2, 0).to(torch.int16)
        t2 = self.pipeline.model.scale.refine(self.t1, known, self.quality)
        t1, t2 = (t.permute(2, 0, 1)[None].float() for t in (self.t1, t2))
        return torch.where(self.first, t1, t2)
