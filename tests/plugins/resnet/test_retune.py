"""From a network for mse to one for ms-ssim, and from one range of weights to another."""

import dataclasses
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.network.blocks import BlockStatistics  # noqa: E402
from benchbox_resnet.network.start import hyper_crops, start_hyper  # noqa: E402
from benchbox_resnet.training.checkpoint import save_checkpoint  # noqa: E402
from benchbox_resnet.training.retune import mse_qualities  # noqa: E402
from benchbox_resnet.training.settings import Settings  # noqa: E402
from benchbox_resnet.training.trainer import Trainer  # noqa: E402
from tiny_resnet import CPU, TINY, batch  # noqa: E402


def test_a_network_is_retuned_from_where_it_was(tmp_path: Path) -> None:
    """Bits change, and steps grow with frequency; without rounding, the function stays the same."""
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
        pictures = [n.synthesise(v, n.gain_s[low], n.feature_s[low], None) for n, v in ((before, y), (after, scaled))]
    torch.testing.assert_close(*pictures, rtol=1e-4, atol=1e-4)
    tuned.branch(tuned.state(), fresh=True, crops=crops)  # going on does not retune again
    torch.testing.assert_close(tuned.average.finer, after.finer)


def test_a_model_for_ms_ssim_is_spread_over_other_weights() -> None:
    """At common weights it is the same; beyond, gains are extrapolated linearly."""
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
