"""The network: how it begins and how latents pass through it; tiny networks on noise."""

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_resnet.network.blocks import BlockStatistics  # noqa: E402
from benchbox_resnet.network.config import PRESETS, ModelConfig  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec, first_half  # noqa: E402
from benchbox_resnet.network.rate import laplace_bits  # noqa: E402
from benchbox_resnet.network.scale import scale_of_index  # noqa: E402
from benchbox_resnet.network.start import hyper_crops, start_hyper  # noqa: E402
from benchbox_resnet.training.settings import Settings  # noqa: E402
from benchbox_resnet.training.trainer import Trainer  # noqa: E402
from tiny_resnet import CPU, TINY, batch  # noqa: E402


def test_large_has_64_residual_layers_and_takes_a_step() -> None:
    config = PRESETS["large"]
    assert config.residual_layers >= 64
    trainer = Trainer(config, Settings(), CPU)
    report = trainer.step(batch(64, 1))
    assert np.isfinite(list(report.values())).all()


@pytest.mark.parametrize("stride", [8, 16])
@pytest.mark.parametrize("activation", ["leaky_relu", "gelu"])
def test_strides_and_activations(stride: int, activation: str) -> None:
    config = ModelConfig(**{**TINY.__dict__, "stride": stride, "activation": activation})
    trainer = Trainer(config, Settings(), CPU)
    assert np.isfinite(trainer.step(batch())["loss"])


def test_a_new_network_is_the_linear_codec() -> None:
    """Started from the statistics of pictures, before any step, it reconstructs them as their KLT does."""
    pixels = [(b.permute(1, 2, 0) * 255).byte().numpy() for b in batch(96, 4)]
    net = ResidualCodec(ModelConfig(**{**TINY.__dict__, "latents": 256})).eval()
    net.start_from(BlockStatistics.measure(pixels, 16, 256, blocks=4000))
    with torch.inference_mode():
        x = torch.from_numpy(pixels[0][:64, :64].copy()).permute(2, 0, 1)[None].float() / 255
        estimate = net(x, torch.tensor([2]))
    assert float((estimate.x_hat - x).square().mean()) < 1e-4


def test_z_begins_as_what_tells_scales() -> None:
    """Before any step the tables that z chooses are cheaper than the best fixed table of each channel."""
    torch.manual_seed(0)
    pixels = [np.ascontiguousarray(skimage.data.astronaut())]
    net = ResidualCodec(TINY).eval()
    net.start_from(BlockStatistics.measure(pixels, 16, TINY.latents, blocks=2000))
    crops = hyper_crops(pixels, 40, 128)
    start_hyper(net, crops)
    q = torch.full((len(crops),), 2)
    with torch.inference_mode():
        y = net.analyse(crops, net.gain_a[q], net.feature_a[q])
        z = net.hyper_analysis(y, net.hyper_level[q]).round()
        chosen = laplace_bits(y.round(), scale_of_index(net.scale.prior(z, q))).sum()
        fixed = torch.stack([laplace_bits(y.round(), scale_of_index(torch.tensor(t))).sum((0, 2, 3))
                             for t in range(64)]).amin(0).sum()  # fmt: skip
    assert z.abs().max() > 1
    assert float(chosen) < 0.95 * float(fixed)


def test_symbols_pass_the_gradient() -> None:
    torch.manual_seed(0)
    net = ResidualCodec(TINY)
    y = (3 * torch.randn(1, TINY.latents, 8, 8)).requires_grad_()
    seen = net.code(y, torch.zeros(1, TINY.hyper, 2, 2), torch.tensor([1]))
    assert torch.equal(seen.symbols, seen.symbols.round())
    assert torch.allclose(seen.y_hat, y, atol=0.501)
    half = first_half(TINY.latents, 8, 8)
    (slope,) = torch.autograd.grad((seen.symbols * half).sum(), y)
    assert torch.equal(slope, half)
