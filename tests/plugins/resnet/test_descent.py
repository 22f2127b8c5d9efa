"""The steps of the search, on objectives whose optimum is known; its gradient of bits against finite differences."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.descent import MS_SSIM, MSE, Candidate, Curvature, Settings, descend  # noqa: E402
from benchbox_resnet.coding.halves import join_half  # noqa: E402
from benchbox_resnet.coding.pipeline import Pipeline  # noqa: E402
from benchbox_resnet.coding.search import Search, _Window  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import bundled  # noqa: E402
from benchbox_resnet.network.rate import laplace_bits  # noqa: E402
from benchbox_resnet.network.scale import scale_of_index  # noqa: E402
from torch import Tensor  # noqa: E402

FILES = bundled()
trained = pytest.mark.skipif(not FILES, reason="no trained weights are bundled")


class Coupled:
    """Squared error through a mixing matrix, bits by magnitude: plain rounding is far from the best integers.

    `understated`: the curvature that the descent sees is so many times smaller than the true one.
    """

    def __init__(self, understated: float = 1.0) -> None:
        rng = np.random.default_rng(0)
        self.mix = torch.from_numpy(np.eye(24) + rng.normal(0, 0.15, (24, 24))).float()
        self.target = torch.from_numpy(rng.laplace(0, 2, 24)).float()
        self.understated, self.seen = understated, list[float]()

    def cost(self, y_hat: Tensor) -> tuple[float, float]:
        bits = float(y_hat.abs().sum())
        return bits, 4 * float((self.mix @ (y_hat.reshape(-1) - self.target)).square().sum())

    def code(self, y: Tensor, curvature: Curvature | None, caution: float) -> Candidate:
        worth = 4.0 if curvature is None else caution * curvature.channels
        shrunk = torch.sign(y) * torch.relu(y.abs() - 0.5 / worth)
        y_hat = shrunk.round()
        self.seen.append(sum(self.cost(y_hat)))
        return Candidate(y_hat, self.cost(y_hat)[0], y_hat, y_hat)

    def distortion(self, y_hat: Tensor) -> tuple[float, Tensor]:
        slope: Tensor = (8 * self.mix.T @ (self.mix @ (y_hat.reshape(-1) - self.target))).reshape(y_hat.shape)
        return self.cost(y_hat)[1], slope

    def context_slope(self, y: Tensor, candidate: Candidate) -> Tensor:
        return 0 * y

    def curvature(self, y_hat: Tensor, by_position: bool) -> Curvature:
        channels = 4 * (self.mix.T @ self.mix).diagonal().reshape(1, -1, 1, 1) / self.understated
        return Curvature(channels, torch.ones(1, 1, 1, 1) if by_position else 1.0)


@pytest.mark.parametrize("settings", [MSE, MS_SSIM])
def test_the_best_candidate_is_returned(settings: Settings) -> None:
    objective = Coupled()
    found = descend(objective, objective.target.reshape(1, -1, 1, 1), 30, settings)
    assert sum(objective.cost(found)) == pytest.approx(min(objective.seen))
    assert min(objective.seen) < 0.95 * objective.seen[0]


def test_one_step_is_never_worse_than_none() -> None:
    objective = Coupled()
    found = descend(objective, objective.target.reshape(1, -1, 1, 1), 1, MSE)
    assert sum(objective.cost(found)) <= objective.seen[0]


def test_steps_that_are_far_too_long_become_shorter() -> None:
    objective = Coupled(understated=10.0)
    descend(objective, objective.target.reshape(1, -1, 1, 1), 40, MSE)
    searched = objective.seen[1:]
    assert max(searched[-5:]) < 1.1 * min(searched)


@trained
@pytest.mark.parametrize("file", FILES, ids=lambda path: path.stem)
def test_the_gradient_of_the_second_halfs_bits_is_their_difference(file: Path) -> None:
    pipeline = Pipeline(load_model(file, torch.device("cpu")))
    pixels, quality = np.ascontiguousarray(skimage.data.astronaut()[:192, 100:292]), 7 << 8
    y, z_hat = pipeline.analyse(pixels, quality)
    (tile,) = pipeline.tiles_of(z_hat, 0)
    with torch.inference_mode(False), torch.enable_grad():
        window = _Window(Search(pipeline, pixels, quality, effort=1), z_hat, tile)
        at = torch.from_numpy(y.copy()).permute(2, 0, 1)[None] / window.step
        candidate = window.code(at, None, 1.0)
        slope = window.context_slope(at, candidate)
    assert not slope.masked_select(~window.first).any()
    tables = np.zeros(y.shape, np.float32)
    join_half(candidate.t2.float().numpy(), tables, False)
    scale = scale_of_index(torch.from_numpy(tables).permute(2, 0, 1)[None])

    def bits(move: Tensor) -> float:
        with torch.no_grad():
            mean2 = window.net.second_mean(window.mean1, window.features, candidate.y_first + move * window.step)
        return float(laplace_bits(at - mean2 / window.step, scale)[~window.first.expand_as(at)].double().sum())

    toward = torch.where(window.first, torch.randn(at.shape, generator=torch.Generator().manual_seed(0)), 0.0)
    for direction in (toward, slope / slope.square().mean().sqrt()):
        difference = (bits(0.002 * direction) - bits(-0.002 * direction)) / 0.004
        assert difference == pytest.approx(float((slope * direction).sum()), rel=0.05, abs=0.5)
