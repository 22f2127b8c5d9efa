"""CompressAI's models as codecs, with untrained weights in checkpoints of their own instead of those of the zoo.

Without compressai these tests are skipped; docs/codecs.md says how to install it."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_compressai import bitstream, library, weights
from benchbox_compressai.codec import CODECS
from hypothesis import given
from hypothesis import strategies as st

from benchbox import testing
from benchbox.codec import Codec
from benchbox.errors import CodecError, CodecUnavailableError, CorruptBitstream, QualityError, UnsupportedImageError
from benchbox.image import Image

INFOS = {info.id: info for info in CODECS}
SMALL = {"bmshj2018-factorized": (8, 12), "bmshj2018-hyperprior": (8, 12), "mbt2018-mean": (8, 12), "mbt2018": (12, 12),
         "cheng2020-anchor": (12,), "cheng2020-attn": (12,), "elic2022": (16, 320)}  # fmt: skip


def needs_compressai() -> None:
    reason = library.missing()
    if reason is not None:
        pytest.skip(reason)


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("BENCHBOX_COMPRESSAI", str(tmp_path))
    return tmp_path


def untrained(folder: Path, model: str, quality: int = 1, seed: int = 1, gain: float = 3) -> Any:
    """An untrained network of few channels, and its checkpoint in `folder`; a higher `gain` costs more bytes."""
    import torch

    torch.manual_seed(seed)
    network = library.architectures()[model](*SMALL[model])
    with torch.no_grad():
        for layer in network.g_a.modules():
            if isinstance(layer, torch.nn.Conv2d):
                layer.weight *= gain  # else all latents round to 0
    network.eval()
    network.update()
    torch.save(network.state_dict(), folder / f"{model}-{quality}.pth.tar")
    return network


def opened(model: str, **options: Any) -> Codec:
    return INFOS[model].open(INFOS[model].parse_options(options), "cpu")


@pytest.mark.parametrize("model", INFOS)
def test_decodes_what_the_network_itself_reconstructs(model: str, checkpoints: Path, photo: Image) -> None:
    needs_compressai()
    import torch

    network = untrained(checkpoints, model)
    pixels = np.ascontiguousarray(photo[:100, :130])
    codec = opened(model)
    data = codec.encode(pixels, 1)
    back = codec.decode(data)
    padded = np.pad(pixels, ((0, 28), (0, 62), (0, 0)), mode="edge")
    tensor = torch.from_numpy(padded.transpose(2, 0, 1).copy())[None].float() / 255
    with torch.no_grad():
        result = network.compress(tensor)
        expected = network.decompress(result["strings"], result["shape"])["x_hat"][0].clamp(0, 1)
    expected = (expected * 255).round().byte().permute(1, 2, 0).numpy()[:100, :130]
    assert np.array_equal(back, expected)
    strings = sum(len(batch[0]) for batch in result["strings"])
    assert len(data) == 10 + 4 * (len(result["strings"]) - 1) + strings
    assert opened(model).encode(pixels, 1) == data


@pytest.mark.slow
@pytest.mark.parametrize("model", ["bmshj2018-factorized", "bmshj2018-hyperprior"])
def test_conformance(model: str, checkpoints: Path) -> None:
    """All but the check of the axis, which asks for 20 dB and for pictures that get better: for trained weights."""
    needs_compressai()
    for quality, gain in ((1, 3), (2, 5)):
        untrained(checkpoints, model, quality, gain=gain)
        shutil.copy(checkpoints / f"{model}-{quality}.pth.tar", checkpoints / f"{model}-ms-ssim-{quality}.pth.tar")
    checks = testing.codec_checks(INFOS[model])
    untrained_too = [check for check in checks if not check.__name__.endswith("axis")]
    assert len(untrained_too) == len(checks) - 1
    for check in untrained_too:
        check()


@pytest.mark.parametrize("model", ["bmshj2018-factorized", "mbt2018-mean", "elic2022"])
def test_damage_is_refused_or_decoded(model: str, checkpoints: Path, photo: Image) -> None:
    needs_compressai()
    untrained(checkpoints, model)
    codec = opened(model)
    pixels = np.ascontiguousarray(photo[:64, :64])
    data = codec.encode(pixels, 1)
    for foreign in (b"", b"text" * 30, bytes(400), bytes(range(256)), data[:9]):
        with pytest.raises(CorruptBitstream, match=model):
            codec.decode(foreign)


def test_another_checkpoint_is_named(checkpoints: Path, photo: Image) -> None:
    needs_compressai()
    untrained(checkpoints, "bmshj2018-factorized")
    before = opened("bmshj2018-factorized")
    data = before.encode(photo, 1)
    identity = INFOS["bmshj2018-factorized"].identity(INFOS["bmshj2018-factorized"].parse_options({}))
    untrained(checkpoints, "bmshj2018-factorized", seed=2)
    with pytest.raises(CorruptBitstream, match=r"made by the checkpoint [0-9a-f]{8} of quality 1, which is not among"):
        opened("bmshj2018-factorized").decode(data)
    assert INFOS["bmshj2018-factorized"].identity(INFOS["bmshj2018-factorized"].parse_options({})) != identity
    assert before.decode(data).shape == photo.shape


def test_axis_is_what_is_there(checkpoints: Path, photo: Image) -> None:
    needs_compressai()
    for quality in (2, 3):
        untrained(checkpoints, "bmshj2018-factorized", quality)
    codec = opened("bmshj2018-factorized")
    axis = INFOS["bmshj2018-factorized"].axis(INFOS["bmshj2018-factorized"].parse_options({}))
    assert axis is not None
    assert axis.values == (2, 3)
    with pytest.raises(CodecError, match="there is no checkpoint of quality 5, only of 2, 3"):
        codec.encode(photo, 5)
    with pytest.raises(QualityError):
        codec.encode(photo, 9)
    with pytest.raises(UnsupportedImageError):
        codec.encode(np.ascontiguousarray(photo[:, :, :1]), 2)


def test_bad_checkpoints(checkpoints: Path) -> None:
    needs_compressai()
    (checkpoints / "mbt2018-1.pth.tar").write_bytes(b"no checkpoint")
    with pytest.raises(CodecError, match=r"mbt2018: .*mbt2018-1\.pth\.tar is no checkpoint of this model"):
        opened("mbt2018")
    untrained(checkpoints, "bmshj2018-factorized")
    (checkpoints / "bmshj2018-factorized-1.pth.tar").rename(checkpoints / "mbt2018-mean-1.pth.tar")
    with pytest.raises(CodecError, match="is no checkpoint of this model"):
        opened("mbt2018-mean")


def test_placeholders_are_taken_away() -> None:
    needs_compressai()
    library.architectures()
    assert not [name for name, module in sys.modules.items() if isinstance(module, library._Placeholder)]


def test_names_of_the_zoo(checkpoints: Path) -> None:
    for name in ("bmshj2018-factorized-prior-1-446d5c7f.pth.tar", "bmshj2018-factorized-ms-ssim-2-4a584386.pth.tar",
                 "mbt2018-mean-5-d504e8eb.pth.tar", "mbt2018-6-7052e5ea.pth.tar",
                 "cheng2020_attn-mse-3-2d07bbdf.pth.tar", "cheng2020_anchor-ms-ssim-4-0e658304.pth.tar",
                 "cheng2020-anchor-5-23852949.pth.tar", "notes.txt"):
        (checkpoints / name).write_bytes(b"")
    found = {(model, metric): list(weights.find(model, metric)) for model in INFOS for metric in ("mse", "ms-ssim")}
    assert {key: value for key, value in found.items() if value} == {
        ("bmshj2018-factorized", "mse"): [1], ("bmshj2018-factorized", "ms-ssim"): [2], ("mbt2018-mean", "mse"): [5],
        ("mbt2018", "mse"): [6], ("cheng2020-attn", "mse"): [3], ("cheng2020-anchor", "ms-ssim"): [4],
        ("cheng2020-anchor", "mse"): [5]}  # fmt: skip


@given(quality=st.integers(0, 255), height=st.integers(1, 65535), width=st.integers(1, 65535),
       model=st.binary(min_size=4, max_size=32), strings=st.lists(st.binary(max_size=9), min_size=1, max_size=20))
def test_bitstream_round_trip(quality: int, height: int, width: int, model: bytes, strings: list[bytes]) -> None:
    packed = bitstream.unpack(bitstream.pack(quality, height, width, model, strings), "x")
    assert packed == bitstream.Packed(quality, height, width, model[:4], tuple(strings))


@given(st.binary(max_size=60))
def test_any_bytes_are_taken_or_refused(data: bytes) -> None:
    try:
        packed = bitstream.unpack(data, "x")
    except CorruptBitstream:
        return
    assert sum(len(string) for string in packed.strings) < len(data)


def test_absent_package_and_absent_weights(checkpoints: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    if library.missing() is None:
        with pytest.raises(CodecUnavailableError, match=r"no weights of it in .*; run: benchbox compressai fetch mbt"):
            opened("mbt2018")
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    with pytest.raises(CodecUnavailableError, match=r"torch is not installed; run: pip .* --no-deps compressai"):
        opened("mbt2018")
