"""Cutting pictures into blocks and putting them together."""

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.network.layers import by_pixel, quarters, shuffle, unshuffle  # noqa: E402


@pytest.mark.parametrize("last", [False, True])
def test_pictures_are_cut_into_blocks_as_pytorch_does(last: bool) -> None:
    """In any memory order: `last` has colours innermost, as decoded pictures have."""
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
