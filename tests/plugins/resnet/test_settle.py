"""Settling fits the tables and nothing else."""

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from benchbox_resnet.training.checkpoint import save_checkpoint  # noqa: E402
from benchbox_resnet.training.data import CropSampler, TrainingData  # noqa: E402
from benchbox_resnet.training.settle import settle, table_bits  # noqa: E402
from tiny_resnet import TINY, batch, command, write_pictures  # noqa: E402
from torch import Tensor  # noqa: E402


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.slow  # it trains
def test_settling_fits_tables_and_nothing_else(pictures: Path, tmp_path: Path) -> None:
    out, settled = tmp_path / "last.pt", tmp_path / "settled.pt"
    common = ["--data", str(pictures), "--crop", "64"]
    small = ("channels", "blocks", "deep_channels", "latents", "hyper", "context", "scale_hidden")
    fields = [f"--set={name}={getattr(TINY, name)}" for name in small]
    command("train", *common, "--out", str(tmp_path), "--batch", "1", "--seconds", "1", "--threads", "1", *fields)
    state = torch.load(out, weights_only=True)
    state["average"]["scale.bias_prior_out"] += 1.0  # tables that are all too wide
    save_checkpoint(state, out)
    spent = [bits_of(out)]
    for source in [out] + 9 * [settled]:  # a busy machine makes few steps in a second
        command("settle", *common, "--checkpoint", str(source), "--out", str(settled), "--seconds", "3", "--batch", "4")
        spent.append(bits_of(settled))
        if spent[-1] < 0.97 * spent[0]:
            break
    assert spent[-1] < 0.97 * spent[0]
    before, after = (torch.load(path, weights_only=True)["average"] for path in (out, settled))
    changed = {name for name in before if not torch.equal(before[name], after[name])}
    assert changed and all(name.startswith("scale.") for name in changed)  # noqa: PT018


def bits_of(checkpoint: Path) -> float:
    """Bits of some crops by the averaged network of a checkpoint, which are those that the network itself tells."""
    state = torch.load(checkpoint, weights_only=True)
    net = ResidualCodec(ModelConfig.from_json(state["config"])).eval()
    net.load_state_dict(state["average"])
    x, q = batch(64, 4), torch.tensor([0, 5, 10, 15])
    with torch.no_grad():
        bits = float(table_bits(net, x, q).sum())
        assert bits == pytest.approx(float(net(x, q).y_bits.sum()), rel=1e-4)
    return bits


def test_settling_moves_no_rounding_step_where_steps_follow_tables(pictures: Path) -> None:
    net = ResidualCodec(dataclasses.replace(TINY, latents=96, masking=0.5)).eval()
    torch.manual_seed(5)
    with torch.no_grad():
        net.hyper_basis.normal_(0, 0.1)
        net.scale.prior_out.weight.normal_(0, 0.3)
        net.scale.bias_prior_out.fill_(2.0)
    x, q, z_hat = batch(64, 3), torch.tensor([0, 1, 2]), torch.randint(-3, 4, (3, TINY.hyper, 4, 4)).float()
    sampler = CropSampler(TrainingData.load(pictures, 64), 4, 64, 1)
    seen: list[tuple[Tensor, Tensor, float]] = []
    for seconds in (0.0, *[2.0] * 9):  # a busy machine makes few steps in a second
        for _ in settle(net, sampler, torch.ones(3), seconds):
            pass
        with torch.no_grad():
            t1 = net.scale.prior(z_hat, q)
            seen.append((net.scale.mask(t1, q), t1, float(table_bits(net, x, q).sum())))
        if seen[-1][2] < 0.97 * seen[0][2]:
            break
    assert torch.equal(seen[0][0], seen[-1][0])
    assert seen[0][0].unique().numel() > 1
    assert not torch.equal(seen[0][1], seen[-1][1])
    assert seen[-1][2] < 0.97 * seen[0][2]
