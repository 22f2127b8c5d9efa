"""The steps of the encoder's search: from a candidate and the gradient of its cost to the next candidate.

This is proximal gradient descent on integers: y moves against the gradient of the objective by a Newton step under the
measured curvature, and is quantised again. Moves are damped and have momentum, because latents that overlap in the
picture move at the same time. y is not reset to what was quantised, so that small moves add up until a symbol changes.
A step that raises the cost too much is undone: the next one starts at the best step so far, with a smaller rate.
"""

import dataclasses
import math
from typing import NamedTuple, Protocol

import torch
from torch import Tensor

#: Share of the last move that is added; the relative rise of the objective above the best step that undoes a step; the
#: factor on the rate after that.
MOMENTUM, WORSE, SMALLER = 0.5, 0.003, 0.6


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of the descent for one kind of model, found on held-out pictures by bits + distortion.

    `rate`: share of a Newton step that is taken. `caution`: factor on errors of rounding, relative to the curvature.
    `gradient`, `last_gradient`: factor on the gradient in the first and in the last step, linear between them. With
    caution * gradient above 1 the steps converge to fewer errors than the objective asks for and pass better points on
    their way, so the factor has to fall: MS-SSIM is not quadratic over the distance that a symbol moves. `by_position`:
    whether the curvature is measured for each position. `context`: whether the gradient includes the bits that the
    first half saves in the second, which is predicted from it.
    """

    rate: float
    caution: float
    gradient: float
    last_gradient: float
    by_position: bool
    context: bool


MSE = Settings(rate=0.3, caution=1.0, gradient=1.0, last_gradient=1.0, by_position=False, context=True)
MS_SSIM = Settings(rate=0.1, caution=2.25, gradient=1.0, last_gradient=0.4, by_position=True, context=False)


class Candidate(NamedTuple):
    """One y as the decoder reconstructs it.

    `y_hat` (1, M, h, w), in rounding steps; `bits` of its symbols; `y_first` (1, M, h, w): the first half as the
    context network sees it, not in rounding steps, 0 on the second half; `t2` (h, w, M / 2): the guessed tables of the
    second half.
    """

    y_hat: Tensor
    bits: float
    y_first: Tensor
    t2: Tensor


class Curvature(NamedTuple):
    """Bits per squared rounding step: a value for each channel (1, M, 1, 1), times a factor for each position
    (1, 1, h, w), or 1.0."""

    channels: Tensor
    positions: Tensor | float


class Objective(Protocol):
    """The function to minimise, bits + distortion, both in bits. Latents are in rounding steps."""

    def code(self, y: Tensor, curvature: Curvature | None, caution: float) -> Candidate:
        """Quantise y (1, M, h, w) with errors weighted by caution * curvature, or as without a search where the
        curvature is None."""

    def distortion(self, y_hat: Tensor) -> tuple[float, Tensor]:
        """Distortion of the decoded picture, and its gradient by y_hat (1, M, h, w)."""

    def context_slope(self, y: Tensor, candidate: Candidate) -> Tensor:
        """Gradient by y_hat (1, M, h, w) of the second half's bits."""

    def curvature(self, y_hat: Tensor, by_position: bool) -> Curvature:
        """Curvature of the distortion around y_hat (1, M, h, w)."""


def descend(objective: Objective, y: Tensor, steps: int, settings: Settings) -> Tensor:
    """y (1, M, h, w), in rounding steps -> y_hat of the best of `steps` steps (at least 1), or y_hat without a search
    where none is better."""
    plain = objective.code(y, None, 1.0)
    best, least = plain.y_hat, plain.bits + objective.distortion(plain.y_hat)[0]
    curvature = objective.curvature(best, settings.by_position)
    per_step = 2 * curvature.channels * curvature.positions
    rate, move, target = settings.rate, torch.zeros_like(y), y
    reached, restart = math.inf, (y, y)  # of the best step: its cost; its y and its target
    for step in range(steps + 1):
        candidate = objective.code(y, curvature, settings.caution)
        error, slope = objective.distortion(candidate.y_hat)
        found = candidate.bits + error
        if found < least:
            best, least = candidate.y_hat, found
        if found <= reached * (1 + WORSE):
            if settings.context:
                slope = slope + objective.context_slope(y, candidate)
            gradient = settings.gradient + (settings.last_gradient - settings.gradient) * step / steps
            target = candidate.y_hat - gradient * slope / per_step
            if found < reached:
                reached, restart = found, (y, target)
        else:
            y, target = restart
            rate, move = rate * SMALLER, torch.zeros_like(y)
        move = MOMENTUM * move + rate * (target - y)
        y = y + move
    return best
