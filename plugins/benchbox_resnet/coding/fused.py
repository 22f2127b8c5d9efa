"""From the two paths of the synthesis to bytes, filtered, on processors that multiply bfloat16.

Layer by layer, products take a fifth of the filter's time and passes over memory the rest. Here each convolution, its
shortcut and its rectifier are one pass, the factors of a quality are part of the weights, and blocks become pixels and
pixels bytes in loops of our own. The result differs from that of the layers by the rounding of bfloat16.
"""

import numba
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn

from benchbox_resnet.network.filter import SIDE, SLOPE, PictureFilter
from benchbox_resnet.network.layers import ResBlock
from benchbox_resnet.network.model import RESIDUAL, ResidualCodec

Floats = npt.NDArray[np.float32]
#: Numbers in bfloat16, which NumPy lacks: the upper halves of float32.
Upper = npt.NDArray[np.uint16]

#: Padding, stride, dilation and groups of all convolutions.
_SHAPE = ([1, 1], [1, 1], [1, 1], 1)


@numba.njit(cache=True, nogil=True)
def widen(upper: Upper, wide: npt.NDArray[np.uint32]) -> None:
    """bfloat16 (n,) -> float32 (n,), which `wide` is a view of."""
    for i in range(len(upper)):
        wide[i] = np.uint32(upper[i]) << np.uint32(16)


@numba.njit(cache=True, nogil=True)
def narrow(wide: npt.NDArray[np.uint32], upper: Upper) -> None:
    """float32 (n,), of which `wide` is a view -> bfloat16 (n,), rounded to the nearest, ties to even."""
    for i in range(len(wide)):
        odd = (wide[i] >> np.uint32(16)) & np.uint32(1)
        upper[i] = np.uint16((wide[i] + np.uint32(0x7FFF) + odd) >> np.uint32(16))


@numba.njit(cache=True, nogil=True)
def compose(linear: Floats, residual: Upper, planes: Floats, blocks: Upper) -> None:
    """Both paths' blocks of a picture, linear (h, w, 3 * s^2) and residual (2h, 2w, 3 * (s / 2)^2), each block in the
    order (colour, row, column) -> the picture as planes (3, H, W) and, rounded, as blocks (H / SIDE, W / SIDE, 3 *
    SIDE^2) of the same order, for the filter."""
    _, height, width = planes.shape
    side = height // linear.shape[0]
    half = side // 2
    added, rounded = np.empty(width, np.float32), np.empty(width, np.uint16)
    bits = added.view(np.uint32)
    for y in range(height):
        i, row = divmod(y, side)
        i_half, row_half = divmod(y, half)
        for c in range(3):
            plane = planes[c, y]
            at = (c * half + row_half) * half
            for j in range(residual.shape[1]):
                widen(residual[i_half, j, at : at + half], bits[j * half : (j + 1) * half])
            at = (c * side + row) * side
            for j in range(linear.shape[1]):
                block = linear[i, j, at : at + side]
                for k in range(side):
                    plane[j * side + k] = block[k] + np.float32(RESIDUAL) * added[j * side + k]
            narrow(plane.view(np.uint32), rounded)
            at = (c * SIDE + y % SIDE) * SIDE
            for x in range(width):
                blocks[y // SIDE, x // SIDE, at + x % SIDE] = rounded[x]


@numba.njit(cache=True, nogil=True)
def finish(planes: Floats, correction: Upper, colour: Floats, out: npt.NDArray[np.uint8]) -> None:
    """Planes (3, H, W), their correction in blocks (see `compose`) and the mean colour (3,) -> bytes (H, W, 3)."""
    _, height, width = planes.shape
    added = np.empty(correction.shape[1] * correction.shape[2], np.float32)
    bits, count = added.view(np.uint32), correction.shape[2]
    for y in range(height):
        if y % SIDE == 0:
            widen(correction[y // SIDE].reshape(-1), bits)
        for c in range(3):
            plane, at = planes[c, y], (c * SIDE + y % SIDE) * SIDE
            for x in range(width):
                level = plane[x] + added[count * (x // SIDE) + at + x % SIDE] + colour[c]
                scaled = level * np.float32(255) + np.float32(0.5)
                out[y, x, c] = np.uint8(np.int32(min(max(scaled, np.float32(0)), np.float32(255))))


class _Convolution:
    """A 3x3 convolution (padded by one) in bfloat16, with weights (D, C, 3, 3) laid out for the processor."""

    def __init__(self, weight: Tensor, bias: Tensor | None) -> None:
        size = [1, weight.shape[1], 64, 96]  # (a typical input chooses the layout; others work, too)
        channels_last = weight.to(torch.bfloat16, memory_format=torch.channels_last)
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(channels_last, *_SHAPE, size)
        self.bias = None if bias is None else bias.to(torch.bfloat16)

    def __call__(self, x: Tensor, rectified: bool = False) -> Tensor:
        how = ("leaky_relu", [SLOPE], "") if rectified else ("none", [], "")
        made: Tensor = torch.ops.mkldnn._convolution_pointwise(x, self.weight, self.bias, *_SHAPE, *how)
        return made

    def add_to(self, out: Tensor, x: Tensor) -> None:
        """out += self(x)"""
        torch.ops.mkldnn._convolution_pointwise_.binary(
            out, x, self.weight, self.bias, *_SHAPE, "add", 1.0, None, [], None
        )


class FusedEnd:
    """The end of the synthesis, for one picture at a time, on the CPU, without gradients."""

    def __init__(self, layers: PictureFilter, colour: Tensor) -> None:
        """`layers`: with weights in float32; `colour` (3,): the mean colour."""
        self.layers, self.colour = layers, np.asarray(colour, np.float32)
        self.blocks = [(_of(block.conv1), _of(block.conv2)) for block in layers.blocks if isinstance(block, ResBlock)]

    def __call__(self, linear: Tensor, residual: Tensor, row: Tensor) -> npt.NDArray[np.uint8]:
        """Puts the blocks of both paths (see `ResidualCodec.paths`) together and filters the picture, with row (1, 3F)
        as `PictureFilter` takes it -> (H, W, 3) uint8."""
        contrast, shift, size = row[0].chunk(3)
        enter, leave = self.layers.enter, self.layers.leave
        assert enter.bias is not None
        scale = torch.exp(contrast)
        entering = _Convolution(enter.weight * scale[:, None, None, None], enter.bias * scale + shift)
        leaving = _Convolution(leave.weight * torch.exp(size)[:, None, None], None)
        first = linear.permute(0, 2, 3, 1)[0].contiguous().numpy()
        side = round((first.shape[2] // 3) ** 0.5)
        planes = np.empty((3, side * first.shape[0], side * first.shape[1]), np.float32)
        blocks = torch.empty(1, planes.shape[1] // SIDE, planes.shape[2] // SIDE, 3 * SIDE**2, dtype=torch.bfloat16)
        compose(first, _upper(residual.bfloat16().permute(0, 2, 3, 1)), planes, _upper(blocks))
        seen = entering(blocks.permute(0, 3, 1, 2), rectified=True)
        for opening, closing in self.blocks:
            closing.add_to(seen, opening(seen, rectified=True))
        out = np.empty((*planes.shape[1:], 3), np.uint8)
        finish(planes, _upper(leaving(seen).permute(0, 2, 3, 1)), self.colour, out)
        return out


def _of(layer: nn.Conv2d) -> _Convolution:
    return _Convolution(layer.weight, layer.bias)


def _upper(numbers: Tensor) -> Upper:
    """The memory of bfloat16 numbers (1, h, w, C) as (h, w, C)."""
    return np.asarray(numbers[0].contiguous().view(torch.int16).numpy().view(np.uint16))


def fused_end(net: ResidualCodec) -> FusedEnd | None:
    """The end of a network with weights in float32, for devices that multiply bfloat16; None where it has no filter, or
    where this torch does not fuse convolutions for its device."""
    fuses = net.colour.device.type == "cpu" and hasattr(torch.ops.mkldnn, "_convolution_pointwise_")
    return FusedEnd(net.filter, net.colour) if net.filter is not None and fuses else None
