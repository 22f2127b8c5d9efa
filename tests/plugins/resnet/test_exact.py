"""The exact scale path: integers choose the tables that the trained network would choose."""

from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec, decode_symbols  # noqa: E402
from benchbox_resnet.coding.bitstream import Stream  # noqa: E402
from benchbox_resnet.coding.exact import SYMBOL_UNKNOWN, ExactScale  # noqa: E402
from benchbox_resnet.coding.halves import parity_mask, split_half  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import RESNET  # noqa: E402
from benchbox_resnet.network.config import GRID, ModelConfig  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from benchbox_resnet.network.scale import mask_bounds  # noqa: E402
from noisy_resnet import MASKED, NOISY, frozen, noisy_network, save_noisy  # noqa: E402

from benchbox.errors import CodecError  # noqa: E402


def masked_network() -> ResidualCodec:
    net = noisy_network(config=MASKED)
    net.scale.mask_level.copy_(torch.tensor([4.0, 8.0, 12.0, 16.0]))
    return net


def test_the_frozen_scale_path_follows_the_trained_one(tmp_path: Path) -> None:
    """Integers against floats: table numbers differ by rounding only, at a trained quality."""
    net = noisy_network()
    model = load_model(save_noisy(tmp_path / "noisy.safetensors", net), torch.device("cpu"))
    net.scale.expected.copy_(model.scale._expected)  # of frozen tables, which the trained form does not know
    torch.manual_seed(3)
    z = torch.randint(-9, 10, (1, NOISY.hyper, 3, 4)).float()
    q = torch.tensor([2])
    with torch.inference_mode():
        expected = net.scale.prior(z, q)[0].permute(1, 2, 0)
        t1 = model.scale.prior(torch.nn.functional.pad(z[0], (1, 1, 1, 1)), 2 << 8)
        assert (t1 - expected).abs().max() < 0.2
        symbols = torch.randint(-3, 4, t1.shape, dtype=torch.int16)
        even = torch.from_numpy(parity_mask(12, 16, 0, 0))
        first = even == (torch.arange(NOISY.latents) % 2 == 0)
        known = torch.where(first, GRID * symbols, -(1 << 15) + 1)
        t2 = model.scale.refine(t1, known, 2 << 8)
        planes = symbols.permute(2, 0, 1)[None].float()
        mask = first.permute(2, 0, 1)[None].float()
        trained = net.scale.refine(expected.permute(2, 0, 1)[None], planes * mask, mask, q)[0].permute(1, 2, 0)
    assert np.abs(t2.numpy() - split_half(trained.double().numpy(), False)).mean() < 0.1


@pytest.mark.parametrize("size", [(4, 4), (8, 20), (12, 4)])
def test_loops_and_layers_read_the_same_of_the_first_half(tmp_path: Path, size: tuple[int, int]) -> None:
    """GPUs compute it in layers, the host by loops: a stream must not depend on which."""
    scale = load_model(save_noisy(tmp_path / "noisy.safetensors", noisy_network()), torch.device("cpu")).scale
    shape = (*size, NOISY.latents)
    rng = np.random.default_rng(4)
    symbols = np.rint(rng.laplace(0, 20, shape)).astype(np.int16)
    symbols[0, 0, 0], symbols[0, 0, 2] = 30_000, -30_000
    symbols[np.indices(shape).sum(0) % 2 == 1] = SYMBOL_UNKNOWN
    t1 = torch.from_numpy(rng.uniform(0, 63.9, shape))
    one, other = (read(t1, torch.from_numpy(symbols)) for read in (scale.seen_on_host, scale.seen_in_layers))
    assert one.abs().max() > 1
    assert torch.equal(one, other)


def test_steps_follow_the_picture(tmp_path: Path, photo: np.ndarray) -> None:
    """Steps are coarser where z indicates a busy picture, by whole numbers, the same in training and in streams; mean
    colours are unchanged, and tiles leave no trace."""
    net = masked_network()
    model = load_model(save_noisy(tmp_path / "masked.safetensors", net, "ms-ssim"), torch.device("cpu"))
    z = torch.zeros(1, MASKED.hyper, 3, 4)
    z[:, :, :, 2:] = torch.randint(-4, 5, (1, MASKED.hyper, 3, 2)).float()
    with torch.inference_mode():
        t1 = model.scale.prior(torch.nn.functional.pad(z[0], (1, 1, 1, 1)), 2 << 8)
        coarser = model.scale.mask(t1, 2 << 8)
        trained = net.scale.mask(t1.permute(2, 0, 1)[None], torch.tensor([2]))[0].permute(1, 2, 0)
    assert torch.equal(coarser.float(), trained.float())
    assert torch.equal(coarser, coarser.round())
    assert not coarser[:, :, :3].any()
    activity = t1[:, :, 4:68].mean(2).flatten()
    for latent, least, most in ((5, -3, 5), (39, -3, 5), (40, 0, 9), (79, 0, 9)):
        moved = coarser[:, :, latent].flatten()
        assert len(moved.unique()) > 2
        assert moved.min() == least
        assert 0 < moved.max() <= most
        assert (moved[activity.argsort()].diff() >= 0).all()
    whole, cut = (ResnetCodec(RESNET, model, tile_cells=cells) for cells in (16, 1))
    data = whole.encode(photo, 2.5)
    symbols = [decode_symbols(c.encoder, Stream.unpack(data)) for c in (whole, cut)]
    for one, other in zip(*symbols, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(whole.decode(data).astype(int) - cut.decode(data)).max() <= 1


def test_without_detail_all_latents_have_the_same_bounds() -> None:
    """The meaning of weights files without these fields."""
    plain = ModelConfig(masking=0.5, mask_finer=2, mask_coarser=6)
    for bound, steps in zip(mask_bounds(plain), (2, 6), strict=True):
        assert bound.tolist() == [0] * 3 + [steps] * (plain.latents - 3)


def test_sums_of_the_scale_path_are_exact(tmp_path: Path) -> None:
    """The bound is computed from the weights, and weights that break it are refused."""
    model = load_model(save_noisy(tmp_path / "noisy.safetensors", noisy_network()), torch.device("cpu"))
    for bound in model.scale.bounds():
        assert bound.steps < bound.limit
    tensors = {k: v.astype(np.int64) for k, v in frozen(noisy_network().scale).items()}
    tensors["refine_near"] = tensors["refine_near"] + (1 << 20)
    with pytest.raises(CodecError, match="refine_near"):
        ExactScale(NOISY, tensors, torch.device("cpu"))


def test_balanced_windows_give_the_same_tables() -> None:
    """Weights that are too large to be exact are scaled into the next layer, and the function stays the same."""
    path = noisy_network().scale
    with torch.no_grad():
        path.refine_near.weight[::3] *= 40
        path.refine_hidden.weight[:, : NOISY.latents : 3] /= 40
    with pytest.raises(CodecError, match="refine_near"):
        ExactScale(NOISY, frozen(path), torch.device("cpu"))
    rng = np.random.default_rng(6)
    t1 = torch.from_numpy(rng.uniform(0, 40, (1, NOISY.latents, 8, 8)).astype(np.float32))
    symbols = torch.from_numpy(rng.integers(-9, 10, t1.shape).astype(np.float32))
    first, q = (torch.arange(64).reshape(8, 8) % 2).float()[None, None].expand(t1.shape), torch.tensor([1])
    with torch.no_grad():
        before = path.refine(t1, symbols, first, q)
        path.balance()
        after = path.refine(t1, symbols, first, q)
    assert float((before - t1).abs().max()) > 0.1
    torch.testing.assert_close(before, after, rtol=1e-4, atol=1e-3)
    for bound in ExactScale(NOISY, frozen(path), torch.device("cpu")).bounds():
        assert bound.steps < bound.limit
