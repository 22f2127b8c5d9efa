"""The optimiser Muon: orthogonal steps, also for gradients of low rank."""

from typing import Any

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.training.muon import Muon, orthogonalise  # noqa: E402


@pytest.mark.parametrize("shape", [(1, 6, 40), (1, 40, 6), (2, 8, 8), (3, 5, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_orthogonalise(shape: tuple[int, ...], dtype: Any) -> None:
    torch.manual_seed(2)
    singular = torch.linalg.svdvals(orthogonalise(torch.randn(shape).to(dtype)).float())
    assert float(singular.min()) > 0.4
    assert float(singular.max()) < 1.4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_orthogonalise_gradients_of_low_rank(dtype: Any) -> None:
    """Where most directions are rounding noise, no direction diverges."""
    torch.manual_seed(3)
    thin = torch.randn(2, 96, 2) @ torch.randn(2, 2, 800) + 1e-6 * torch.randn(2, 96, 800)
    singular = torch.linalg.svdvals(orthogonalise(thin.to(dtype)).float())
    assert float(singular.max()) < 1.4
    assert (singular[:, :2] > 0.4).all()


def test_muon_descends() -> None:
    torch.manual_seed(0)
    weight = torch.nn.Parameter(torch.randn(4, 6))
    optimiser = Muon([weight], lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        torch.autograd.backward(weight.square().sum())
        optimiser.step()
    assert float(weight.detach().norm()) < 1
