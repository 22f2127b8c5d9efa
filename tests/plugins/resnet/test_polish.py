"""Polishing: the synthesis improves on what encoders write, and nothing else changes."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from PIL import Image

torch = pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import RESNET  # noqa: E402
from benchbox_resnet.training.data import is_held_out  # noqa: E402
from noisy_resnet import NOISY, noisy_network, save_noisy  # noqa: E402
from safetensors.numpy import load_file  # noqa: E402
from tiny_resnet import CPU, command  # noqa: E402

#: Names of the tensors of the synthesis, which may change.
SYNTHESIS = ("net.g_s_", "net.lin_s.", "net.gain_s", "net.feature_s", "net.filter.")


def photographs(folder: Path) -> Path:
    """Crops of a photograph of 208x208 pixels, one of them held out by its name; returns the folder."""
    folder.mkdir()
    unseen = next(name for i in range(1000) if is_held_out(Path(name := f"unseen{i}.png")))
    for i, name in enumerate(["a.png", "b.png", "c.png", "d.png", unseen]):
        left, top = 70 * i, 50 * i
        Image.fromarray(skimage.data.astronaut()[top : top + 208, left : left + 208]).save(folder / name)
    return folder


def squared_error(codec: ResnetCodec, source: np.ndarray) -> float:
    return float(np.square(codec.decode(codec.encode(source, 2.0)).astype(float) - source).mean())


@pytest.mark.slow  # it trains
def test_it_adds_a_filter_and_leaves_the_streams(tmp_path: Path) -> None:
    pictures = photographs(tmp_path / "pictures")
    plain, filtered, again = (tmp_path / f"{name}.safetensors" for name in ("plain", "filtered", "again"))
    save_noisy(plain, noisy_network(config=dataclasses.replace(NOISY, filter_channels=0)))
    count = ["--crops", "16", "--held-out", "8", "--batch", "4", "--crop", "64", "--steps", "150"]
    command("polish", "--weights", plain, "--data", pictures, "--out", filtered, "--filter-channels", 8, *count)
    command("polish", "--weights", filtered, "--data", pictures, "--out", again, "--filter-channels", 16, *count)
    added = set(load_file(filtered)) - set(load_file(plain))
    assert added
    assert all(name.startswith("net.filter.") for name in added)
    models = [load_model(path, CPU) for path in (plain, filtered, again)]
    assert [model.config.filter_channels for model in models] == [0, 8, 8]
    source = np.ascontiguousarray(skimage.data.astronaut()[:192, 100:292])
    codecs = [ResnetCodec(RESNET, model) for model in models]
    coded = [codec.encoder.encode(source, 2 << 8) for codec in codecs]
    np.testing.assert_array_equal(coded[0].symbols, coded[2].symbols)
    assert squared_error(codecs[1], source) < squared_error(codecs[0], source)


@pytest.mark.slow  # it trains
@pytest.mark.parametrize("tune", ["mse", "ms-ssim"])
def test_it_moves_the_synthesis_alone_and_pictures_gain(tune: str, tmp_path: Path) -> None:
    pictures = photographs(tmp_path / "pictures")
    rough, smooth = tmp_path / "rough.safetensors", tmp_path / "smooth.safetensors"
    save_noisy(rough, noisy_network(), tune)
    side, steps = (64, 450) if tune == "mse" else (192, 120)  # MS-SSIM has five scales
    count = ["--crops", "16", "--held-out", "8", "--batch", "4", "--crop", str(side), "--steps", str(steps)]
    printed = command("polish", "--weights", rough, "--data", pictures, "--out", smooth, *count)
    said = json.loads(printed.splitlines()[-1])
    before, after = load_file(rough), load_file(smooth)
    changed = {name for name in before if not np.array_equal(before[name], after[name])}
    assert changed
    assert all(name.startswith(SYNTHESIS) for name in changed)
    assert {name: a.dtype for name, a in before.items()} == {name: a.dtype for name, a in after.items()}
    models = [load_model(path, CPU) for path in (rough, smooth)]
    assert models[1].card["polish"] == said
    assert models[1].card["data"] == "noise"
    source = np.ascontiguousarray(skimage.data.astronaut()[:192, 100:292])
    codecs = [ResnetCodec(RESNET, model) for model in models]
    coded = [codec.encoder.encode(source, 2 << 8) for codec in codecs]
    np.testing.assert_array_equal(coded[0].symbols, coded[1].symbols)
    np.testing.assert_array_equal(coded[0].ids, coded[1].ids)
    if tune == "mse":
        assert squared_error(codecs[1], source) < 0.97 * squared_error(codecs[0], source)
    assert said["held_out_after"] < 0.99 * said["held_out_before"]
