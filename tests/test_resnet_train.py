"""Configurations and the training loop, with tiny networks on noise."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import skimage.data
from PIL import Image

torch = pytest.importorskip("torch")

from benchbox_resnet import cli  # noqa: E402
from benchbox_resnet.config import PRESETS, ModelConfig  # noqa: E402
from benchbox_resnet.data import BlockStatistics, CropSampler, TrainingData, is_held_out  # noqa: E402
from benchbox_resnet.export import freeze_tables  # noqa: E402
from benchbox_resnet.grow import as_checkpoint, grow, trained_form  # noqa: E402
from benchbox_resnet.model import ResidualCodec, laplace_bits, logistic_bits  # noqa: E402
from benchbox_resnet.muon import Muon, orthogonalise  # noqa: E402
from benchbox_resnet.retune import mse_qualities  # noqa: E402
from benchbox_resnet.scale import scale_of_index  # noqa: E402
from benchbox_resnet.settle import coded, table_bits  # noqa: E402
from benchbox_resnet.start import hyper_crops, start_hyper  # noqa: E402
from benchbox_resnet.training import Settings, Trainer, save_checkpoint  # noqa: E402
from benchbox_resnet.validation import MEASURES, validate  # noqa: E402
from benchbox_resnet.weights import save_model  # noqa: E402
from torch import Tensor  # noqa: E402

TINY = ModelConfig(channels=8, blocks=1, deep_channels=8, latents=32, hyper=8, context=16, scale_hidden=16, qualities=3)
CPU = torch.device("cpu")


def batch(crop: int = 64, count: int = 2) -> Tensor:
    torch.manual_seed(0)
    coarse = torch.rand(count, 3, crop // 8, crop // 8)
    smooth = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
    out: Tensor = smooth.contiguous(memory_format=torch.channels_last)
    return out


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("pictures")
    for i in range(4):
        pixels = (batch(96, 1)[0].permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(np.roll(pixels, 9 * i, 0)).save(folder / f"{i}.png")
    return folder


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
    with pytest.raises(ValueError, match="'depth'"):
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


def test_settling_fits_tables_and_nothing_else(pictures: Path, tmp_path: Path) -> None:
    out, settled = tmp_path / "last.pt", tmp_path / "settled.pt"
    common = ["--data", str(pictures), "--crop", "64"]
    small = ("channels", "blocks", "deep_channels", "latents", "hyper", "context", "scale_hidden")
    fields = [f"--set={name}={getattr(TINY, name)}" for name in small]
    cli.main(["train", *common, "--out", str(tmp_path), "--batch", "1", "--seconds", "1", "--threads", "1", *fields])
    state = torch.load(out, weights_only=True)
    state["average"]["scale.bias_prior_out"] += 1.0  # tables that are all too wide
    save_checkpoint(state, out)
    cli.main(["settle", *common, "--checkpoint", str(out), "--out", str(settled), "--seconds", "3", "--batch", "4"])
    before, after = (torch.load(path, weights_only=True)["average"] for path in (out, settled))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("scale.") for name in changed)  # noqa: PT018
    x, spent = batch(64, 4), []
    q = torch.tensor([0, 5, 10, 15])
    for state in (before, after):
        net = ResidualCodec(ModelConfig.from_json(torch.load(out, weights_only=True)["config"])).eval()
        net.load_state_dict(state)
        with torch.no_grad():
            spent.append(float(table_bits(net.scale, coded(net, x, q), q).sum()))
            assert spent[-1] == pytest.approx(float(net(x, q).y_bits.sum()), rel=1e-4)
    assert spent[1] < 0.97 * spent[0]


def test_validation_by_ms_ssim_and_of_small_pictures() -> None:
    net = ResidualCodec(TINY).eval()
    pixels = [(b.permute(1, 2, 0) * 255).byte().numpy() for b in batch(200, 2)]
    points = validate(net, pixels, [0, 2], MEASURES["ms-ssim"])
    assert len(points) == 2
    assert all(bpp > 0 and 0 < db < 30 for bpp, db in points)
    assert validate(net, [p[:100, :100] for p in pixels], [0, 2]) == []


@pytest.mark.parametrize("shape", [(1, 6, 40), (1, 40, 6), (2, 8, 8), (3, 5, 7)])
@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_orthogonalise(shape: tuple[int, ...], dtype: Any) -> None:
    torch.manual_seed(2)
    singular = torch.linalg.svdvals(orthogonalise(torch.randn(shape).to(dtype)).float())
    assert float(singular.min()) > 0.4
    assert float(singular.max()) < 1.4


@pytest.mark.parametrize("dtype", [torch.float32, torch.bfloat16])
def test_orthogonalise_gradients_of_low_rank(dtype: Any) -> None:
    """Where most directions are rounding noise, no direction runs away."""
    torch.manual_seed(3)
    thin = torch.randn(2, 96, 2) @ torch.randn(2, 2, 800) + 1e-6 * torch.randn(2, 96, 800)
    singular = torch.linalg.svdvals(orthogonalise(thin.to(dtype)).float())
    assert float(singular.max()) < 1.4
    assert (singular[:, :2] > 0.4).all()


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


def test_muon_descends() -> None:
    weight = torch.nn.Parameter(torch.randn(4, 6))
    optimiser = Muon([weight], lr=0.05)
    for _ in range(100):
        optimiser.zero_grad()
        torch.autograd.backward(weight.square().sum())
        optimiser.step()
    assert float(weight.detach().norm()) < 1


def test_held_out_by_name_alone() -> None:
    held = [n for n in range(400) if is_held_out(Path(f"{n:04}.jpg"))]
    assert held == [n for n in range(400) if is_held_out(Path(f"/elsewhere/{n:04}.jpg"))]
    assert 2 <= len(held) <= 20


def test_resumed_training_is_the_same_training(tmp_path: Path) -> None:
    """A checkpoint taken in the middle leads to the same weights as going straight on."""
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


def test_crops_come_from_the_pictures(pictures: Path) -> None:
    data = TrainingData.load(pictures, 32, scales=(0.5,))
    assert len(data.train) + len(data.validation) >= 4
    x = CropSampler(data, 3, 32, seed=1).draw()
    assert x.shape == (3, 3, 32, 32)
    assert 0 <= float(x.min()) <= float(x.max()) <= 1
    with pytest.raises(ValueError, match="no training picture"):
        TrainingData.load(pictures, 4000)


@pytest.mark.slow
def test_two_processes_train_one_network(pictures: Path, tmp_path: Path) -> None:
    """torchrun with two gloo processes: both finish, one checkpoint, loss reported once."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m",
               "benchbox_resnet.train", "--data", str(pictures), "--out", str(tmp_path), "--batch", "1", "--crop", "64",
               "--seconds", "6", "--device", "cpu", "--threads", "1"]  # fmt: skip
    done = subprocess.run(command, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 processes" in done.stdout
    assert done.stdout.count("done: step") == 1
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] > 0


def test_fields_of_a_preset_are_set_by_name(
    pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    command = ["train", "--data", str(pictures), "--out", str(tmp_path), "--batch", "1", "--crop", "64",
               "--seconds", "0", "--threads", "1", "--set", "channels=8", "--set", "deep_channels=8",
               "--set", "context=16", "--set", "activation=gelu"]  # fmt: skip
    cli.main([*command, "--set", "blocks=0"])
    config = ModelConfig.from_json(torch.load(tmp_path / "last.pt", weights_only=True)["config"])
    assert (config.channels, config.blocks, config.activation, config.latents) == (8, 0, "gelu", 368)
    for wrong, said in (("depth=3", "no field 'depth'"), ("blocks=many", "takes a number"), ("stride=12", "8 or 16")):
        (tmp_path / "last.pt").unlink(missing_ok=True)
        with pytest.raises(SystemExit) as stopped:
            cli.main([*command, "--set", wrong])
        assert said in capsys.readouterr().err + str(stopped.value)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_exports(pictures: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Killed after its first checkpoint, started again: it goes on from there; then export and evaluate."""
    out = tmp_path / "run"
    command = [sys.executable, "-m", "benchbox_resnet.train", "--data", str(pictures), "--out", str(out),
               "--batch", "1", "--crop", "64", "--seconds", "600", "--checkpoint-every", "0.5",
               "--threads", "1"]  # fmt: skip
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        deadline = time.monotonic() + 120
        while not (out / "last.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    before = torch.load(out / "last.pt", weights_only=True)
    before_steps = before["step"]
    cli.main(["train", "--data", str(pictures), "--out", str(out), "--batch", "1", "--crop", "64",
              "--seconds", str(before["seconds"] + 2), "--threads", "1"])  # fmt: skip
    assert torch.load(out / "last.pt", weights_only=True)["step"] > before_steps
    weights = tmp_path / "w.safetensors"
    cli.main(["export", "--checkpoint", str(out / "last.pt"), "--data", str(pictures), "--out", str(weights)])
    cli.main(["evaluate", "--weights", str(weights), "--images", str(pictures), "--qualities", "0", "8"])
    assert "PSNR" in capsys.readouterr().out
    assert os.path.getsize(weights) < 15e6


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
