"""Estimated bits for training: the cost of a symbol under distributions that have gradients."""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

#: Beyond this deviation, in widths of the distribution, bits grow only logarithmically; there a symbol costs 14 bits.
FAR = 10.0


def tamed(deviation: Tensor) -> Tensor:
    """`deviation` (>= 0, any shape) unchanged up to `FAR`, continued beyond by a logarithm with the same slope there.

    Under an exponential tail, one symbol far outside its table costs hundreds of bits (as a coder's escape: twenty),
    and its gradient by the logarithm of the width is as large, so that one crop dominates a batch and training
    diverges. Here that gradient is at most `FAR`, and outliers are still pulled back.
    """
    return torch.where(deviation < FAR, deviation, FAR * (1 + torch.log(deviation.clamp_min(FAR) / FAR)))


def laplace_bits(x: Tensor, scale: Tensor) -> Tensor:
    """Bits of the unit interval around x under a zero-mean Laplace distribution of standard deviation `scale`, with the
    tail of `tamed`; any shapes that broadcast.

    Given their scale, latents have heavier tails than a normal distribution.
    """
    x, b = x.abs(), scale * math.sqrt(0.5)
    outside = tamed((x - 0.5) / b) - torch.log(-torch.expm1(-1 / b)) + math.log(2)
    inner = x.clamp_max(0.5)
    inside = -torch.log1p(-0.5 * (torch.exp((inner - 0.5) / b) + torch.exp(-(inner + 0.5) / b)))
    return torch.where(x < 0.5, inside, outside) / math.log(2)


def logistic_bits(x: Tensor, scale: Tensor) -> Tensor:
    """Bits of the unit interval around x under a zero-mean logistic distribution of that scale, with the tail of
    `tamed`; any shapes that broadcast."""
    x = tamed(x.abs() / scale) * scale
    # log(s(a) - s(b)) = log s(a) + log s(-b) + log(1 - exp(b - a)) with s the sigmoid: exact in the tails, where both
    # the difference and its gradient are 0 in float32
    upper, lower = (0.5 - x) / scale, (0.5 + x) / scale
    rest = torch.log(-torch.expm1(-1 / scale))
    return -(F.logsigmoid(upper) + F.logsigmoid(lower) + rest) / math.log(2)
