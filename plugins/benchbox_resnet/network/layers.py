"""Building blocks of the networks. All take and return (B, C, H, W)."""

import torch
from torch import Tensor, nn
from torch.nn import functional as F


def activation(name: str) -> nn.Module:
    """The activation of that name in a configuration (`ModelConfig.activation`)."""
    if name == "gelu":
        return nn.GELU()
    return nn.LeakyReLU(0.1 if name == "leaky_relu" else 0.0)


def squash(v: Tensor) -> Tensor:
    """sign(v) * log(1 + |v|): compresses the range of latents before a network sees them."""
    return torch.sign(v) * torch.log1p(v.abs())


def round_through(v: Tensor) -> Tensor:
    """Rounding whose gradient is the identity (straight-through)."""
    return v + (v.round() - v).detach()


def clamp_through(v: Tensor, low: float, high: float) -> Tensor:
    """Clamping whose gradient is the identity, so that a clamped value can move back into the range."""
    return v + (v.clamp(low, high) - v).detach()


def unshuffle(x: Tensor, side: int) -> Tensor:
    """(B, C, H, W) -> (B, C * side^2, H / side, W / side), as nn.PixelUnshuffle, but in channels-last memory, and five
    times as fast for a picture (C = 3) in channels-last memory."""
    b, c, h, w = x.shape
    blocks = x.reshape(b, c, h // side, side, w // side, side).permute(0, 2, 4, 1, 3, 5)
    return blocks.reshape(b, h // side, w // side, c * side * side).permute(0, 3, 1, 2)


def shuffle(x: Tensor, side: int) -> Tensor:
    """The inverse of `unshuffle`, also in channels-last memory."""
    b, c, h, w = x.shape
    blocks = x.permute(0, 2, 3, 1).reshape(b, h, w, c // side**2, side, side).permute(0, 1, 4, 2, 5, 3)
    return blocks.reshape(b, h * side, w * side, c // side**2).permute(0, 3, 1, 2)


def quarters(blocks: Tensor, side: int) -> Tensor:
    """Blocks of a picture (B, 3 * side^2, h, w) -> its blocks of half that side, (B, 3 * (side / 2)^2, 2h, 2w)."""
    b, c, h, w = blocks.shape
    half, colours = side // 2, c // side**2
    parts = blocks.permute(0, 2, 3, 1).reshape(b, h, w, colours, 2, half, 2, half).permute(0, 1, 4, 2, 6, 3, 5, 7)
    return parts.reshape(b, 2 * h, 2 * w, colours * half * half).permute(0, 3, 1, 2)


def by_pixel(layer: nn.Conv2d, x: Tensor) -> Tensor:
    """A 1x1 convolution without bias, computed as a matrix product: (B, C, h, w) -> (B, D, h, w)."""
    return F.linear(x.permute(0, 2, 3, 1), layer.weight[:, :, 0, 0]).permute(0, 3, 1, 2)


def concatenated(parts: list[Tensor]) -> Tensor:
    """(B, C1, h, w), (B, C2, h, w) ... -> (B, C1 + C2 ..., h, w); inputs and result are in channels-last memory."""
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
