"""One training step and what a checkpoint keeps, with tiny networks on noise."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.training.checkpoint import save_checkpoint  # noqa: E402
from benchbox_resnet.training.settings import Settings  # noqa: E402
from benchbox_resnet.training.trainer import Trainer  # noqa: E402
from tiny_resnet import CPU, TINY, batch  # noqa: E402


def test_training_lowers_the_loss() -> None:
    trainer = Trainer(TINY, Settings(warm_up=1), CPU)
    x = batch()
    torch.manual_seed(1)
    first = np.mean([trainer.step(x)["loss"] for _ in range(4)])
    for _ in range(10):
        last = trainer.step(x)["loss"]
    assert last < first


def test_tables_settle_as_training_goes_on() -> None:
    rates = []
    for steps in (0, 4 * Settings().settled):
        trainer = Trainer(TINY, Settings(warm_up=1), CPU)
        trainer.step_count = steps
        trainer.step(batch(64, 1))
        lr = {id(p): group["lr"] for group in trainer.adam.param_groups for p in group["params"]}
        rates.append((lr[id(trainer.net.scale.prior_out.weight)], lr[id(trainer.net.shift_h)]))
    assert rates[1][0] == pytest.approx(rates[0][0] / 2)
    assert rates[1][1] == rates[0][1]


def test_workers_compute_the_gradients_of_one_process() -> None:
    grads = []
    for workers in (1, 2):
        torch.manual_seed(4)
        trainer = Trainer(TINY, Settings(), CPU, workers)
        trainer.net.eval()  # no noise, so that the two can be compared
        x, q = batch(64, 5), torch.tensor([0, 2, 1, 1, 0])
        if trainer.replicas is None:
            loss, _ = trainer.objective(trainer.net, x, q)
            torch.autograd.backward(loss)
        else:
            for copy in trainer.replicas.copies:
                copy.eval()
            trainer.replicas.backward(x, q, trainer.objective)
        grads.append(torch.cat([p.grad.flatten() for p in trainer.net.parameters() if p.grad is not None]))
    torch.testing.assert_close(grads[0], grads[1], rtol=1e-3, atol=1e-5)


def test_ms_ssim_objective() -> None:
    trainer = Trainer(TINY, Settings(tune="ms-ssim"), CPU)
    assert np.isfinite(trainer.step(batch(192, 1))["loss"])


def test_resumed_training_is_the_same_training(tmp_path: Path) -> None:
    """A checkpoint taken in the middle leads to the same weights as an uninterrupted run."""
    x = batch()
    torch.manual_seed(7)
    straight = Trainer(TINY, Settings(), CPU)
    straight.step(x)
    save_checkpoint(straight.state(), tmp_path / "a.pt")
    straight.step(x)
    resumed = Trainer(TINY, Settings(), CPU)
    resumed.load(torch.load(tmp_path / "a.pt", weights_only=True))
    resumed.step(x)
    for one, other in zip(straight.net.parameters(), resumed.net.parameters(), strict=True):
        torch.testing.assert_close(one, other)
    for one, other in zip(straight.average.parameters(), resumed.average.parameters(), strict=True):
        torch.testing.assert_close(one, other)
