"""Bits while training: distributions with gradients, and rounding that weighs bits against error, as the encoder's."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from benchbox_resnet.quantise import STEP_WEIGHT

#: Bits that one squared step of error is worth where the networks learn: three times theory (see `quantise`), somewhat
#: less than the encoder's own (`pipeline.ROUNDING`), so that they know both.
WORTH = 3 * STEP_WEIGHT
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


def cheaper_integers(x: Tensor, scale: Tensor) -> Tensor:
    """Each x becomes the nearest integer, or the one below it (by magnitude) where that saves more bits under a Laplace
    distribution of that standard deviation than `WORTH` times the squared error it adds. Any shape, no gradient.

    What `quantise.cheaper` does with the frozen tables' own costs.
    """
    with torch.no_grad():
        size, b = x.abs(), scale * math.sqrt(0.5)
        low = size.floor()
        one = 0.5 / b - torch.log(-torch.expm1(-1 / b)) + math.log(2)
        zero = -torch.log(-torch.expm1(-0.5 / b))
        saved = torch.where(low < 1, one - zero, 1 / b) / math.log(2)
        threshold = 0.5 + saved.clamp_min(0) / (2 * WORTH)
        return torch.copysign(low + (size - low > threshold), x)
