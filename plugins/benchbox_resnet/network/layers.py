"""Building blocks of the networks. All of them take and give (B, C, H, W)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def activation(name: str) -> nn.Module:
    """The activation that a configuration names."""
    if name == "gelu":
        return nn.GELU()
    return nn.LeakyReLU(0.1 if name == "leaky_relu" else 0.0)


def squash(v: Tensor) -> Tensor:
    """sign(v) * log(1 + |v|): tames the range of latents on their way into a network."""
    return torch.sign(v) * torch.log1p(v.abs())


def round_through(v: Tensor) -> Tensor:
    """Rounding whose gradient is the identity (straight-through)."""
    return v + (v.round() - v).detach()


def clamp_through(v: Tensor, low: float, high: float) -> Tensor:
    """Clamping whose gradient is the identity, so that what was clamped can find its way back."""
    return v + (v.clamp(low, high) - v).detach()


def unshuffle(x: Tensor, side: int) -> Tensor:
    """(B, C, H, W) -> (B, C * side^2, H / side, W / side), as nn.PixelUnshuffle, but in channels-last memory, and in a
    fifth of its time where x is a picture (C = 3) with its colours innermost."""
    b, c, h, w = x.shape
    blocks = x.reshape(b, c, h // side, side, w // side, side).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(b, h // side, w // side, c * side * side).permute(0, 3, 1, 2)


def shuffle(x: Tensor, side: int) -> Tensor:
    """The inverse of `unshuffle`; the result is in channels-last memory too."""
    b, c, h, w = x.shape
    blocks = x.permute(0, 2, 3, 1).reshape(b, h, w, c // side**2, side, side).permute(0, 1, 4, 2, 5, 3)
    return blocks.reshape(b, h * side, w * side, c // side**2).permute(0, 3, 1, 2)


def quarters(blocks: Tensor, side: int) -> Tensor:
    """Blocks of a picture (B, 3 * side^2, h, w) -> blocks of half the side, (B, 3 * (side / 2)^2, 2h, 2w)."""
    b, c, h, w = blocks.shape
    half, colours = side // 2, c // side**2
    parts = blocks.permute(0, 2, 3, 1).reshape(b, h, w, colours, 2, half, 2, half).permute(0, 1, 4, 2, 6, 3, 5, 7)
    return parts.reshape(b, 2 * h, 2 * w, colours * half * half).permute(0, 3, 1, 2)


def by_pixel(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """A convolution of 1x1 without bias, as the matrix product that it is: (B, C, h, w) -> (B, D, h, w)."""
    return F.linear(x.permute(0, 2, 3, 1), layer.weight[:, :, 0, 0]).permute(0, 3, 1, 2)


def concatenated(parts: list[Tensor]) -> Tensor:
    """(B, C1, h, w), (B, C2, h, w) ... -> (B, C1 + C2 ..., h, w), in channels-last memory as they are."""
    return torch.cat([part.permute(0, 2, 3, 1) for part in parts], 3).permute(0, 3, 1, 2)


class ResBlock(nn.Module):
    """x + conv3x3(act(conv3x3(x))), C channels in and out."""

    def __init__(self, channels: int, act: str) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels, channels, 3, padding=1)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        out: Tensor = x + self.conv2(self.act(self.conv1(x)))
        return out


class DepthBlock(nn.Module):
    """Two residual halves: 1x1, depth-wise 3x3, 1x1; then a gated pair of 1x1. C channels in and out."""

    def __init__(self, channels: int, act: str) -> None:
        super().__init__()
        self.enter = nn.Conv2d(channels, channels, 1)
        self.depthwise = nn.Conv2d(channels, channels, 3, padding=1, groups=channels)
        self.leave = nn.Conv2d(channels, channels, 1)
        self.gate = nn.Conv2d(channels, 2 * channels, 1)
        self.mix = nn.Conv2d(channels, channels, 1)
        self.act = activation(act)

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.leave(self.depthwise(self.act(self.enter(x))))
        u, v = self.gate(x).chunk(2, 1)
        out: Tensor = x + self.mix(u * torch.relu(v))
        return out
