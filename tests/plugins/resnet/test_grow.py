"""A wider network begins with the function of a narrower one."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.weights import save_model  # noqa: E402
from benchbox_resnet.network.blocks import BlockStatistics  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.start import hyper_crops, start_hyper  # noqa: E402
from benchbox_resnet.training.data import TrainingData  # noqa: E402
from benchbox_resnet.training.export import freeze_tables  # noqa: E402
from benchbox_resnet.training.grow import as_checkpoint, grow, trained_form  # noqa: E402
from benchbox_resnet.training.settings import Settings  # noqa: E402
from benchbox_resnet.training.trainer import Trainer  # noqa: E402
from tiny_resnet import CPU, TINY, batch, write_pictures  # noqa: E402


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


def test_a_grown_network_begins_as_the_old_one(pictures: Path, tmp_path: Path) -> None:
    """From a weights file: wider, with more latents, its pictures are the old ones, closer at high rates."""
    pixels = TrainingData.load(pictures, 64, scales=()).train
    small = Trainer(TINY, Settings(), CPU)
    small.net.start_from(BlockStatistics.measure(pixels, 16, TINY.latents, blocks=2000))
    start_hyper(small.net, hyper_crops(pixels, 8, 64))
    small.average.load_state_dict(small.net.state_dict())
    for _ in range(3):
        small.step(batch())
    path = tmp_path / "small.safetensors"
    save_model(path, small.net, freeze_tables(small.net.eval(), []), "mse", {})
    old = trained_form(path)
    for (name, one), other in zip(small.net.named_parameters(), old.parameters(), strict=True):
        if not name.startswith("z_"):  # a prior comes back as what its tables say
            torch.testing.assert_close(one, other, rtol=2e-3, atol=2e-3)
    for prior in zip(small.net.z_prior(), old.z_prior(), strict=True):
        torch.testing.assert_close(*prior, rtol=0.1, atol=0.1)
    going_on = Trainer(TINY, Settings(), CPU)
    going_on.branch(as_checkpoint(path), True, hyper_crops(pixels, 8, 64))
    torch.testing.assert_close(going_on.net.g_a_deep[0].weight, small.net.g_a_deep[0].weight, rtol=2e-3, atol=2e-3)
    assert np.isfinite(going_on.step(batch())["loss"])
    wider = ModelConfig(**{**TINY.__dict__, "channels": 12, "latents": 48, "hyper": 6})
    new = grow(old, wider, pixels, side=64).eval()
    x, q = batch(128, 2), torch.tensor([2, 2])
    with torch.inference_mode():
        y = [n.analyse(x, n.gain_a[q], n.feature_a[q]) for n in (old, new)]
        torch.testing.assert_close(y[1][:, : TINY.latents], y[0], rtol=1e-3, atol=1e-3)
        y[1][:, TINY.latents :] = 0
        pictures_ = [n.synthesise(v, n.gain_s[q], n.feature_s[q], None) for n, v in zip((old, new), y, strict=True)]
        torch.testing.assert_close(*pictures_, rtol=1e-3, atol=1e-3)
        y = [n.analyse(x, n.gain_a[q], n.feature_a[q]) for n in (old, new)]
        errors = [float((n.synthesise(v, n.gain_s[q], n.feature_s[q], None) - x).square().mean())
                  for n, v in zip((old, new), y, strict=True)]  # fmt: skip
    assert errors[1] < errors[0]
