"""The bundled weights: their files are as documented, and the codec with them is better than JPEG."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec, decode_symbols
from benchbox_resnet.coding.bitstream import Stream
from benchbox_resnet.coding.entropy import PRECISION
from benchbox_resnet.coding.exact import SYMBOL_UNKNOWN
from benchbox_resnet.coding.precision import fast_int8
from benchbox_resnet.info import RESNET, bundled
from benchbox_resnet.training.evaluate import measure
from click.testing import CliRunner
from PIL import Image as PillowImage
from safetensors import safe_open
from tiny_resnet import CPU

from benchbox.cli.main import commands
from benchbox.image import read

FILES = bundled()
pytestmark = pytest.mark.skipif(not FILES, reason="no trained weights are bundled")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_the_file_is_what_it_says(path: Path) -> None:
    assert path.stat().st_size < 15_000_000
    with safe_open(path, framework="numpy") as file:
        metadata = file.metadata()
        kinds = {name: file.get_tensor(name).dtype for name in file.keys()}  # noqa: SIM118
    assert metadata["tune"] == path.stem
    card = json.loads(metadata["card"])
    assert card["steps"] > 1000
    assert card["licences"]
    assert card["data"]
    for name, dtype in kinds.items():
        if name.startswith(("exact.", "tables.", "colour_only")):
            assert dtype.kind in "iu", name
        elif name.startswith("net.lin_"):
            assert dtype == np.float32, name
    assert {dtype for name, dtype in kinds.items() if name.startswith("net.g_") and name.endswith("weight")} == {
        np.dtype(np.float16)}  # fmt: skip


def test_it_needs_fewer_bits_than_jpeg(kodak: Path) -> None:
    """Three Kodak pictures, at JPEG's own PSNR."""
    pictures = [read(kodak / f"kodim{n:02}.png").pixels for n in (4, 15, 23)]
    codec = RESNET.open(RESNET.parse_options({}), "cpu")
    assert isinstance(codec, ResnetCodec)
    rate, psnr = zip(*(measure(codec, pictures, q)[:2] for q in (2.0, 5.0, 8.0, 11.0)), strict=True)
    assert list(rate) == sorted(rate)
    assert list(psnr) == sorted(psnr)
    for quality in (30, 75):
        bits, quality_db = np.mean([_jpeg(pixels, quality) for pixels in pictures], axis=0)
        assert np.exp(np.interp(quality_db, psnr, np.log(rate))) < 0.85 * bits


def _jpeg(pixels: np.ndarray, quality: int) -> tuple[float, float]:
    """bpp and PSNR of Pillow's JPEG."""
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "JPEG", quality=quality)
    decoded = np.asarray(PillowImage.open(file)).astype(np.float64)
    size = 8 * len(file.getvalue()) / (pixels.shape[0] * pixels.shape[1])
    return size, float(10 * np.log10(255**2 / np.square(decoded - pixels).mean()))


def test_estimated_and_real_size_agree(kodak: Path) -> None:
    """The entropy coder takes less than one percent more than the tables say, container included."""
    pixels = read(kodak / "kodim20.png").pixels
    codec = RESNET.open(RESNET.parse_options({}), "cpu")
    assert isinstance(codec, ResnetCodec)
    tables = codec.encoder.model.tables
    for quality in (1.0, 7.0, 13.0):
        coded = codec.encoder.encode(pixels, round(quality * 256))
        ids, symbols = coded.ids.astype(int), coded.symbols.astype(int)
        bounds = tables.bounds[ids]
        inside = np.abs(symbols) <= bounds
        assert inside.mean() > 0.999
        place = tables.offsets[ids] + np.where(inside, bounds + symbols, 0)
        bits = float((PRECISION - np.log2(tables.frequencies[place]))[inside].sum())
        bits += float(tables.costs(4096)[ids[~inside], np.abs(symbols[~inside])].sum())
        assert bits < 8 * len(codec.encode(pixels, quality)) < 1.01 * bits + 8 * 32


@pytest.mark.slow  # half a minute
@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_precision_moves_pixels_a_little_and_no_symbol(path: Path, kodak: Path) -> None:
    """A stream of any precision decodes to the same symbols in all, and to pixels within the declared tolerance."""
    pixels = read(kodak / "kodim08.png").pixels[:320, :448]
    known = ("float32", "bfloat16", "int8") if fast_int8(CPU) else ("float32", "bfloat16")
    codecs = {p: RESNET.open(RESNET.parse_options({"tune": path.stem, "precision": p}), "cpu") for p in known}
    for writer in codecs.values():
        for quality in (1.0, 8.0, 15.0):
            data = writer.encode(pixels, quality)
            symbols, decoded, errors = [], [], []
            for reader in codecs.values():
                assert isinstance(reader, ResnetCodec)
                symbols.append(decode_symbols(reader.encoder, Stream.unpack(data)))
                decoded.append(reader.decode(data).astype(int))
                errors.append(np.square(decoded[-1] - pixels.astype(int)).mean())
            for others in symbols[1:]:
                for one, other in zip(symbols[0], others, strict=True):
                    np.testing.assert_array_equal(one, other)
            assert max(np.abs(d - decoded[0]).max() for d in decoded) <= RESNET.capabilities.pixel_tolerance
            assert max(abs(10 * np.log10(e / errors[0])) for e in errors) < 0.05


def test_opening_brings_no_compiler_with_it() -> None:
    """Some functions of torch import a compiler and an algebra system on first use, which takes two seconds."""
    code = ("import sys, torch\nfrom benchbox_resnet.info import RESNET\n"
            "RESNET.open(RESNET.parse_options({}), 'cpu').close()\n"
            "print([name for name in ('sympy', 'torch._dynamo', 'scipy.special') if name in sys.modules])")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize("tune", ["mse", "ms-ssim"])
def test_a_file_by_hand_needs_no_codec_named_to_decode(
    tune: str, kodak: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The commands of the documentation: suffix and header of a file are enough, whichever model wrote it."""
    monkeypatch.chdir(tmp_path)
    PillowImage.open(kodak / "kodim04.png").crop((0, 0, 200, 130)).save("photo.png")
    for line in (f"encode photo.png -c resnet:tune={tune} -q 4 -o photo.bbr", "decode photo.bbr -o out.png"):
        done = CliRunner().invoke(commands, line.split())
        assert done.exit_code == 0, (done.output, done.exception)
    out, source = (read(tmp_path / name).pixels.astype(int) for name in ("out.png", "photo.png"))
    assert out.shape == source.shape
    assert np.square(out - source).mean() < 150


def test_the_brightness_of_a_block_is_predicted(kodak: Path) -> None:
    """Means of the first latent are close in the second half; in the first they do not depend on neighbours."""
    pixels = read(kodak / "kodim23.png").pixels
    codec = RESNET.open(RESNET.parse_options({}), "cpu")
    assert isinstance(codec, ResnetCodec)
    stream = Stream.unpack(codec.encode(pixels, 6.0))
    _, first, both = decode_symbols(codec.encoder, stream)
    known = first[:, :, 0] != SYMBOL_UNKNOWN
    sizes = np.abs(both[:, :, 0].astype(float))
    assert sizes[~known].mean() < 0.5 * sizes[known].mean()
