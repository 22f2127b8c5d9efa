"""The training loop, its optimiser, settling, validation and commands, with tiny networks on noise."""

import dataclasses
import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet import cli  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from benchbox_resnet.training.data import CropSampler, TrainingData, is_held_out  # noqa: E402
from benchbox_resnet.training.muon import Muon, orthogonalise  # noqa: E402
from benchbox_resnet.training.settle import settle, table_bits  # noqa: E402
from benchbox_resnet.training.trainer import Settings, Trainer, save_checkpoint  # noqa: E402
from benchbox_resnet.training.validation import MEASURES, validate  # noqa: E402
from tiny_resnet import CPU, TINY, batch, write_pictures  # noqa: E402


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


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
            spent.append(float(table_bits(net, x, q).sum()))
            assert spent[-1] == pytest.approx(float(net(x, q).y_bits.sum()), rel=1e-4)
    assert spent[1] < 0.97 * spent[0]


def test_settling_moves_no_rounding_step_where_steps_follow_tables(pictures: Path) -> None:
    net = ResidualCodec(dataclasses.replace(TINY, latents=96, masking=0.5)).eval()
    torch.manual_seed(5)
    with torch.no_grad():
        net.hyper_basis.normal_(0, 0.1)
        net.scale.prior_out.weight.normal_(0, 0.3)
        net.scale.bias_prior_out.fill_(2.0)
    x, q, z_hat = batch(64, 3), torch.tensor([0, 1, 2]), torch.randint(-3, 4, (3, TINY.hyper, 4, 4)).float()
    sampler = CropSampler(TrainingData.load(pictures, 64), 4, 64, 1)
    seen = []
    for seconds in (0.0, 2.0):
        for _ in settle(net, sampler, torch.ones(3), seconds):
            pass
        with torch.no_grad():
            t1 = net.scale.prior(z_hat, q)
            seen.append((net.scale.mask(t1, q), t1, float(table_bits(net, x, q).sum())))
    assert torch.equal(seen[0][0], seen[1][0])
    assert seen[0][0].unique().numel() > 1
    assert not torch.equal(seen[0][1], seen[1][1])
    assert seen[1][2] < 0.97 * seen[0][2]


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


def test_muon_descends() -> None:
    torch.manual_seed(0)
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
    with pytest.raises(DatasetError, match="no training picture"):
        TrainingData.load(pictures, 4000)


@pytest.mark.slow
def test_two_processes_train_one_network(pictures: Path, tmp_path: Path) -> None:
    """torchrun with two gloo processes: both finish, one checkpoint, loss reported once."""
    command = [sys.executable, "-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "-m",
               "benchbox_resnet.training.train", "--data", str(pictures), "--out", str(tmp_path), "--batch", "1", "--crop", "64",
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
    command = [sys.executable, "-m", "benchbox_resnet.training.train", "--data", str(pictures), "--out", str(out),
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
