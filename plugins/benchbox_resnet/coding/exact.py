"""The frozen scale path: table numbers from decoded integers, the same on every machine.

All numbers are fixed-point (integers times a power of two) carried in floating point. A floating-point sum of such
numbers is exact, in any order and with or without fused multiply-add, as long as the sum of magnitudes stays below 2^53
steps (float64) or 2^24 steps (float32). `ExactScale` computes the largest possible sum from the weights, layer by
layer, and refuses weights that could exceed these limits. Only matrix products, shifts by whole pixels, comparisons and
floor are used: no transform-based convolution, no division, no transcendental function.
"""

import dataclasses
from collections.abc import Mapping

import numpy as np
import numpy.typing as npt
import torch
import torch.nn.functional as F
from torch import Tensor

from benchbox.errors import CodecError
from benchbox_resnet.coding.neighbours import surprises, weigh
from benchbox_resnet.network.config import MASK_BAND, SCALE_COUNT, ModelConfig
from benchbox_resnet.network.scale import (
    HIDDEN_BITS,
    HIDDEN_LIMIT,
    LEVEL_BITS,
    OUTPUT,
    UNIT,
    WEIGHT_BITS,
    WEIGHT_LIMIT,
    Z_LIMIT,
    ScalePath,
    mask_bounds,
)

#: Fractional bits of the weights of the depth-wise layer, which runs in float32: its sums stay below 2^24 steps.
NEAR_BITS = 10
#: Fractional bits of qualities, in the header and in the interpolation of biases.
QUALITY_BITS = 8

#: Positions in a square of 2x2: where row + column is even, the first half are the even channels.
_CORNERS = ((0, 0), (0, 1), (1, 0), (1, 1))
_MATRICES = ("prior_hidden", "prior_out", "refine_near", "refine_hidden", "refine_out")
_BIASES = ("bias_prior_hidden", "bias_prior_out", "bias_refine_hidden", "bias_refine_out")

IntArray = npt.NDArray[np.integer]


def freeze(path: ScalePath) -> dict[str, npt.NDArray[np.int16] | npt.NDArray[np.int32]]:
    """Trained scale path -> integer tensors by name: weights int16, biases int32. (`ExactScale` needs those of
    `tables.symbol_statistics`, too.)"""
    out: dict[str, npt.NDArray[np.int16] | npt.NDArray[np.int32]] = {}
    for name in _MATRICES:
        weight = getattr(path, name).weight.detach().double().cpu()
        bits = NEAR_BITS if name == "refine_near" else WEIGHT_BITS
        limit = round(WEIGHT_LIMIT * 2**bits) - 1
        out[name] = np.rint(weight.numpy() * 2**bits).clip(-limit, limit).astype(np.int16)
    for name in _BIASES:
        out[name] = np.rint(getattr(path, name).detach().double().cpu().numpy() * 2**WEIGHT_BITS).astype(np.int32)
    level = path.mask_level.double().cpu().numpy()
    out["mask_level"] = np.rint(level * 2**LEVEL_BITS).astype(np.int32)
    return out


def thaw(tensors: Mapping[str, IntArray]) -> dict[str, npt.NDArray[np.float32]]:
    """The inverse of `freeze` except for rounding: parameters and buffers of a scale path by name."""
    out: dict[str, npt.NDArray[np.float32]] = {}
    for name in _MATRICES:
        bits = NEAR_BITS if name == "refine_near" else WEIGHT_BITS
        out[f"{name}.weight"] = tensors[name].astype(np.float32) * np.float32(2.0**-bits)
    for name in _BIASES:
        out[name] = tensors[name].astype(np.float32) * np.float32(2.0**-WEIGHT_BITS)
    out["mask_level"] = tensors["mask_level"].astype(np.float32) * np.float32(2.0**-LEVEL_BITS)
    return out


@dataclasses.dataclass(frozen=True)
class Bound:
    """Largest possible sum of magnitudes in one layer, in steps of its fixed-point grid, and the largest exact one."""

    layer: str
    steps: float
    limit: float


class ExactScale:
    """The two integer networks, ready to run. t1 and t2 are float64 on their fixed-point grid."""

    def __init__(self, config: ModelConfig, tensors: Mapping[str, IntArray], device: torch.device) -> None:
        """`tensors`: of `freeze` and `tables.symbol_statistics`. Raises CodecError where sums could be inexact."""
        self.config, self.device = config, device
        self.features, self.expected = (tensors[name].astype(np.int32) for name in ("features", "expected"))
        names = (*_MATRICES, *_BIASES, "features", "expected", "expected_seen", "mask_level")
        self._ints = {name: tensors[name].astype(np.int64) for name in names}
        for bound in self.bounds():
            if bound.steps >= bound.limit:
                raise CodecError(f"resnet: sums of 2^{np.log2(bound.steps):.1f} steps in {bound.layer} are not exact; "
                                 "export the weights again")  # fmt: skip

        def dyadic(name: str, bits: int, dtype: torch.dtype = torch.float64) -> Tensor:
            return torch.from_numpy(self._ints[name] * 2.0**-bits).to(device=device, dtype=dtype)

        k, m = config.scale_hidden, config.latents
        self._prior_hidden = dyadic("prior_hidden", WEIGHT_BITS).reshape(k, -1)
        # rows in the order (sub-row, sub-column, latent), so that the result is (h, w, M) without a shuffle of planes
        outer = OUTPUT * dyadic("prior_out", WEIGHT_BITS).reshape(m, 4, 4, k)
        self._prior_out = outer.permute(1, 2, 0, 3).reshape(16 * m, k)
        self._refine_near = dyadic("refine_near", NEAR_BITS, torch.float32)
        # by parity of the position, which determines the known channels: the surprises of the others are zero, and only
        # their tables are needed
        inner = dyadic("refine_hidden", WEIGHT_BITS).reshape(k, 2 * m)
        outer = OUTPUT * dyadic("refine_out", WEIGHT_BITS).reshape(m, k)
        self._refine_hidden = [torch.cat([inner[:, :m:2], inner[:, 1:m:2], inner[:, m + known :: 2]], 1).T.contiguous()
                               for known in (0, 1)]  # fmt: skip
        self._refine_out = [outer[1 - known :: 2].contiguous() for known in (0, 1)]
        self._mask_finer, self._mask_coarser = (bound.to(device, torch.float64) for bound in mask_bounds(config))
        self._features = dyadic("features", HIDDEN_BITS, torch.float32)
        self._expected = dyadic("expected_seen", HIDDEN_BITS, torch.float32)
        self._expected_seen = self._ints["expected_seen"].astype(np.int32)
        by_place = self._ints["refine_near"].astype(np.int32)[:, 0].transpose(1, 2, 0)
        self._window = np.ascontiguousarray(by_place.reshape(*by_place.shape[:2], m // 2, 2).transpose(0, 1, 3, 2))

    def bounds(self) -> list[Bound]:
        """The proof of exactness: the worst case of each layer over all inputs, computed from the weights."""

        def rows(name: str) -> float:
            weight = np.abs(self._ints[name])
            return float(weight.reshape(len(weight), -1).sum(1).max())

        def bias(name: str) -> float:  # on the interpolated grid, 8 bits finer than the weights'
            return float(np.abs(self._ints[name]).max()) * 2.0**QUALITY_BITS

        hidden = HIDDEN_LIMIT * 2**HIDDEN_BITS
        surprise = float(np.abs(self._ints["features"]).max() + np.abs(self._ints["expected_seen"]).max())
        near = rows("refine_near") * surprise
        near_rounded = near * 2.0**-NEAR_BITS + 1  # back on the hidden grid
        fine = 2.0**QUALITY_BITS
        double, single = 2.0**53, 2.0**24
        prior_out = UNIT * (rows("prior_out") * hidden * fine + bias("bias_prior_out") * 2**HIDDEN_BITS / OUTPUT)
        refine_in = rows("refine_hidden") * max(near_rounded, surprise)
        return [
            Bound("prior_hidden", rows("prior_hidden") * Z_LIMIT * fine + bias("bias_prior_hidden"), double),
            Bound("prior_out", prior_out, double),
            Bound("refine_near", near, single),
            Bound("refine_hidden", refine_in * fine + bias("bias_refine_hidden") * 2**HIDDEN_BITS, double),
            Bound("refine_out", prior_out + UNIT * (rows("refine_out") * hidden * fine
                  + bias("bias_refine_out") * 2**HIDDEN_BITS / OUTPUT) + SCALE_COUNT * fine * 2**18 / OUTPUT, double),
        ]  # fmt: skip

    def _at(self, name: str, quality: int) -> npt.NDArray[np.int64]:
        """Row of a table at a fixed-point quality, interpolated in integers, with 8 more fractional bits than the
        table."""
        low = min(quality >> QUALITY_BITS, self.config.qualities - 1)
        high = min(low + 1, self.config.qualities - 1)
        part = quality & ((1 << QUALITY_BITS) - 1)
        rows = self._ints[name]
        return np.asarray(rows[low] * ((1 << QUALITY_BITS) - part) + rows[high] * part)

    def _bias(self, name: str, quality: int) -> Tensor:
        """Bias at a fixed-point quality: exact multiples of 2^-20."""
        return torch.from_numpy(self._at(name, quality) * 2.0 ** -(WEIGHT_BITS + QUALITY_BITS)).to(self.device)

    @staticmethod
    def _hidden(v: Tensor) -> Tensor:
        """ReLU, rounding to the hidden grid, clipping just below the limit."""
        steps = torch.floor(v * 2.0**HIDDEN_BITS + 0.5).clamp_(0, HIDDEN_LIMIT * 2**HIDDEN_BITS - 1)
        return steps.mul_(2.0**-HIDDEN_BITS)

    def prior(self, z_hat: Tensor, quality: int) -> Tensor:
        """z_hat (Z, h/4 + 2, w/4 + 2), integers with a border of one -> t1 (h, w, M), in [0, 64)."""
        rows, cols = z_hat.shape[1] - 2, z_hat.shape[2] - 2
        patches = F.unfold(z_hat.to(self.device, torch.float64)[None], 3)[0].T  # (cells, Z * 9)
        hidden = self._hidden(patches @ self._prior_hidden.T + self._bias("bias_prior_hidden", quality))
        u = (hidden @ self._prior_out.T).reshape(rows, cols, 4, 4, -1) + self._bias("bias_prior_out", quality)
        t = u.permute(0, 2, 1, 3, 4).reshape(4 * rows, 4 * cols, -1)
        return t.mul_(UNIT).clamp_(0, SCALE_COUNT - 2.0**-10)

    def mask(self, t1: Tensor, quality: int) -> Tensor:
        """t1 (h, w, M) -> whole table steps (h, w, M) by which rounding is coarser; see `ScalePath.mask`.

        Exact: t1 has 17 fractional bits, the sum of 64 of them is less than 2^29 steps, and `masking` has 8 bits.
        """
        first, last = MASK_BAND
        activity = t1[:, :, first:last].sum(2, keepdim=True) * (1.0 / (last - first))
        level = float(self._at("mask_level", quality)) * 2.0 ** -(LEVEL_BITS + QUALITY_BITS)
        moved = torch.floor(self.config.masking * (activity - level) + 0.5)
        return torch.minimum(torch.maximum(moved, -self._mask_finer), self._mask_coarser)

    def refine(self, t1: Tensor, symbols: Tensor, quality: int) -> Tensor:
        """t1 and symbols (h, w, M), `SYMBOL_UNKNOWN` in the second half -> t2 of the second half, (h, w, M / 2);
        h and w are even."""
        h, w, m = t1.shape
        seen = (self.seen_on_host if self.device.type == "cpu" else self.seen_in_layers)(t1, symbols)
        bias_hidden, bias_out = self._bias("bias_refine_hidden", quality), self._bias("bias_refine_out", quality)
        out = torch.empty(h, w, m // 2, dtype=torch.float64, device=self.device)
        for (i, j), inputs in zip(_CORNERS, seen, strict=True):
            known, at = (i + j) % 2, (slice(i, None, 2), slice(j, None, 2))
            hidden = self._hidden((inputs @ self._refine_hidden[known]).add_(bias_hidden))
            u = (hidden @ self._refine_out[known].T).add_(bias_out[1 - known :: 2])
            out[at] = t1[at][:, :, 1 - known :: 2].add(u.reshape(h // 2, w // 2, m // 2), alpha=UNIT)
        return out.clamp_(0, SCALE_COUNT - 2.0**-10)

    def seen_on_host(self, t1: Tensor, symbols: Tensor) -> Tensor:
        """Computes the input of `refine`, (4, h * w / 4, 3 * M / 2), corner by corner, as `neighbours.weigh` does."""
        h, w, m = t1.shape
        border = self.config.scale_window // 2
        known = np.zeros((2, h + 2 * border, w + 2 * border, m // 2), np.int32)
        surprises(symbols.numpy(), t1.numpy(), self.features, self._expected_seen, known)
        out = np.empty((4, h * w // 4, 3 * m // 2))
        weigh(known, self._window, NEAR_BITS, 2.0**-HIDDEN_BITS, out)
        return torch.from_numpy(out)

    def seen_in_layers(self, t1: Tensor, symbols: Tensor) -> Tensor:
        """Computes the same numbers as `seen_on_host` on any device, layer by layer."""
        h, w, m = t1.shape
        surprise, known = torch.zeros(h, w, m, device=self.device), []
        for i, j in _CORNERS:  # positions of one parity are slices: index lists would be gathered row by row
            first = slice(i, None, 2), slice(j, None, 2), slice((i + j) % 2, None, 2)
            magnitude = symbols[first].abs().clamp_(max=len(self._features) - 1).long()
            part = torch.take(self._features, magnitude).sub_(torch.take(self._expected, t1[first].long()))
            surprise[first] = part
            known.append(part.double().reshape(-1, m // 2))
        near = self._near(surprise)
        at = [near[i::2, j::2].double().reshape(-1, m) for i, j in _CORNERS]
        return torch.stack([torch.cat([v[:, ::2], v[:, 1::2], k], 1) for v, k in zip(at, known, strict=True)])

    def _near(self, surprise: Tensor) -> Tensor:
        """Depth-wise window over (h, w, M), rounded to the hidden grid; float32, exact by `bounds`."""
        window = self.config.scale_window
        planes = surprise.permute(2, 0, 1)[None]
        with torch.backends.cudnn.flags(enabled=False):
            summed = F.conv2d(planes, self._refine_near, padding=window // 2, groups=self.config.latents)
        return torch.floor(summed[0].permute(1, 2, 0) * 2.0**HIDDEN_BITS + 0.5).mul_(2.0**-HIDDEN_BITS)


#: The value of a symbol that is not decoded yet.
SYMBOL_UNKNOWN = -(1 << 15) + 1


def table_index(t: Tensor) -> npt.NDArray[np.uint8]:
    """t (any shape) -> table numbers 0..63 (the same shape, uint8, on the host)."""
    return t.floor().to(torch.uint8).cpu().numpy()
