"""The encoder's option `effort`: a search for latents that suit the synthesis better, or take fewer bits. Decoders do
not change.

g_a computes y in one pass. Here each step measures the cost of y, bits + distortion of the picture that a decoder will
see, and moves y against its gradient (`descent`); rounding then takes the cheaper integer of every latent under its
table (`trellis`), as without a search. z stays as it is, and with it the tables and means of the first half. The best
of all steps is kept; the first candidate is what would be written without a search.

Source of the idea: Campos et al. 2019, "Content adaptive optimization for neural image compression".
"""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from benchbox_resnet.coding.adapter import Adapter
from benchbox_resnet.coding.descent import MS_SSIM, MSE, Candidate, Curvature, descend
from benchbox_resnet.coding.exact import QUALITY_BITS, SYMBOL_UNKNOWN, table_index
from benchbox_resnet.coding.halves import SYMBOL_CLIP, Indices, Symbols, join_half, split_half
from benchbox_resnet.coding.pipeline import Pipeline
from benchbox_resnet.coding.quantise import STEP_WEIGHT
from benchbox_resnet.coding.tiles import Tile, analysis_halo
from benchbox_resnet.coding.trellis import Floats
from benchbox_resnet.network.config import GRID
from benchbox_resnet.network.model import first_half
from benchbox_resnet.network.rate import laplace_bits
from benchbox_resnet.network.scale import scale_of_index
from benchbox_resnet.network.similarity import SMALLEST, ms_ssim

#: Steps per unit of effort.
STEPS = 2
#: Step of the probe of the curvature, in rounding steps; least curvature of a channel, in bits per squared step.
PROBE, LEAST_CURVATURE = 0.25, 1.0
#: Side of the square of positions over which a position's curvature is averaged; bounds of its factor.
AVERAGED, LOCAL_RANGE = 3, (0.1, 10.0)


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
                settings = MSE if searched.tuned_for_mse else MS_SSIM
                better = descend(searched, start.clone() / searched.step, self.effort * STEPS, settings) * searched.step
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
        self.filtering = self.net.filtering(lambda rows: pipeline.row(rows, quality).clone())
        at, area = quality / 2**QUALITY_BITS, self.x.shape[2] * self.x.shape[3]
        self.tuned_for_mse = pipeline.model.tune == "mse"
        weigh = pipeline.config.lambda_at(at) * 255**2 if self.tuned_for_mse else pipeline.config.ms_ssim_weight_at(at)
        self.weight = weigh * area

    def distortion(self, y_hat: Tensor) -> tuple[float, Tensor]:
        """Distortion of the decoded picture, in bits, and its gradient by y_hat (1, M, h, w)."""
        y_hat = y_hat.detach().requires_grad_()
        with self.pipeline.floats():
            x_hat = self.net.synthesise(y_hat * self.step, self.gain, self.feature, self.filtering).clamp(0, 1)
        lack = (x_hat - self.x).square().mean() if self.tuned_for_mse else 1 - ms_ssim(x_hat, self.x).mean()
        (slope,) = torch.autograd.grad(self.weight * lack, [y_hat])
        return self.weight * float(lack.detach()), slope

    def curvature(self, y_hat: Tensor, by_position: bool) -> Curvature:
        """Bits per squared rounding step around y_hat (1, M, h, w), from the change of the gradient along a random sign
        pattern (Hutchinson's estimate of the diagonal of the Hessian, halved)."""
        signs = torch.from_numpy(np.random.default_rng(0).integers(0, 2, y_hat.shape, np.int8) * 2 - 1).to(y_hat)
        change = self.distortion(y_hat + PROBE * signs)[1] - self.distortion(y_hat - PROBE * signs)[1]
        found = signs * change / (4 * PROBE)
        channels = found.mean((2, 3), keepdim=True).clamp(LEAST_CURVATURE, 2 * STEP_WEIGHT)
        if not by_position:
            return Curvature(channels, 1.0)
        bordered = F.pad(found.sum(1, keepdim=True) / channels.sum(), (AVERAGED // 2,) * 4, mode="replicate")
        return Curvature(channels, F.avg_pool2d(bordered, AVERAGED, 1).clamp(*LOCAL_RANGE))

    def context_slope(self, y: Tensor, candidate: Candidate) -> Tensor:
        """Gradient of the second half's bits by the first half's y_hat, (1, M, h, w), 0 on the second: the bits of
        y (1, M, h, w) there depend on the means that the context network computes from the first half.

        Bits are those of y itself under Laplace distributions with the scales of the tables: rounded residuals are
        mostly 0, where the gradient is 0, too.
        """
        tables = np.zeros((*y.shape[2:], y.shape[1]), np.float32)
        join_half(candidate.t2.float().cpu().numpy(), tables, False)
        scale = scale_of_index(torch.from_numpy(tables).to(y).permute(2, 0, 1)[None])
        y_first = candidate.y_first.clone().requires_grad_()
        with self.pipeline.floats():
            mean2 = self.net.second_mean(self.mean1, self.features, y_first)
        bits = laplace_bits(y - mean2 / self.step, scale).masked_fill(self.first, 0.0).sum()
        (slope,) = torch.autograd.grad(bits, [y_first])
        return (slope * self.step).masked_fill(~self.first, 0.0)

    @torch.no_grad()
    def code(self, y: Tensor, curvature: Curvature | None, caution: float) -> Candidate:
        """y (1, M, h, w) as the decoder reconstructs it. Errors of rounding are weighted by caution * curvature, or as
        without a search where the curvature is None.

        Tables learn from the window alone, not from the picture before it.
        """
        prices = self._prices(curvature, caution)
        adapter = self.pipeline.adapter(self.gray)
        mean1 = self.mean1 / self.step
        guess = split_half(table_index(self.t1), True)
        s1, bits1 = self._half(adapter, y - mean1, guess, prices, True)
        known = torch.where(self.first, s1, SYMBOL_UNKNOWN)[0].permute(1, 2, 0).to(torch.int16)
        t2 = self.pipeline.model.scale.refine(self.t1, known, self.quality)
        y_first = torch.where(self.first, s1 * (self.step / GRID) + self.mean1, 0.0)
        with self.pipeline.floats():
            mean2 = self.net.second_mean(self.mean1, self.features, y_first) / self.step
        s2, bits2 = self._half(adapter, y - mean2, table_index(t2), prices, False)
        y_hat = torch.where(self.first, s1 / GRID + mean1, s2 / GRID + mean2)
        return Candidate(y_hat, bits1 + bits2, y_first, t2)

    def _prices(self, curvature: Curvature | None, caution: float) -> tuple[Floats, Floats | None]:
        """`worth` (M,) and `local` (h, w) of `Adapter.encode`."""
        if curvature is None:
            return self.pipeline.worth, None
        worth = (caution * curvature.channels).reshape(-1).cpu().numpy()
        if not isinstance(curvature.positions, Tensor):
            return worth, None
        return worth, np.ascontiguousarray(curvature.positions[0, 0].cpu().numpy())

    def _half(
        self, adapter: Adapter, residual: Tensor, guess: Indices, prices: tuple[Floats, Floats | None], first: bool
    ) -> tuple[Tensor, float]:
        """Symbols (1, M, h, w) of one half, 0 on the other, and their bits; `guess` (h, w, M / 2): guessed tables."""
        values = np.ascontiguousarray(residual[0].permute(1, 2, 0).cpu().numpy())
        costs, (worth, local) = self.pipeline.costs, prices
        half, coded, taken = adapter.encode(split_half(values, first), guess, costs, worth, SYMBOL_CLIP, local)
        symbols = np.zeros(values.shape, np.int16)
        join_half(half, symbols, first)
        bits = costs[taken, np.minimum(np.abs(coded), costs.shape[1] - 1)].sum(dtype=np.float64)
        return torch.from_numpy(symbols).to(residual).permute(2, 0, 1)[None], float(bits)
