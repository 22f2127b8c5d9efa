"""Residual blocks in 8-bit integers, for processors that multiply bytes twice as fast as bfloat16 (AVX-512 VNNI).

Only the products of the 3x3 convolutions inside residual blocks, which take most of the time, are in 8 bits: sums are
32-bit integers, and the shortcuts stay float32. Weights have a quantisation step for each output channel; activations
have one for the whole tensor, from its least to its greatest value, computed in every pass. The residual networks add
little to the linear path at high rates: the rounding costs 0.1 to 0.2 % of squared error at every rate, and at most 1 %
of 1 - MS-SSIM (docs/resnet.md). Sums of integers are exact, so that pixels do not depend on the number of threads.
"""

import copy
import itertools
from collections.abc import Iterable
from typing import Any

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchbox_resnet.network.layers import ResBlock
from benchbox_resnet.network.model import ResidualCodec

#: Largest magnitude of a quantised weight, largest quantised activation.
_WEIGHT_MOST, _MOST = 127, 255
#: Smallest quantisation step, for a tensor of zeros.
_LEAST_STEP = 1e-12

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]


@numba.njit(cache=True, nogil=True)
def span_of(v: Floats) -> tuple[float, float]:
    """Minimum and maximum of v (n,) and zero; v must be finite.

    Computed on the bits: floats above zero sort like integers, those below like unsigned integers in reverse. Minima of
    integers use a processor's widest instructions; those of floats, which must handle NaN, do not.
    """
    bits, found = v.view(np.int32), np.zeros(2, np.uint32)
    high, low = np.int32(0), np.uint32(0)
    for i in range(len(bits)):
        high = max(high, bits[i])
        low = max(low, np.uint32(bits[i]))
    found[0], found[1] = low, np.uint32(high)
    ends = found.view(np.float32)
    return min(float(ends[0]), 0.0), float(ends[1])


@numba.njit(cache=True, nogil=True)
def to_bytes(v: Floats, above: np.float32, below: np.float32, zero: int, out: Bytes) -> None:
    """Write v (n,), times `above` where it is positive and `below` elsewhere, plus `zero`, rounded, into `out` (n,)."""
    half, least, most = np.float32(zero + 0.5), np.float32(0), np.float32(_MOST)
    for i in range(len(v)):
        scaled = v[i] * (above if v[i] > 0 else below) + half
        out[i] = np.uint8(np.int32(min(max(scaled, least), most)))


@numba.njit(cache=True, nogil=True)
def add_to(v: Floats, more: Floats) -> None:
    """v += more, both (n,)."""
    for i in range(len(v)):
        v[i] += more[i]


def _flat(v: Tensor) -> npt.NDArray[Any]:
    """The memory of a channels-last tensor (B, C, H, W) as (n,), never a copy, so that it can be written to."""
    return np.asarray(v.permute(0, 2, 3, 1).view(-1).numpy())


class Int8Convolution:
    """A rectifier of any slope and a 3x3 convolution (padded by one), from float32 to float32."""

    def __init__(self, layer: nn.Conv2d, slope: float) -> None:
        """`slope`: of the rectifier below zero, 1 for none."""
        self.slope = slope
        weight = layer.weight.detach().float()
        self.step = weight.abs().amax((1, 2, 3)).clamp_min(_LEAST_STEP) / _WEIGHT_MOST
        quantised = (weight / self.step[:, None, None, None]).round().to(torch.int8)
        bias = layer.bias
        assert bias is not None
        self.bias = bias.detach().float()
        self.zeros = torch.zeros(len(weight), dtype=torch.int64)
        # (step, zero and shape of a typical input choose the memory layout; other inputs work, too)
        self.packed = torch.ops.onednn.qconv_prepack(
            quantised, self.step, 1.0, _MOST // 2, [1, 1], [1, 1], [1, 1], 1, [1, weight.shape[1], 64, 96]
        )

    def __call__(self, v: Tensor) -> Tensor:
        """v (B, C, H, W) float32, channels-last -> (B, D, H, W), the same."""
        values = _flat(v)
        low, high = span_of(values)
        step = max((high - self.slope * low) / _MOST, _LEAST_STEP)
        zero = round(-self.slope * low / step)
        out = torch.empty(v.shape, dtype=torch.uint8, memory_format=torch.channels_last)
        to_bytes(values, np.float32(1 / step), np.float32(self.slope / step), zero, _flat(out))
        result: Tensor = torch.ops.onednn.qconv2d_pointwise(
            out, step, zero, self.packed, self.step, self.zeros, self.bias, [1, 1], [1, 1], [1, 1], 1,
            1.0, 0, torch.float32, "none", [], "",
        )  # fmt: skip
        return result


class Int8Blocks(nn.Module):
    """Consecutive residual blocks, without gradients: (B, C, H, W) of any float type -> the same shape in float32."""

    def __init__(self, blocks: Iterable[ResBlock], slope: float) -> None:
        super().__init__()
        self.layers = [(Int8Convolution(b.conv1, 1.0), Int8Convolution(b.conv2, slope)) for b in blocks]

    def forward(self, x: Tensor) -> Tensor:
        out = torch.empty(x.shape, dtype=torch.float32, memory_format=torch.channels_last).copy_(x)
        for first, second in self.layers:
            add_to(_flat(out), _flat(second(first(out))))
        return out


def in_int8(net: ResidualCodec) -> ResidualCodec:
    """A copy of a network on the CPU, for inference only, with its residual blocks in 8 bits. A network whose
    activation is not a rectifier is copied unchanged."""
    out = copy.deepcopy(net)
    slope = {"relu": 0.0, "leaky_relu": 0.1}.get(net.config.activation)
    if slope is None:  # other activations would need a separate pass
        return out
    for name in ("g_a_high", "g_a_deep", "g_s_deep", "g_s_high"):
        layers: list[nn.Module] = []
        for are_blocks, run in itertools.groupby(getattr(out, name), lambda layer: isinstance(layer, ResBlock)):
            part = list(run)
            layers += [Int8Blocks(part, slope)] if are_blocks else part
        setattr(out, name, nn.Sequential(*layers))
    return out
