"""The codec with a network of random weights: what must hold for any weights."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.coding.bitstream import Stream
from benchbox_resnet.info import RESNET
from noisy_resnet import noisy_network, save_noisy

from benchbox.errors import CodecError, CorruptBitstream, QualityError, UnsupportedImageError


def crop(photo: np.ndarray, height: int, width: int) -> np.ndarray:
    return np.ascontiguousarray(np.resize(photo, (192, 256, 3))[:height, :width])


@pytest.mark.parametrize("size", [(1, 1), (1, 17), (63, 65), (64, 64), (100, 130)])
@pytest.mark.parametrize("channels", [1, 3, 4])
def test_any_size_and_kind(codec: ResnetCodec, photo: np.ndarray, size: tuple[int, int], channels: int) -> None:
    pixels = crop(photo, *size)
    alpha = (np.indices(size).sum(0) % 256).astype(np.uint8)
    source = {1: pixels[:, :, :1], 3: pixels, 4: np.dstack([pixels, alpha])}[channels]
    decoded = codec.decode(codec.encode(source, 3))
    assert decoded.shape == source.shape
    assert decoded.dtype == np.uint8
    if channels == 4:
        np.testing.assert_array_equal(decoded[:, :, 3], alpha)


def test_gray_is_smaller_than_the_same_picture_as_rgb(codec: ResnetCodec, photo: np.ndarray) -> None:
    gray = photo[:, :, 1:2]
    rgb = np.repeat(gray, 3, axis=2)
    data = codec.encode(gray, 2)
    assert codec.encoder.model.colour_only.any()
    assert len(data) < len(codec.encode(rgb, 2))
    np.testing.assert_allclose(codec.decode(data).mean(), gray.mean(), atol=6)


def test_overhead_of_the_container(codec: ResnetCodec, photo: np.ndarray) -> None:
    stream = Stream.unpack(codec.encode(photo, 1))
    assert len(stream.pack()) - len(stream.symbols) < 32


def test_batches_are_single_pictures(codec: ResnetCodec, photo: np.ndarray) -> None:
    pictures = [np.roll(photo, 16 * i, 1) for i in range(8)]
    streams = codec.encode_batch(pictures, 1)
    assert streams == [codec.encode(p, 1) for p in pictures]
    for one, other in zip(codec.decode_batch(streams), map(codec.decode, streams), strict=True):
        np.testing.assert_array_equal(one, other)


def test_estimated_and_real_size_agree(codec: ResnetCodec, photo: np.ndarray) -> None:
    tables = codec.encoder.model.tables
    coded = codec.encoder.encode(photo, 512)
    bits = np.zeros(len(coded.symbols))
    at = tables.offsets[coded.ids] + tables.bounds[coded.ids] + coded.symbols
    inside = np.abs(coded.symbols) <= tables.bounds[coded.ids]
    bits[inside] = 16 - np.log2(tables.frequencies[at[inside]])
    escape = tables.frequencies[tables.offsets[coded.ids[~inside].astype(int) + 1] - 1]
    excess = np.abs(coded.symbols[~inside]) - tables.bounds[coded.ids[~inside]]
    bits[~inside] = 16 - np.log2(escape) + 6 + np.floor(np.log2(excess))
    assert len(codec.encode(photo, 2)) == pytest.approx(bits.sum() / 8, rel=0.015, abs=32)


def test_alpha_hides_colour_for_free(codec: ResnetCodec) -> None:
    rng = np.random.default_rng(1)
    noise = rng.integers(0, 256, (128, 128, 3), dtype=np.uint8)
    alpha = np.zeros((128, 128), np.uint8)
    alpha[:64] = 255
    hidden = np.dstack([noise, alpha])
    shown = np.dstack([noise, np.full_like(alpha, 255)])
    assert len(codec.encode(hidden, 2)) < len(codec.encode(shown, 2))
    other = hidden.copy()
    other[64:, :, :3] = 7
    assert codec.encode(other, 2) == codec.encode(hidden, 2)


def test_requests_are_checked(codec: ResnetCodec, photo: np.ndarray, tmp_path: Path) -> None:
    with pytest.raises(QualityError):
        codec.encode(photo, 3.1)
    with pytest.raises(QualityError):
        codec.encode(photo, None)
    with pytest.raises(UnsupportedImageError):
        codec.encode(photo.astype(np.uint16), 1)
    (tmp_path / "no.safetensors").write_bytes(b"nothing")
    with pytest.raises(CodecError, match="safetensors"):
        ResnetCodec.open(RESNET, [tmp_path / "no.safetensors"], "cpu")
    with pytest.raises(CodecError, match="cannot read"):
        ResnetCodec.open(RESNET, [tmp_path / "absent"], "cpu")


def test_streams_of_the_other_model_are_decoded(weights: Path, photo: np.ndarray, tmp_path: Path) -> None:
    other = save_noisy(tmp_path / "other.safetensors", noisy_network(seed=5), "ms-ssim")
    data = ResnetCodec.open(RESNET, [other], "cpu").encode(photo, 2)
    both = ResnetCodec.open(RESNET, [weights, other], "cpu")
    np.testing.assert_array_equal(both.decode(data), ResnetCodec.open(RESNET, [other], "cpu").decode(data))
    with pytest.raises(CorruptBitstream, match="needs the model"):
        ResnetCodec.open(RESNET, [weights], "cpu").decode(data)
