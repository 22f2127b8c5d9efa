"""Qualities and options of the Pillow codecs, their identity, and a Pillow without a library."""

from __future__ import annotations

import subprocess
import sys
from typing import Any

import PIL
import pytest
from PIL import AvifImagePlugin, features
from pillow_codecs import CODECS, middle, opened

from benchbox import testing
from benchbox.errors import CodecUnavailableError, OptionError, QualityError
from benchbox.image import Image


def test_qualities() -> None:
    pixels = testing.picture(9, 8, 3, 8)
    with pytest.raises(QualityError, match="png: a lossless codec takes no quality, got 3"):
        opened("png").encode(pixels, 3)
    with pytest.raises(QualityError, match="jpeg: needs a quality of 1 to 100"):
        opened("jpeg").encode(pixels, None)
    with pytest.raises(QualityError, match="jpeg: quality 101 is out of range"):
        opened("jpeg").encode(pixels, 101)
    with pytest.raises(QualityError, match=r"avif: quality 1\.5 is not a whole number"):
        opened("avif").encode(pixels, 1.5)


@pytest.mark.parametrize(("name", "options", "message"), [
    ("jpeg", {"subsample": "4:4:4"}, "did you mean 'subsampling'"),
    ("jpeg", {"subsampling": "4:1:1"}, "'4:2:0', '4:2:2' or '4:4:4'"),
    ("webp", {"method": "7"}, "webp: option method='7': must be at most 6"),
    ("avif", {"speed": "-1"}, "avif: option speed='-1': must be at least 0"),
    ("jpeg2000", {"by": "size"}, "'psnr' or 'rate'"),
])
def test_options_are_validated(name: str, options: dict[str, Any], message: str) -> None:
    with pytest.raises(OptionError, match=message):
        CODECS[name].parse_options(options)


@pytest.mark.parametrize(("name", "options"), [
    ("jpeg", {"subsampling": "4:4:4"}), ("jpeg", {"subsampling": "4:2:2"}), ("jpeg", {"progressive": True}),
    ("jpeg", {"optimize": True}), ("webp", {"method": 0}), ("webp-lossless", {"method": 0}),
    ("webp-lossless", {"effort": 0}), ("avif", {"speed": 9}), ("avif", {"subsampling": "4:4:4"}),
    ("avif", {"tune": "psnr"}), ("jpeg2000", {"resolutions": 2}), ("jpeg2000-lossless", {"resolutions": 1}),
    ("png", {"compress_level": 1}), ("png", {"optimize": True}),
])  # fmt: skip
def test_every_option_reaches_the_encoder(name: str, options: dict[str, Any], photo: Image) -> None:
    usual = opened(name).encode(photo, middle(name))
    assert opened(name, **options).encode(photo, middle(name)) != usual


def test_webp_alpha_quality_reaches_the_encoder() -> None:
    pixels = testing.picture(64, 64, 4, 8).copy()
    pixels[:, :, 3] = testing.noise(64, 64, 1, 8)[:, :, 0]
    assert len(opened("webp", alpha_quality=10).encode(pixels, 50)) < len(opened("webp").encode(pixels, 50))


def test_identity_tells_plugin_and_libraries() -> None:
    jpeg, avif = (CODECS[name].identity(CODECS[name].parse_options({})) for name in ("jpeg", "avif"))
    assert jpeg == f"benchbox_pillow 1 Pillow {PIL.__version__} libjpeg-turbo {features.version('libjpeg_turbo')}"
    assert f"aom {AvifImagePlugin.get_codec_version('aom')}" in avif
    assert f"dav1d {AvifImagePlugin.get_codec_version('dav1d')}" in avif


def test_a_library_that_pillow_lacks(monkeypatch: pytest.MonkeyPatch) -> None:
    # A Pillow without AVIF cannot be had here; what its `features` would say is put in its place.
    monkeypatch.setattr(features, "check", lambda name: name != "avif")
    info = CODECS["avif"]
    assert info.unavailable() == ("this Pillow was built without libavif; "
                                  "run: pip install --force-reinstall 'pillow>=12'")
    with pytest.raises(CodecUnavailableError, match="avif: this Pillow was built without libavif"):
        info.open(info.parse_options({}), "cpu")
    assert CODECS["jpeg"].unavailable() is None
    monkeypatch.undo()
    monkeypatch.setattr(AvifImagePlugin, "get_codec_version", lambda name: None)
    assert "without aom" in str(info.unavailable())


def test_listing_imports_neither_pil_nor_numba() -> None:
    code = ("import sys, benchbox_pillow; benchbox_pillow.benchbox_codecs(); "
            "sys.exit(', '.join({'PIL', 'numba', 'torch'} & set(sys.modules)) or 0)")
    done = subprocess.run([sys.executable, "-P", "-c", code], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
