"""Estimated bits: exact near the mean, with bounded outliers."""

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.network.rate import laplace_bits, logistic_bits  # noqa: E402


@pytest.mark.parametrize("scale", [0.11, 1.0, 5.0, 200.0])
def test_bits_are_exact_near_the_mean_and_draw_outliers_back(scale: float) -> None:
    x = torch.tensor([0.0, 0.3, 1.0, 3.0, 10.0, 300.0], requires_grad=True)
    wide = x.detach().double()
    laplace = torch.distributions.Laplace(0.0, scale / 2**0.5)
    masses = {
        logistic_bits: torch.sigmoid((0.5 - wide) / scale) - torch.sigmoid((-0.5 - wide) / scale),
        laplace_bits: laplace.cdf(wide + 0.5) - laplace.cdf(wide - 0.5),
    }
    for bits, mass in masses.items():
        found = bits(x, torch.tensor(scale))
        near = mass > 2e-4
        assert torch.allclose(found.detach()[near].double(), -torch.log2(mass[near]), rtol=1e-3, atol=1e-3)
        (slope,) = torch.autograd.grad(found.sum(), x)
        assert torch.isfinite(slope).all()
        assert (slope[2:] > 0).all()
        assert (found.detach()[~near] > 12).all()
        assert (found.detach() < 120).all()  # no symbol outweighs a batch
