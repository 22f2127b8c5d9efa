"""The filter of the decoded picture: what it changes, and that its fast form is the same filter."""

import dataclasses

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.fused import fused_end  # noqa: E402
from benchbox_resnet.coding.precision import fast_bfloat16  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.filter import PictureFilter  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from noisy_resnet import NOISY, noisy_network  # noqa: E402
from tiny_resnet import CPU, batch  # noqa: E402


def test_a_new_filter_changes_nothing_at_any_quality() -> None:
    config = ModelConfig(filter_channels=8)
    made = PictureFilter(config)
    for quality in range(config.qualities):
        assert torch.equal(made(batch(), torch.zeros(3), made.rows[quality].expand(2, -1)), batch())


def test_a_network_without_a_filter_has_no_numbers_of_it() -> None:
    net = ResidualCodec(dataclasses.replace(NOISY, filter_channels=0))
    assert not [name for name in net.state_dict() if name.startswith("filter.")]
    assert net.filtering(lambda rows: rows) is None
    assert fused_end(net) is None


@pytest.mark.skipif(not fast_bfloat16(CPU), reason="no instructions for bfloat16")
@pytest.mark.parametrize("cells", [(1, 1), (1, 5), (2, 1), (3, 4)])
def test_fused_it_is_the_filter_but_for_the_rounding_of_bfloat16(cells: tuple[int, int]) -> None:
    net = noisy_network(config=dataclasses.replace(NOISY, filter_channels=24, filter_blocks=2)).requires_grad_(False)
    fused = fused_end(net)
    assert fused is not None
    assert net.filter is not None
    generator = torch.Generator().manual_seed(1)
    y_hat = torch.randn(1, NOISY.latents, 4 * cells[0], 4 * cells[1], generator=generator)
    for quality in (0, 3):
        gain, feature = net.gain_s[quality][None], net.feature_s[quality][None]
        row = net.filter.rows[quality][None]
        plain, wanted = (net.synthesise(y_hat, gain, feature, v)[0].permute(1, 2, 0) for v in (None, row))
        correction = 255 * float((wanted - plain).abs().max())
        assert correction > 3
        found = fused(*net.paths(y_hat, gain, feature), row)
        assert found.shape == (64 * cells[0], 64 * cells[1], 3)
        assert np.abs(found - wanted.clamp(0, 1).numpy() * 255).max() < 1 + 0.03 * correction
