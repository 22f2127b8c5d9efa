"""The encoder's option `effort`: a search for latents that suit the synthesis better, or take fewer bits. Decoders do
not change.

g_a computes y in one pass. Here each step measures the cost of y, bits + distortion of the picture that a decoder will
see, and moves y against the gradient of the distortion by a Newton step under the curvature of each channel; rounding
then takes the cheaper integer of every latent under its table (`quantise`), as without a search. This is proximal
gradient descent on integers; the moves are damped and have momentum, because latents that overlap in the picture move
at the same time. z stays as it is, and with it the tables and means of the first half. The best of all steps is kept;
the first candidate is what would be written without a search.

Source of the idea: Campos et al. 2019, "Content adaptive optimization for neural image compression".
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchbox_resnet.coding.adapter import Adapter
from benchbox_resnet.coding.exact import QUALITY_BITS, SYMBOL_UNKNOWN, table_index
from benchbox_resnet.coding.halves import SYMBOL_CLIP, Indices, Symbols, join_half, split_half
from benchbox_resnet.coding.pipeline import Pipeline
from benchbox_resnet.coding.quantise import STEP_WEIGHT
from benchbox_resnet.coding.tiles import Tile, analysis_halo
from benchbox_resnet.network.config import GRID
from benchbox_resnet.network.model import first_half
from benchbox_resnet.network.similarity import SMALLEST, ms_ssim

#: Steps per unit of effort; share of a Newton step that is taken; share of the last move that is added.
STEPS, RATE, MOMENTUM = 2, 0.3, 0.5
#: Factor on errors of rounding, relative to the curvature, in models tuned for MS-SSIM and for squared error. Found on
#: held-out pictures by bits + distortion: 1.0 gains nothing in the first, 2.25 a quarter less in the second.
CAUTION = (2.25, 1.0)
#: Step of the probe of the curvature, in rounding steps; least curvature of a channel, in bits per squared step.
PROBE, LEAST_CURVATURE = 0.25, 1.0


@dataclasses.dataclass(frozen=True)
class Search:
    """The search for one picture `pixels` (H, W, 3) at a fixed-point quality; call it with y and z_hat, as
    `Pipeline.encode` does. `gray`: colour is not sent.

    A model tuned for MS-SSIM is searched by MS-SSIM, which is undefined for tiles with a side below 161 pixels: they
    stay as they are.
    """

    pipeline: Pipeline
    pixels: npt.NDArray[np.uint8]
    quality: int
    effort: int
    gray: bool = False

    def __call__(self, y: npt.NDArray[np.float32], z_hat: Symbols) -> None:
        """Improve y (h, w, M) in place, tile by tile; z_hat (h/4, w/4, Z) stays as it is."""
        pipeline = self.pipeline
        least = SMALLEST if pipeline.model.tune == "ms-ssim" else 0
        for tile in pipeline.tiles_of(z_hat, analysis_halo(pipeline.config)):
            if pipeline.config.pad_multiple * min(span.high - span.low for span in tile) < least:
                continue
            window = (tile[0].window(4), tile[1].window(4))
            start = torch.from_numpy(y[window].copy()).to(pipeline.device).permute(2, 0, 1)[None]
            with torch.inference_mode(False), torch.enable_grad():
                searched = _Window(self, z_hat, tile)
                better = searched.improve(start.clone() / searched.step, self.effort * STEPS) * searched.step
            inner = (tile[0].inner(4), tile[1].inner(4))
            y[tile[0].core(4), tile[1].core(4)] = better[0].permute(1, 2, 0)[inner].cpu().numpy()


class _Window:
    """The objective in one window; what does not change is computed once. Latents are in rounding steps."""

    def __init__(self, search: Search, z_hat: Symbols, tile: Tile) -> None:
        self.pipeline = pipeline = search.pipeline
        self.quality = quality = search.quality
        self.net, self.gray = pipeline.model.net, search.gray
        self.x = pipeline.window_of(search.pixels, tile)
        self.mean1, self.features = (t.clone() for t in pipeline.hyper(z_hat, tile, quality))
        t1, step = pipeline.prior(z_hat, tile, quality)
        self.t1, self.step = t1.clone(), step.clone() if isinstance(step, Tensor) else step
        height, width = self.mean1.shape[2:]
        self.first = first_half(pipeline.config.latents, height, width, self.x.device) > 0
        self.gain = pipeline.row(self.net.gain_s, quality).clone()
        self.feature = pipeline.row(self.net.feature_s, quality).clone()
        at, area = quality / 2**QUALITY_BITS, self.x.shape[2] * self.x.shape[3]
        self.tuned_for_mse = pipeline.model.tune == "mse"
        weigh = pipeline.config.lambda_at(at) * 255**2 if self.tuned_for_mse else pipeline.config.ms_ssim_weight_at(at)
        self.weight = weigh * area

    def improve(self, y: Tensor, steps: int) -> Tensor:
        """y (1, M, h, w) -> y_hat of the best of `steps` steps, or y_hat without a search where none is better."""
        curvature = self.curvature(y.round())
        weights = (CAUTION[self.tuned_for_mse] * curvature).reshape(-1).cpu().numpy()
        best, bits = self.code(y, self.pipeline.worth)
        least, move = bits + self.distortion(best)[0], torch.zeros_like(y)
        for step in range(steps + 1):
            y_hat, bits = self.code(y, weights)
            error, slope = self.distortion(y_hat)
            if bits + error < least:
                best, least = y_hat, bits + error
            if step < steps:
                move = MOMENTUM * move + RATE * (y_hat - slope / (2 * curvature) - y)
                y = y + move
        return best

    def distortion(self, y_hat: Tensor) -> tuple[float, Tensor]:
        """Distortion of the decoded picture, in bits, and its gradient by y_hat (1, M, h, w)."""
        y_hat = y_hat.detach().requires_grad_()
        with self.pipeline.floats():
            x_hat = self.net.synthesise(y_hat * self.step, self.gain, self.feature).clamp(0, 1)
        lack = (x_hat - self.x).square().mean() if self.tuned_for_mse else 1 - ms_ssim(x_hat, self.x).mean()
        (slope,) = torch.autograd.grad(self.weight * lack, [y_hat])
        return self.weight * float(lack.detach()), slope

    def curvature(self, y: Tensor) -> Tensor:
        """(1, M, 1, 1): bits per squared rounding step in each channel, from the change of the gradient along a random
        sign pattern (Hutchinson's estimate of the diagonal of the Hessian, halved)."""
        signs = torch.from_numpy(np.random.default_rng(0).integers(0, 2, y.shape, np.int8) * 2 - 1).to(y)
        change = self.distortion(y + PROBE * signs)[1] - self.distortion(y - PROBE * signs)[1]
        found = (signs * change).mean((2, 3), keepdim=True) / (4 * PROBE)
        return found.clamp(LEAST_CURVATURE, 2 * STEP_WEIGHT)

    @torch.no_grad()
    def code(self, y: Tensor, weights: npt.NDArray[np.float32]) -> tuple[Tensor, float]:
        """y (1, M, h, w), weights (M,) of rounding -> y_hat as the decoder reconstructs it, and bits of its symbols.

        Tables learn from the window alone, not from the picture before it.
        """
        adapter = self.pipeline.adapter(self.gray)
        mean1 = self.mean1 / self.step
        guess = split_half(table_index(self.t1), True)
        s1, bits1 = self._half(adapter, y - mean1, guess, weights, True)
        known = torch.where(self.first, s1, SYMBOL_UNKNOWN)[0].permute(1, 2, 0).to(torch.int16)
        t2 = self.pipeline.model.scale.refine(self.t1, known, self.quality)
        y_first = torch.where(self.first, s1 * (self.step / GRID) + self.mean1, 0.0)
        with self.pipeline.floats():
            mean2 = self.net.second_mean(self.mean1, self.features, y_first) / self.step
        s2, bits2 = self._half(adapter, y - mean2, table_index(t2), weights, False)
        return torch.where(self.first, s1 / GRID + mean1, s2 / GRID + mean2), bits1 + bits2

    def _half(
        self, adapter: Adapter, residual: Tensor, guess: Indices, weights: npt.NDArray[np.float32], first: bool
    ) -> tuple[Tensor, float]:
        """Symbols (1, M, h, w) of one half, 0 on the other, and their bits; `guess` (h, w, M / 2): guessed tables."""
        values = np.ascontiguousarray(residual[0].permute(1, 2, 0).cpu().numpy())
        costs = self.pipeline.costs
        half, coded, taken = adapter.encode(split_half(values, first), guess, costs, weights, SYMBOL_CLIP)
        symbols = np.zeros(values.shape, np.int16)
        join_half(half, symbols, first)
        bits = costs[taken, np.minimum(np.abs(coded), costs.shape[1] - 1)].sum(dtype=np.float64)
        return torch.from_numpy(symbols).to(residual).permute(2, 0, 1)[None], float(bits)
