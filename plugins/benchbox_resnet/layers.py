"""Building blocks of the networks. All of them take and give (B, C, H, W)."""

import torch
from torch import Tensor, nn


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
