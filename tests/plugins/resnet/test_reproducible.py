"""The same symbols from the same stream, whatever computes them."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec, decode_symbols  # noqa: E402
from benchbox_resnet.coding.bitstream import Stream  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import RESNET  # noqa: E402
from benchbox_resnet.network.layers import by_pixel  # noqa: E402


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
    linear = "benchbox_resnet.network.model.by_pixel"
    monkeypatch.setattr(linear, lambda layer, x: disturb(layer, x, by_pixel(layer, x)))
    seen = noisy.decode(data)
    assert net.filter is not None
    decoding = (net.lin_s, net.context_linear, net.h_s, net.g_s_deep, net.g_s_high, net.filter, net.context)
    assert disturbed == {layer for part in decoding for layer in part.modules() if isinstance(layer, torch.nn.Conv2d)}
    monkeypatch.undo()
    for one, other in zip(decode_symbols(codec.encoder, Stream.unpack(data)),
                          decode_symbols(noisy.encoder, Stream.unpack(data)), strict=True):  # fmt: skip
        np.testing.assert_array_equal(one, other)
    errors = [np.square(photo.astype(float) - decoded).mean() for decoded in (codec.decode(data), seen)]
    assert abs(10 * np.log10(errors[0] / errors[1])) < 0.01


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
