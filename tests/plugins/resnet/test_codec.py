"""The residual-network codec with a network of random weights: what must hold for any weights."""

import dataclasses
import subprocess
import sys
import zlib
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec, decode_symbols  # noqa: E402
from benchbox_resnet.coding.bitstream import Stream  # noqa: E402
from benchbox_resnet.coding.denoise import denoise, noise_level  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import RESNET  # noqa: E402
from benchbox_resnet.network.layers import by_pixel  # noqa: E402
from noisy_resnet import NOISY, noisy_network, save_noisy  # noqa: E402

from benchbox.errors import CodecError, CorruptBitstream, QualityError, UnsupportedImageError  # noqa: E402


@pytest.fixture(scope="module")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_noisy(tmp_path_factory.mktemp("weights") / "noisy.safetensors", noisy_network())


@pytest.fixture(scope="module")
def codec(weights: Path) -> Iterator[ResnetCodec]:
    opened = ResnetCodec.open(RESNET, [weights], "cpu")
    yield opened
    opened.close()


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


def test_effort_pays_and_decoders_do_not_know(weights: Path, codec: ResnetCodec, photo: np.ndarray) -> None:
    """Bits + lambda * squared error falls; the same codec decodes."""
    source = np.ascontiguousarray(photo[:128, :128])
    weight = NOISY.lambdas[3] * source.shape[0] * source.shape[1]
    costs = []
    for effort in (0, 4):
        data = ResnetCodec.open(RESNET, [weights], "cpu", effort=effort).encode(source, 3)
        squared = np.square(source.astype(float) - codec.decode(data)).mean()
        costs.append(8 * len(data) + weight * squared)
    assert costs[1] < costs[0]


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


def test_tiles_leave_no_trace(weights: Path, photo: np.ndarray) -> None:
    """One tile or many: the same symbols from the same stream, pixels equal to within one level."""
    model = load_model(weights, torch.device("cpu"))
    whole, cut = ResnetCodec(RESNET, model, tile_cells=16), ResnetCodec(RESNET, model, tile_cells=1)
    data = whole.encode(photo, 2.5)
    symbols = [decode_symbols(c.encoder, Stream.unpack(data)) for c in (whole, cut)]
    for one, other in zip(*symbols, strict=True):
        np.testing.assert_array_equal(one, other)
    assert np.abs(whole.decode(data).astype(int) - cut.decode(data)).max() <= 1
    assert abs(len(cut.encode(photo, 2.5)) - len(data)) <= len(data) // 500 + 4


def test_threads_processes_and_precision_give_the_same_symbols(codec: ResnetCodec, weights: Path, photo: np.ndarray,
                                                                tmp_path: Path) -> None:
    data = codec.encode(photo, 1.7)
    here = decode_symbols(codec.encoder, Stream.unpack(data))
    before = torch.get_num_threads()
    try:
        for threads in (1, 2):
            torch.set_num_threads(threads)
            for one, other in zip(here, decode_symbols(codec.encoder, Stream.unpack(data)), strict=True):
                np.testing.assert_array_equal(one, other)
    finally:
        torch.set_num_threads(before)
    (tmp_path / "stream").write_bytes(data)
    script = (
        "import sys, pathlib; from benchbox_resnet.codec import ResnetCodec; from benchbox_resnet.info import RESNET;"
        "c = ResnetCodec.open(RESNET, [pathlib.Path(sys.argv[1])], 'cpu', 2);"
        "sys.stdout.buffer.write(c.decode(pathlib.Path(sys.argv[2]).read_bytes()).tobytes())"
    )
    out = subprocess.run([sys.executable, "-c", script, str(weights), str(tmp_path / "stream")],
                         check=True, capture_output=True, timeout=120)  # fmt: skip
    there = np.frombuffer(out.stdout, np.uint8).reshape(photo.shape)
    assert np.abs(there.astype(int) - codec.decode(data)).max() <= 1


def test_noise_in_the_float_path_moves_no_symbol(
    codec: ResnetCodec, weights: Path, photo: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Relative noise of 1e-4 on every float activation of the decoder: same symbols, PSNR within 0.01 dB."""
    data = codec.encode(photo, 2)
    noisy = ResnetCodec.open(RESNET, [weights], "cpu")
    net = noisy.encoder.model.net
    torch.manual_seed(5)

    disturbed = set()

    def disturb(module: object, inputs: object, output: object) -> object:
        assert isinstance(output, torch.Tensor)
        disturbed.add(module)
        return output * (1 + 1e-4 * torch.randn_like(output))

    for module in net.modules():
        if isinstance(module, torch.nn.Conv2d):
            module.register_forward_hook(disturb)
    # (the linear path calls no module)
    monkeypatch.setattr("benchbox_resnet.network.model.by_pixel", lambda layer, x: disturb(layer, x, by_pixel(layer, x)))
    seen = noisy.decode(data)
    decoding = (net.lin_s, net.context_linear, net.h_s, net.g_s_deep, net.g_s_high, net.context)
    assert disturbed == {layer for part in decoding for layer in part.modules() if isinstance(layer, torch.nn.Conv2d)}
    monkeypatch.undo()
    for one, other in zip(decode_symbols(codec.encoder, Stream.unpack(data)),
                          decode_symbols(noisy.encoder, Stream.unpack(data)), strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)
    errors = [np.square(photo.astype(float) - decoded).mean() for decoded in (codec.decode(data), seen)]
    assert abs(10 * np.log10(errors[0] / errors[1])) < 0.01


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
    assert len(codec.encode(photo, 2)) == pytest.approx(bits.sum() / 8, rel=0.01, abs=32)


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


def test_damage_is_named(codec: ResnetCodec, photo: np.ndarray) -> None:
    data = codec.encode(photo, 2)
    rng = np.random.default_rng(2)
    for place in rng.integers(0, len(data), 40).tolist():
        flipped = bytearray(data)
        flipped[place] ^= 1 << int(rng.integers(8))
        with pytest.raises(CorruptBitstream):
            codec.decode(bytes(flipped))
    for length in (0, 5, 20, len(data) // 2, len(data) - 1):
        with pytest.raises(CorruptBitstream):
            codec.decode(data[:length])
    with pytest.raises(CorruptBitstream, match="another format"):
        codec.decode(b"\x89PNG\r\n\x1a\n" + bytes(60))


def test_hostile_streams_cost_nothing(codec: ResnetCodec, photo: np.ndarray) -> None:
    """Valid checksums, false claims: refused before memory of that size is asked for."""
    stream = Stream.unpack(codec.encode(photo, 2))
    with pytest.raises(CorruptBitstream, match="at least"):
        codec.decode(dataclasses.replace(stream, width=60000, height=2900).pack())
    with pytest.raises(CorruptBitstream, match="larger"):
        codec.decode(dataclasses.replace(stream, width=60000, height=60000).pack())
    with pytest.raises(CorruptBitstream, match="needs the model 01020304"):
        codec.decode(dataclasses.replace(stream, model=bytes([1, 2, 3, 4])).pack())
    with pytest.raises(CorruptBitstream, match="quality"):
        codec.decode(dataclasses.replace(stream, quality=4000).pack())
    with pytest.raises(CorruptBitstream, match="channels"):
        codec.decode(dataclasses.replace(stream, channels=2).pack())
    with pytest.raises(CorruptBitstream):
        codec.decode(dataclasses.replace(stream, symbols=stream.symbols[:-2]).pack())
    body = stream.pack()[:-4] + b"more"
    with pytest.raises(CorruptBitstream, match="follow"):
        codec.decode(body + zlib.crc32(body).to_bytes(4, "little"))


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


def test_noise_is_found_and_taken_away(photo: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(np.rint(photo + rng.normal(0, 8, photo.shape)), 0, 255).astype(np.uint8)
    assert 7 < noise_level(noisy) < 11 > 2 * noise_level(photo)
    errors = [np.square(denoise(noisy, s).astype(float) - photo).mean() for s in (0.0, 0.5, 1.0)]
    assert errors[0] > 1.8 * errors[1] > 2.4 * errors[2]
    assert denoise(photo[:1, :2], 1.0).shape == (1, 2, 3)
    tall = np.concatenate([noisy] * (600 // len(noisy) + 1))[:600]
    assert denoise(tall, 1.0).shape == tall.shape  # more than one strip


def test_denoising_is_the_encoders_alone(weights: Path, codec: ResnetCodec, photo: np.ndarray) -> None:
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 8, photo.shape), 0, 255).astype(np.uint8)
    data = ResnetCodec.open(RESNET, [weights], "cpu", denoise=1.0).encode(noisy, 3)
    assert len(data) < len(codec.encode(noisy, 3))  # by little: these weights are noise too
    assert codec.decode(data).shape == photo.shape
    gray = ResnetCodec.open(RESNET, [weights], "cpu", denoise=1.0).encode(noisy[:, :, :1], 3)
    assert codec.decode(gray).shape == (*photo.shape[:2], 1)


def test_streams_of_the_other_model_are_decoded(weights: Path, photo: np.ndarray, tmp_path: Path) -> None:
    other = save_noisy(tmp_path / "other.safetensors", noisy_network(seed=5), "ms-ssim")
    data = ResnetCodec.open(RESNET, [other], "cpu").encode(photo, 2)
    both = ResnetCodec.open(RESNET, [weights, other], "cpu")
    np.testing.assert_array_equal(both.decode(data), ResnetCodec.open(RESNET, [other], "cpu").decode(data))
    with pytest.raises(CorruptBitstream, match="needs the model"):
        ResnetCodec.open(RESNET, [weights], "cpu").decode(data)


@pytest.mark.cuda
def test_streams_cross_devices(weights: Path, photo: np.ndarray) -> None:
    if not torch.cuda.is_available():
        pytest.skip("no CUDA device")
    codecs = [ResnetCodec.open(RESNET, [weights], device) for device in ("cpu", "cuda")]
    for writer in codecs:
        data = writer.encode(photo, 2)
        symbols = [decode_symbols(c.encoder, Stream.unpack(data)) for c in codecs]
        for one, other in zip(*symbols, strict=True):
            np.testing.assert_array_equal(one, other)
        assert np.abs(codecs[0].decode(data).astype(int) - codecs[1].decode(data)).max() <= 1
