"""The network: its configurations, how it begins, what it counts as bits; tiny networks on noise."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.weights import save_model  # noqa: E402
from benchbox_resnet.network.blocks import BlockStatistics  # noqa: E402
from benchbox_resnet.network.config import PRESETS, ModelConfig  # noqa: E402
from benchbox_resnet.network.layers import by_pixel, quarters, shuffle, unshuffle  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec, first_half  # noqa: E402
from benchbox_resnet.network.rate import laplace_bits, logistic_bits  # noqa: E402
from benchbox_resnet.network.scale import scale_of_index  # noqa: E402
from benchbox_resnet.network.start import hyper_crops, start_hyper  # noqa: E402
from benchbox_resnet.training.data import TrainingData  # noqa: E402
from benchbox_resnet.training.export import freeze_tables  # noqa: E402
from benchbox_resnet.training.grow import as_checkpoint, grow, trained_form  # noqa: E402
from benchbox_resnet.training.retune import mse_qualities  # noqa: E402
from benchbox_resnet.training.trainer import Settings, Trainer, save_checkpoint  # noqa: E402
from tiny_resnet import CPU, TINY, batch, write_pictures  # noqa: E402


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.parametrize("name", ["small", "base", "large"])
def test_presets_survive_their_json(name: str) -> None:
    config = PRESETS[name]
    assert ModelConfig.from_json(config.to_json()) == config
    assert config.lambdas[0] == pytest.approx(config.lambda_min)
    assert config.lambdas[-1] == pytest.approx(config.lambda_max)


def test_wrong_configurations_are_refused() -> None:
    with pytest.raises(ValueError, match="channels must be 1 or more, not 0"):
        ModelConfig(channels=0)
    with pytest.raises(ValueError, match="deep_blocks must be 0 or more, not -1"):
        ModelConfig(deep_blocks=-1)
    with pytest.raises(ValueError, match="stride"):
        ModelConfig(stride=12)
    with pytest.raises(ValueError, match="scale_hidden"):
        ModelConfig(hyper=65)
    with pytest.raises(ValueError, match="masking"):
        ModelConfig(masking=0.3)
    with pytest.raises(ValueError, match="68 latents"):
        ModelConfig(masking=0.5, latents=64)
    with pytest.raises(ValueError, match="mask_finer must be from 0 to 12"):
        ModelConfig(masking=0.5, mask_finer=13)
    with pytest.raises(ValueError, match="dependent_from must be from 0 to 64"):
        ModelConfig(dependent_from=65)
    with pytest.raises(CodecError, match="'depth'"):
        ModelConfig.from_json('{"depth": 3}')


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


def test_a_network_is_retuned_from_where_it_was(tmp_path: Path) -> None:
    """The bits move, and steps grow with frequency; without rounding, nothing else does."""
    trainer = Trainer(TINY, Settings(), CPU)
    pixels = [(b.permute(1, 2, 0) * 255).byte().numpy() for b in batch(96, 4)]
    trainer.net.start_from(BlockStatistics.measure(pixels, 16, TINY.latents, blocks=4000))
    start_hyper(trainer.net, hyper_crops(pixels, 8, 64))
    trainer.average.load_state_dict(trainer.net.state_dict())
    for _ in range(3):
        trainer.step(batch())
    save_checkpoint(trainer.state(), tmp_path / "mse.pt")
    state = torch.load(tmp_path / "mse.pt", weights_only=True)
    tuned = Trainer(TINY, Settings(tune="ms-ssim"), CPU)
    crops = hyper_crops(pixels, 8, 64)
    tuned.branch(state, fresh=True, crops=crops)
    before, after = trainer.average, tuned.average
    assert not before.finer.any()
    assert float(after.finer[0]) > float(after.finer[-1])  # the mean brightness against the finest detail
    assert mse_qualities(TINY)[0] == 0
    x, low = batch(), torch.tensor([0, 0])
    with torch.inference_mode():
        y = before.analyse(x, before.gain_a[low], before.feature_a[low])
        scaled = after.analyse(x, after.gain_a[low], after.feature_a[low])
        torch.testing.assert_close(scaled, y * torch.exp(after.finer)[:, None, None], rtol=1e-4, atol=1e-4)
        levels = before.hyper_level[low], after.hyper_level[low]
        z = [n.hyper_analysis(v, level) for n, v, level in zip((before, after), (y, scaled), levels, strict=True)]
        torch.testing.assert_close(*z, rtol=1e-3, atol=1e-3)
        pictures = [n.synthesise(v, n.gain_s[low], n.feature_s[low]) for n, v in ((before, y), (after, scaled))]
    torch.testing.assert_close(*pictures, rtol=1e-4, atol=1e-4)
    tuned.branch(tuned.state(), fresh=True, crops=crops)  # going on does not retune again
    torch.testing.assert_close(tuned.average.finer, after.finer)


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
        pictures_ = [n.synthesise(v, n.gain_s[q], n.feature_s[q]) for n, v in zip((old, new), y, strict=True)]
        torch.testing.assert_close(*pictures_, rtol=1e-3, atol=1e-3)
        y = [n.analyse(x, n.gain_a[q], n.feature_a[q]) for n in (old, new)]
        errors = [float((n.synthesise(v, n.gain_s[q], n.feature_s[q]) - x).square().mean())
                  for n, v in zip((old, new), y, strict=True)]  # fmt: skip
    assert errors[1] < errors[0]


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


@pytest.mark.parametrize("last", [False, True])
def test_pictures_are_cut_into_blocks_as_pytorch_does(last: bool) -> None:
    """Whatever the memory's order: `last` has colours innermost, as decoded pictures do."""
    x = torch.rand(2, 3, 48, 64)
    if last:
        x = x.contiguous(memory_format=torch.channels_last)
    for side in (8, 16):
        blocks = unshuffle(x, side)
        assert blocks.is_contiguous(memory_format=torch.channels_last)
        torch.testing.assert_close(blocks, torch.nn.functional.pixel_unshuffle(x, side), rtol=0, atol=0)
        torch.testing.assert_close(shuffle(blocks, side), x, rtol=0, atol=0)
    torch.testing.assert_close(quarters(unshuffle(x, 16), 16), unshuffle(x, 8), rtol=0, atol=0)
    layer = torch.nn.Conv2d(768, 5, 1, bias=False)
    with torch.no_grad():
        torch.testing.assert_close(by_pixel(layer, unshuffle(x, 16)), layer(unshuffle(x, 16)), rtol=1e-4, atol=1e-5)


def test_a_model_for_ms_ssim_is_spread_over_other_weights() -> None:
    """At the weights that both have it is the same; beyond, gains go on along straight lines."""
    config = dataclasses.replace(TINY, latents=80, masking=0.5)
    trainer = Trainer(config, Settings(tune="ms-ssim"), CPU)
    slope = torch.arange(float(config.qualities))
    with torch.no_grad():
        trainer.average.gain_a += 0.3 * slope[:, None]
        trainer.average.scale.mask_level += 2 * slope
        trainer.average.scale.bias_prior_out += slope[:, None]
    ratio = (config.ms_ssim_weight_max / config.ms_ssim_weight_min) ** (1 / (config.qualities - 1))
    wider = dataclasses.replace(config, ms_ssim_weight_min=config.ms_ssim_weight_min / ratio)
    assert wider.quality_of_ms_ssim_weight(wider.ms_ssim_weight_at(1.25)) == pytest.approx(1.25)
    spread = Trainer(wider, Settings(tune="ms-ssim"), CPU)
    spread.branch(trainer.state(), fresh=True, crops=torch.rand(2, 3, 64, 64))
    at = torch.tensor([config.quality_of_ms_ssim_weight(wider.ms_ssim_weight_at(q)) for q in range(wider.qualities)])
    assert at[0] == pytest.approx(-1)
    assert at[-1] == pytest.approx(config.qualities - 1)
    before, after = trainer.average, spread.average
    assert after.scale.mask_level.tolist() == pytest.approx((2 * at).tolist(), abs=1e-4)
    for table in ("gain_a", "scale.bias_prior_out", "z_scale"):
        old, new = (n.get_parameter(table) for n in (before, after))
        torch.testing.assert_close(new[0], 2 * old[0] - old[1], rtol=1e-4, atol=1e-4)
        torch.testing.assert_close(new[-1], old[-1], rtol=1e-4, atol=1e-4)
