"""Bits while training: what a symbol costs under distributions that have gradients."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: Deviations, in units of a distribution's own width, from which on bits grow with the logarithm: 14 bits are spent.
FAR = 10.0


def tamed(deviation: Tensor) -> Tensor:
    """`deviation` (>= 0) up to `FAR`, then on along the tangent of its logarithm.

    Under an exponential tail one symbol that a table is far too narrow for costs hundreds of bits (a coder's escape:
    twenty), and its slope, by the logarithm of the width, is as large: one crop leads a whole batch, and training ends
    in noise. Here that slope is at most `FAR`, and what lies far out is still drawn back.
    """
    return torch.where(deviation < FAR, deviation, FAR * (1 + torch.log(deviation.clamp_min(FAR) / FAR)))


def laplace_bits(x: Tensor, scale: Tensor) -> Tensor:
    """Bits of the unit interval around x under a zero-mean Laplace distribution of that standard deviation; `tamed`.

    Latents given their scale have heavier tails than a normal distribution.
    """
    x, b = x.abs(), scale * math.sqrt(0.5)
    outside = tamed((x - 0.5) / b) - torch.log(-torch.expm1(-1 / b)) + math.log(2)
    inner = x.clamp_max(0.5)
    inside = -torch.log1p(-0.5 * (torch.exp((inner - 0.5) / b) + torch.exp(-(inner + 0.5) / b)))
    return torch.where(x < 0.5, inside, outside) / math.log(2)


def logistic_bits(x: Tensor, scale: Tensor) -> Tensor:
    """Bits of the unit interval around x under a zero-mean logistic distribution of that scale; `tamed`."""
    x = tamed(x.abs() / scale) * scale
    # log(s(a) - s(b)) = log s(a) + log s(-b) + log(1 - exp(b - a)) with s the sigmoid: exact in the tails, where the
    # difference itself is 0 in float32 and its gradient with it
    upper, lower = (0.5 - x) / scale, (0.5 + x) / scale
    rest = torch.log(-torch.expm1(-1 / scale))
    return -(F.logsigmoid(upper) + F.logsigmoid(lower) + rest) / math.log(2)
