"""Residual blocks in 8 bits: kernels against numpy, convolutions against the same sums in float64."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as stnp

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.int8 import Int8Blocks, Int8Convolution, in_int8, span_of, to_bytes  # noqa: E402
from benchbox_resnet.coding.precision import fast_int8, require  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.layers import ResBlock  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from torch import Tensor  # noqa: E402

from benchbox.errors import CodecUnavailableError  # noqa: E402

FINITE = st.floats(-(2.0**100), 2.0**100, width=32)
SMALL = st.floats(-40, 40, width=32)
needs_vnni = pytest.mark.skipif(
    not fast_int8(torch.device("cpu")), reason="this processor has no AVX-512 VNNI, or torch no 8-bit convolutions"
)


def channels_last(*shape: int, seed: int = 0) -> Tensor:
    values = torch.from_numpy(np.random.default_rng(seed).normal(0, 2, shape).astype(np.float32))
    out: Tensor = values.contiguous(memory_format=torch.channels_last)
    return out


@given(stnp.arrays(np.float32, st.integers(1, 70), elements=FINITE))
def test_the_span_is_that_of_the_values_and_zero(v: np.ndarray) -> None:
    assert span_of(v) == (min(float(v.min()), 0.0), max(float(v.max()), 0.0))


@given(stnp.arrays(np.float32, st.integers(1, 70), elements=SMALL), st.sampled_from([0.0, 0.1, 1.0]))
def test_bytes_are_within_half_a_step_of_the_rectified_values(v: np.ndarray, slope: float) -> None:
    rectified = np.where(v > 0, v, np.float32(slope) * v)
    low, high = min(float(rectified.min()), 0.0), max(float(rectified.max()), 0.0)
    step = max((high - low) / 255, 1e-12)
    zero = round(-low / step)
    out = np.empty(len(v), np.uint8)
    to_bytes(v, np.float32(1 / step), np.float32(slope / step), zero, out)
    assert np.abs((out.astype(float) - zero) * step - rectified).max() <= 0.501 * step + 1e-9


@needs_vnni
@pytest.mark.parametrize("shape", [(1, 8, 1, 1), (2, 8, 7, 13), (1, 8, 33, 20), (1, 8, 64, 96)])
@pytest.mark.parametrize("slope", [1.0, 0.1, 0.0])
def test_a_convolution_is_the_sum_of_its_rounded_values(shape: tuple[int, ...], slope: float) -> None:
    """Against float64 on the rounded values it is exact but for the last float32; against the layer, within 2 %."""
    torch.manual_seed(1)
    layer = torch.nn.Conv2d(8, 24, 3, padding=1).requires_grad_(False)
    v = channels_last(*shape)
    with torch.inference_mode():
        found = Int8Convolution(layer, slope)(v)
        rectified = torch.where(v > 0, v, slope * v)
        step = float(rectified.max().clamp_min(0) - rectified.min().clamp_max(0)) / 255
        zero = round(-float(rectified.min().clamp_max(0)) / step)
        rounded = (torch.floor(rectified / step + (zero + 0.5)).clamp(0, 255) - zero).double() * step
        by_channel = layer.weight.abs().amax((1, 2, 3), keepdim=True) / 127
        weight = (layer.weight / by_channel).round().double() * by_channel.double()
        expected = torch.nn.functional.conv2d(rounded, weight, layer.bias.double(), padding=1)
        exact = torch.nn.functional.conv2d(rectified, layer.weight, layer.bias, padding=1)
    # (a value next to the middle between two bytes may fall to either side)
    assert float((found - expected).abs().max()) < 1e-4 + step * float(layer.weight.abs().max())
    assert float((found - expected).abs().median()) < 1e-5
    assert float((found - exact).square().mean() / exact.square().mean()) < 0.02**2


@needs_vnni
def test_blocks_in_8_bits_are_the_blocks_but_for_a_hundredth() -> None:
    torch.manual_seed(2)
    blocks = torch.nn.Sequential(*(ResBlock(16, "leaky_relu") for _ in range(3)))
    v = channels_last(2, 16, 21, 34)
    before = v.clone()
    with torch.inference_mode():
        found, exact = Int8Blocks(blocks, 0.1)(v), blocks(v)
    assert torch.equal(v, before)
    branch = (exact - v).square().mean()
    assert 0 < float((found - exact).square().mean() / branch) < 0.02**2


@needs_vnni
@pytest.mark.parametrize(("act", "other"), [("leaky_relu", True), ("relu", True), ("gelu", False)])
def test_a_network_in_8_bits_is_a_copy_where_its_activation_allows(act: str, other: bool) -> None:
    config = ModelConfig(channels=8, blocks=2, deep_channels=8, deep_blocks=1, latents=64, hyper=2, context=4,
                         context_blocks=1, scale_hidden=4, qualities=2, activation=act)  # fmt: skip
    torch.manual_seed(3)
    net = ResidualCodec(config).requires_grad_(False)
    for block in (layer for layer in net.modules() if isinstance(layer, ResBlock)):
        block.conv2.weight.mul_(4)  # so that the blocks change what passes them by as much as it is
    copy = in_int8(net)
    assert not any(isinstance(layer, Int8Blocks) for layer in net.modules())
    for name in ("g_a_high", "g_a_deep", "g_s_deep", "g_s_high"):
        layers, eight_bits = getattr(net, name), getattr(copy, name)
        assert any(isinstance(layer, Int8Blocks) for layer in eight_bits) == other
        blocks = [layer for layer in layers if isinstance(layer, ResBlock)]
        x = channels_last(1, 8, 11, 14)
        with torch.inference_mode():
            exact, found = torch.nn.Sequential(*blocks)(x), x
            for layer in eight_bits:
                found = layer(found) if isinstance(layer, (Int8Blocks, ResBlock)) else found
        assert torch.equal(exact, found) != other
        assert float((exact - found).square().mean() / (exact - x).square().mean()) < 0.02**2


def test_eight_bits_are_refused_where_the_device_has_none() -> None:
    with pytest.raises(CodecUnavailableError, match="use precision auto"):
        require("int8", torch.device("cuda"))


@needs_vnni
def test_zeros_stay_zeros() -> None:
    layer = torch.nn.Conv2d(4, 4, 3, padding=1).requires_grad_(False)
    with torch.inference_mode():
        found = Int8Convolution(layer, 1.0)(torch.zeros(1, 4, 3, 5).contiguous(memory_format=torch.channels_last))
        torch.testing.assert_close(found, layer.bias[:, None, None].expand(1, 4, 3, 5))
