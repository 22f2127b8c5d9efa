"""From pixels to symbols and back, tile by tile; `codec` turns symbols into streams.

Arrays of the whole picture have small types (y float32, symbols int16, table numbers uint8); wider ones exist for one
tile at a time. Layout of latents on the host: (h, w, M).
"""

import contextlib
import dataclasses
import functools
from collections.abc import Callable
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

from benchbox_resnet.coding.adapter import Adapter
from benchbox_resnet.coding.entropy import TableIds
from benchbox_resnet.coding.exact import QUALITY_BITS, SYMBOL_UNKNOWN, table_index
from benchbox_resnet.coding.fused import fused_end
from benchbox_resnet.coding.halves import SYMBOL_CLIP, Indices, Symbols, join_half, split_half
from benchbox_resnet.coding.int8 import in_int8
from benchbox_resnet.coding.precision import Precision, fast_bfloat16, in_bfloat16, require
from benchbox_resnet.coding.quantise import STEP_WEIGHT
from benchbox_resnet.coding.tables import z_table_ids
from benchbox_resnet.coding.tiles import Tile, analysis_halo, mean_halo, synthesis_halo, tiles
from benchbox_resnet.coding.weights import Model
from benchbox_resnet.network.config import GRID, LATENT_TABLES, SCALE_COUNT, SCALE_STEP
from benchbox_resnet.network.scale import Z_LIMIT

#: Side of a tile's core, in cells: 1024 pixels at stride 16.
TILE_CELLS = 16
#: Factor on `STEP_WEIGHT` for errors of rounding. Found by BD-rate on held-out training pictures: 3 and 4.5 are within
#: 0.1 % of each other, 2 is 0.4 % worse; with a polished synthesis (see `training.polish`) 3 is better.
ROUNDING = 3.0

#: Called with y (h, w, M) float32 and z_hat before they are coded; may change y in place (see `search`).
Improve = Callable[[npt.NDArray[np.float32], Symbols], None]


@dataclasses.dataclass(frozen=True)
class Coded:
    """The entropy coder's input in coding order, (n,) each: z, then the first half, then the second. `symbols` are the
    coded integers (see `dependent`), `ids` their tables."""

    symbols: Symbols
    ids: TableIds


def _flat(half: npt.NDArray[Any], sent: npt.NDArray[np.bool_] | None) -> npt.NDArray[Any]:
    """The latents of a half that are in the stream (`sent` None: all), in coding order."""
    return half.reshape(-1) if sent is None else half[sent]


class Pipeline:
    """Runs the parts of one model in order. Qualities are fixed-point with 8 fractional bits."""

    def __init__(
        self, model: Model, tile_cells: int = TILE_CELLS, rounding: float = ROUNDING, precision: Precision = "float32"
    ) -> None:
        """`tile_cells`: side of a tile's core; `rounding`: factor on errors of rounding; `precision`: of the float
        networks. A stream decodes to the same symbols in any precision, and to pixels that differ by a few levels."""
        self.device = model.net.colour.device
        require(precision, self.device)
        self.bfloat16 = precision != "float32" and (precision == "bfloat16" or fast_bfloat16(self.device))
        self.model = in_bfloat16(model) if self.bfloat16 else model
        # int8 has no gradients; `model` keeps them for the search
        self._transforms = in_int8(self.model.net) if precision == "int8" else self.model.net
        self._fused = fused_end(model.net) if self.bfloat16 else None
        self.config, self.tile_cells, self.precision = model.config, tile_cells, precision
        self.worth = np.full(model.config.latents, STEP_WEIGHT * rounding, np.float32)
        self.costs = model.tables.costs(64)[:LATENT_TABLES]
        self._least_bits = model.tables.least_bits()
        # The last results and their arguments: a picture of one tile needs each twice. They are never changed in place.
        self._last_prior: tuple[Symbols, Tile, int, tuple[Tensor, Tensor | float]] | None = None
        self._last_hyper: tuple[Symbols, Tile, int, tuple[Tensor, Tensor]] | None = None

    def floats(self) -> contextlib.AbstractContextManager[object]:
        """The context in which float networks run: autocast to bfloat16, or nothing."""
        return torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16)

    # -- shared by both directions ------------------------------------------------------------------------------

    def row(self, table: Tensor, quality: int) -> Tensor:
        """Row of a table by quality (Q, n) at a fixed-point quality -> (1, n), linear between trained qualities."""
        at = quality / 2**QUALITY_BITS
        low = min(int(at), table.shape[0] - 2)
        return torch.lerp(table[low], table[low + 1], at - low)[None]

    def least_bits(self, quality: int, gray: bool) -> float:
        """Least bits that one cell can take in a stream."""
        z = float(self._least_bits[z_table_ids(self.config, quality, 1, 1)].sum())
        latents = int((~self.model.colour_only).sum()) if gray else self.config.latents
        return z + 16 * latents * float(self._least_bits[:LATENT_TABLES].min())

    def tiles_of(self, z_hat: npt.NDArray[Any], halo: int) -> list[Tile]:
        """The tiles of a picture, given an array with one row and column per cell."""
        return list(tiles(z_hat.shape[0], z_hat.shape[1], self.tile_cells, halo))

    def prior(self, z_hat: Symbols, tile: Tile, quality: int) -> tuple[Tensor, Tensor | float]:
        """z_hat (h/4, w/4, Z) of the picture -> t1 (h, w, M) of a tile's window, and its rounding steps: (1, M, h, w)
        float32, or 1.0 where the model does not mask."""
        last = self._last_prior
        if last is not None and last[0] is z_hat and last[1:3] == (tile, quality):
            return last[3]
        vertical, horizontal = tile
        bordered = np.pad(z_hat, ((1, 1), (1, 1), (0, 0)))
        window = bordered[vertical.low : vertical.high + 2, horizontal.low : horizontal.high + 2]
        t1 = self.model.scale.prior(torch.from_numpy(window.transpose(2, 0, 1).copy()), quality)
        step: Tensor | float = 1.0
        if self.config.masking:
            coarser = self.model.scale.mask(t1, quality)
            step = torch.exp(SCALE_STEP * coarser).float().permute(2, 0, 1)[None]
            t1 = (t1 - coarser).clamp_(0, SCALE_COUNT - 2.0**-10)
        self._last_prior = (z_hat, tile, quality, (t1, step))
        return t1, step

    def hyper(self, z_hat: Symbols, tile: Tile, quality: int) -> tuple[Tensor, Tensor]:
        """mean1 (1, M, h, w) and features (1, Z, h, w) of a tile's window."""
        last = self._last_hyper
        if last is not None and last[0] is z_hat and last[1:3] == (tile, quality):
            return last[3]
        vertical, horizontal = tile
        window = z_hat[vertical.window(1), horizontal.window(1)]
        z = torch.from_numpy(window.astype(np.float32)).to(self.device).permute(2, 0, 1)[None]
        with self.floats():
            made = self.model.net.hyper_synthesis(z, self.row(self.model.net.shift_h, quality))
        self._last_hyper = (z_hat, tile, quality, made)
        return made

    def _second_mean(self, mean1: Tensor, features: Tensor, first: Symbols, step: Tensor | float) -> Tensor:
        """mean2 (1, M, h, w) of a window from the first half's symbols there (h, w, M), unknown elsewhere."""
        s = torch.from_numpy(first).to(self.device).permute(2, 0, 1)[None]
        known = s != SYMBOL_UNKNOWN
        y_first = torch.where(known, s * (step / GRID) + mean1, 0.0)
        with self.floats():
            return self.model.net.second_mean(mean1, features, y_first)

    def adapter(self, gray: bool) -> Adapter:
        """A new `Adapter` for one picture; `gray`: without the latents of colour."""
        unsent = self.model.colour_only if gray else np.zeros(self.config.latents, np.bool_)
        scale = self.model.scale
        return Adapter(scale.features, scale.expected, unsent, self.config.dependent_from)

    def sent(self, rows: int, cols: int, first: bool) -> npt.NDArray[np.bool_]:
        """(h, w, M / 2): which latents of a half are in the stream of a gray picture."""
        shape = (4 * rows, 4 * cols, self.config.latents)
        return np.asarray(split_half(np.broadcast_to(~self.model.colour_only, shape), first), np.bool_)

    def all_indices(self, z_hat: Symbols, quality: int) -> Indices:
        """Table numbers from the prior, (h, w, M) for the whole picture."""
        rows, cols = z_hat.shape[:2]
        out = np.empty((4 * rows, 4 * cols, self.config.latents), np.uint8)
        for tile in self.tiles_of(z_hat, 0):
            out[tile[0].core(4), tile[1].core(4)] = table_index(self.prior(z_hat, tile, quality)[0])
        return out

    def refined_indices(self, z_hat: Symbols, first: Symbols, quality: int) -> Indices:
        """Table numbers of the second half, (h, w, M / 2), from z and the first half's symbols."""
        rows, cols = z_hat.shape[:2]
        out = np.empty((4 * rows, 4 * cols, self.config.latents // 2), np.uint8)
        for tile in self.tiles_of(z_hat, mean_halo(self.config)):
            t1, _ = self.prior(z_hat, tile, quality)
            window = np.ascontiguousarray(first[tile[0].window(4), tile[1].window(4)])
            t2 = self.model.scale.refine(t1, torch.from_numpy(window).to(self.device), quality)
            out[tile[0].core(4), tile[1].core(4)] = table_index(t2[tile[0].inner(4), tile[1].inner(4)])
        return out

    # -- encoder ------------------------------------------------------------------------------------------------

    @torch.inference_mode()
    def encode(
        self, pixels: npt.NDArray[np.uint8], quality: int, gray: bool = False, improve: Improve | None = None
    ) -> Coded:
        """(H, W, 3) uint8 of any size -> coded integers and their tables; `gray`: without the latents of colour;
        `improve`: called before latents are coded."""
        y, z_hat = self.analyse(pixels, quality)
        if improve is not None:
            improve(y, z_hat)
        rows, cols = z_hat.shape[:2]
        adapter = self.adapter(gray)
        sent1, sent2 = (self.sent(rows, cols, half) if gray else None for half in (True, False))
        guess = split_half(self.all_indices(z_hat, quality), True)
        rest = self._residual(y, z_hat, None, quality)
        symbols1, coded1, ids1 = adapter.encode(rest, guess, self.costs, self.worth, SYMBOL_CLIP)
        first = np.full(y.shape, SYMBOL_UNKNOWN, np.int16)
        join_half(symbols1, first, True)
        del symbols1, rest
        rest = self._residual(y, z_hat, first, quality)
        del y
        guess = self.refined_indices(z_hat, first, quality)
        del first  # of a picture of 50 MP: 175 MB
        _, coded2, ids2 = adapter.encode(rest, guess, self.costs, self.worth, SYMBOL_CLIP)
        del rest, guess
        z_ids = z_table_ids(self.config, quality, rows, cols)
        return Coded(
            np.concatenate([z_hat.reshape(-1), _flat(coded1, sent1), _flat(coded2, sent2)]),
            np.concatenate([z_ids, _flat(ids1, sent1), _flat(ids2, sent2)], dtype=np.uint16),
        )

    @torch.inference_mode()
    def analyse(self, pixels: npt.NDArray[np.uint8], quality: int) -> tuple[npt.NDArray[np.float32], Symbols]:
        """(H, W, 3) -> y (h, w, M) float32 and z_hat (h/4, w/4, Z) of the padded picture."""
        m = self.config.pad_multiple
        rows, cols = -(-pixels.shape[0] // m), -(-pixels.shape[1] // m)
        y_all = np.empty((4 * rows, 4 * cols, self.config.latents), np.float32)
        z_all = np.empty((rows, cols, self.config.hyper), np.int16)
        net = self.model.net
        gain, feature = self.row(net.gain_a, quality), self.row(net.feature_a, quality)
        level = self.row(net.hyper_level, quality)
        for tile in self.tiles_of(z_all, analysis_halo(self.config)):
            with self.floats():
                y = self._transforms.analyse(self.window_of(pixels, tile), gain, feature)
                z = net.hyper_analysis(y, level)[0].permute(1, 2, 0).round().clamp(-Z_LIMIT, Z_LIMIT).cpu().numpy()
            inner = (tile[0].inner(4), tile[1].inner(4))
            y_all[tile[0].core(4), tile[1].core(4)] = y[0].permute(1, 2, 0)[inner].cpu().numpy()
            z_all[tile[0].core(1), tile[1].core(1)] = z[tile[0].inner(1), tile[1].inner(1)]
        return y_all, z_all

    def window_of(self, pixels: npt.NDArray[np.uint8], tile: Tile) -> Tensor:
        """Pixels of a tile's window, the last row and column repeated, (1, 3, H, W) in [0, 1]."""
        m = self.config.pad_multiple
        part = pixels[tile[0].window(m), tile[1].window(m)]
        below = (tile[0].high - tile[0].low) * m - part.shape[0]
        right = (tile[1].high - tile[1].low) * m - part.shape[1]
        part = np.pad(part, ((0, below), (0, right), (0, 0)), mode="edge")
        return torch.from_numpy(part).to(self.device).permute(2, 0, 1)[None].float().div_(255)

    def _residual(
        self, y: npt.NDArray[np.float32], z_hat: Symbols, first: Symbols | None, quality: int
    ) -> npt.NDArray[np.float32]:
        """y (h, w, M) -> y less the means of one half, in rounding steps, (h, w, M / 2): of the first half, or, given
        its symbols `first` (h, w, M), of the second."""
        out = np.empty((*y.shape[:2], y.shape[2] // 2), np.float32)
        for tile in self.tiles_of(z_hat, mean_halo(self.config)):
            _, step = self.prior(z_hat, tile, quality)
            mean, features = self.hyper(z_hat, tile, quality)
            if first is not None:
                window = np.ascontiguousarray(first[tile[0].window(4), tile[1].window(4)])
                mean = self._second_mean(mean, features, window, step)
            core, inner = (tile[0].core(4), tile[1].core(4)), (tile[0].inner(4), tile[1].inner(4))
            half = functools.partial(split_half, first=first is None, top=4 * tile[0].start, left=4 * tile[1].start)
            np.subtract(half(y[core]), half(mean[0].permute(1, 2, 0)[inner].cpu().numpy()), out=out[core])
            if isinstance(step, Tensor):
                out[core] /= half(step[0].permute(1, 2, 0)[inner].cpu().numpy())
        return out

    # -- decoder ------------------------------------------------------------------------------------------------

    def latents(self, z_hat: Symbols, first: Symbols, second: Symbols, tile: Tile, quality: int) -> Tensor:
        """Decoded symbols of the picture -> y_hat (1, M, h, w) of a tile's window; see `synthesise`."""
        window = (tile[0].window(4), tile[1].window(4))
        known = np.ascontiguousarray(first[window])
        mean1, features = self.hyper(z_hat, tile, quality)
        _, step = self.prior(z_hat, tile, quality)
        mean2 = self._second_mean(mean1, features, known, step)
        s = torch.from_numpy(np.ascontiguousarray(second[window])).to(self.device).permute(2, 0, 1)[None]
        is_first = torch.from_numpy(known != SYMBOL_UNKNOWN).to(self.device).permute(2, 0, 1)[None]
        return s * (step / GRID) + torch.where(is_first, mean1, mean2)

    @torch.inference_mode()
    def synthesise(
        self, z_hat: Symbols, first: Symbols, second: Symbols, size: tuple[int, int], quality: int
    ) -> npt.NDArray[np.uint8]:
        """Decoded symbols -> (H, W, 3) uint8 of `size` (H, W). `second` (h, w, M) holds both halves; `first` (h, w, M)
        is `SYMBOL_UNKNOWN` on the second."""
        height, width = size
        m = self.config.pad_multiple
        out = np.empty((height, width, 3), np.uint8)
        net = self.model.net
        gain, feature = self.row(net.gain_s, quality), self.row(net.feature_s, quality)
        filtering = net.filtering(lambda rows: self.row(rows, quality))
        for tile in self.tiles_of(z_hat, synthesis_halo(self.config)):
            y_hat = self.latents(z_hat, first, second, tile, quality)
            whole = self._picture(y_hat, gain, feature, filtering)
            part = whole[tile[0].inner(m), tile[1].inner(m)]
            target = out[tile[0].core(m), tile[1].core(m)]
            target[...] = part[: target.shape[0], : target.shape[1]]
        return out

    def _picture(self, y_hat: Tensor, gain: Tensor, feature: Tensor, filtering: Tensor | None) -> npt.NDArray[np.uint8]:
        """As `ResidualCodec.synthesise`, for one picture -> (H, W, 3) uint8."""
        with self.floats():
            if self._fused is not None and filtering is not None:
                return self._fused(*self._transforms.paths(y_hat, gain, feature), filtering)
            x_hat = self._transforms.synthesise(y_hat, gain, feature, filtering)[0].permute(1, 2, 0)
        return np.asarray(x_hat.clamp_(0, 1).mul_(255).round_().to(torch.uint8).cpu().numpy())
