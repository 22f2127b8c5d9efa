"""A filter of the decoded picture, the end of the synthesis: a small residual network at half the resolution.

The synthesis writes blocks of 8x8 and 16x16 pixels that do not overlap, each from fewer numbers than it has samples.
What that leaves at edges and in textures shows in the picture, across blocks, and the filter removes part of it. It is
trained last, on what the encoder writes (`training.polish`), so streams do not depend on it unless the encoder searches
(`effort`).

Source of the idea: the loop filters of video codecs; as a network, Zhang et al. 2017, "Beyond a Gaussian denoiser".
"""

import math

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.layers import ResBlock, shuffle, unshuffle

#: Pixels per position of the filter in each direction. At 4 it took a third of the time and learned hardly anything in
#: as many steps: each position of a square of 4x4 pixels has weights of its own.
SIDE = 2
#: Slope of its rectifiers below zero.
SLOPE = 0.1
#: Contrast of the input in units of the usual error of a pixel, at most: errors are small at high rates.
CONTRAST = 8.0


class PictureFilter(nn.Module):
    """x_hat -> x_hat + correction, with the same layers for all qualities and three rows of factors for each.

    `rows` (Q, 3F): for each channel a logarithm of the contrast, a shift, and a logarithm of the correction's size.
    """

    def __init__(self, config: ModelConfig) -> None:
        super().__init__()
        channels, samples = config.filter_channels, 3 * SIDE**2
        self.enter = nn.Conv2d(samples, channels, 3, padding=1)
        self.blocks = nn.Sequential(*(ResBlock(channels, "leaky_relu") for _ in range(config.filter_blocks)))
        # (no bias: in units of a picture, one step of it is larger than the errors at high rates)
        self.leave = nn.Conv2d(channels, samples, 3, padding=1, bias=False)
        nn.init.zeros_(self.leave.weight)  # at first it changes nothing
        # the error of rounding to steps of sqrt(26 / lambda) / 255 (see ModelConfig), the width of a uniform error
        errors = [math.sqrt(26 / lam / 12) / 255 for lam in config.lambdas]
        contrast = [min(max(-math.log(CONTRAST * error), 0.0), math.log(CONTRAST)) for error in errors]
        rows = [[value] * channels + [0.0] * channels + [math.log(error)] * channels
                for value, error in zip(contrast, errors, strict=True)]
        self.rows = nn.Parameter(torch.tensor(rows))

    def forward(self, x_hat: Tensor, colour: Tensor, row: Tensor) -> Tensor:
        """x_hat (B, 3, H, W), sides multiples of `SIDE`, mean colour (3,), row (B, 3F) -> (B, 3, H, W), float32."""
        seen = self.enter(unshuffle(x_hat - colour[:, None, None], SIDE))
        contrast, shift, size = row[:, :, None, None].chunk(3, 1)
        seen = seen * torch.exp(contrast).to(seen.dtype) + shift.to(seen.dtype)
        seen = self.blocks(F.leaky_relu(seen, SLOPE))
        return x_hat + shuffle(self.leave(seen * torch.exp(size).to(seen.dtype)).float(), SIDE)
