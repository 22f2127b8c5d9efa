"""The Pillow codecs: against the literature, at their limits, and on bytes that are no streams. The conformance kit
runs over them in tests/plugins/test_conformance.py."""

from __future__ import annotations

import io
import json
import struct
import subprocess
import sys
import warnings
import zlib
from itertools import pairwise
from pathlib import Path
from typing import Any

import bjontegaard
import numpy as np
import PIL
import pytest
from benchbox_pillow import benchbox_codecs
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import AvifImagePlugin, ImageFile, features
from PIL import Image as PillowImage

from benchbox import testing
from benchbox.codec import Codec
from benchbox.errors import (
    CodecError,
    CodecUnavailableError,
    CorruptBitstream,
    OptionError,
    QualityError,
    UnsupportedImageError,
)
from benchbox.image import Image, read

CODECS = {info.id: info for info in benchbox_codecs()}
LOSSY = [name for name, info in CODECS.items() if not info.capabilities.lossless]
FORMATS = {"jpeg": "JPEG", "webp": "WEBP", "webp-lossless": "WEBP", "avif": "AVIF", "jpeg2000": "JPEG2000",
           "jpeg2000-lossless": "JPEG2000", "png": "PNG"}


def opened(name: str, **options: Any) -> Codec:
    info = CODECS[name]
    reason = info.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return info.open(info.parse_options(options), "cpu")


def middle(name: str, **options: Any) -> float | None:
    axis = CODECS[name].axis(CODECS[name].parse_options(options))
    return axis.values[len(axis.values) // 2] if axis else None


def stream(name: str, pixels: Image | None = None) -> bytes:
    return opened(name).encode(testing.picture(24, 32, 3, 8) if pixels is None else pixels, middle(name))


def psnr(one: Image, other: Image) -> float:
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))


def test_the_seven_codecs() -> None:
    assert sorted(CODECS) == sorted(FORMATS)


# ------------------------------------------------------------------------------------------------ against others


def test_jpeg_is_what_pillow_writes_by_default(photo: Image) -> None:
    for quality in (1, 5, 50, 75, 95, 100):
        buffer = io.BytesIO()
        PillowImage.fromarray(photo).save(buffer, "JPEG", quality=quality)
        assert opened("jpeg").encode(photo, quality) == buffer.getvalue()


@pytest.mark.slow
@pytest.mark.parametrize(("name", "entry"), [("jpeg", "JPEG [jpeg]"), ("webp", "WebP [webp]")])
def test_agrees_with_compressai_on_kodak(name: str, entry: str, kodak: Path, literature: Path) -> None:
    """CompressAI's published curves (Pillow 7.1.2, default settings, quality 5 to 95 in steps of 5), point by point."""
    curves = json.loads((literature / "kodak.json").read_text())
    published = next(c for c in curves if c["codec"] == entry and "CompressAI" in c["source"])
    pictures = [read(path).pixels for path in sorted(kodak.glob("kodim*.png"))]
    assert len(pictures) == 24
    codec = opened(name)
    curve = []
    for index, quality in enumerate(range(5, 100, 5)):
        streams = [codec.encode(pixels, quality) for pixels in pictures]
        bpp = np.mean([8 * len(data) / pixels[:, :, 0].size for data, pixels in zip(streams, pictures, strict=True)])
        value = np.mean([psnr(codec.decode(data), pixels) for data, pixels in zip(streams, pictures, strict=True)])
        assert bpp == pytest.approx(published["bpp"][index], rel=0.005), f"quality {quality}"
        assert value == pytest.approx(published["psnr_rgb"][index], abs=0.2), f"quality {quality}"
        curve.append((bpp, value))
    rates, values = (np.array(column) for column in zip(*curve, strict=True))
    published_rates, published_values = np.array(published["bpp"]), np.array(published["psnr_rgb"])
    assert abs(bjontegaard.bd_rate(published_rates, published_values, rates, values, method="pchip")) < 3


@pytest.mark.slow
@pytest.mark.parametrize("name", LOSSY)
def test_axis_spans_the_usable_rates_on_kodak(name: str, kodak: Path) -> None:
    """Rising in size on each of six pictures, and in their mean from below 0.35 to above 2.4 bpp."""
    codec = opened(name)
    axis = CODECS[name].axis(CODECS[name].parse_options({}))
    assert axis is not None
    assert 10 <= len(axis.values) <= 14
    rates = []
    for path in sorted(kodak.glob("kodim*.png"))[::4]:
        pixels = read(path).pixels
        sizes = [len(codec.encode(pixels, value)) for value in axis.values]
        assert all(one < other for one, other in pairwise(sizes)), path.name
        rates.append(8 * np.array(sizes) / pixels[:, :, 0].size)
    mean = np.mean(rates, axis=0)
    assert mean[0] < 0.35
    assert 2.4 < mean[-1] < 4.5


def test_jpeg2000_meets_what_its_axis_asks(photo: Image) -> None:
    for value in (26, 34, 38):
        data = opened("jpeg2000").encode(photo, value)
        assert psnr(opened("jpeg2000").decode(data), photo) == pytest.approx(value, abs=0.6)
    by_rate = opened("jpeg2000", by="rate")
    for rate in (0.3, 1, 3):
        assert 8 * len(by_rate.encode(photo, rate)) / photo[:, :, 0].size == pytest.approx(rate, rel=0.08)


# ---------------------------------------------------------------------------------------- what is taken, what is not


@pytest.mark.parametrize(("name", "channels", "bits"), [
    ("jpeg", 4, 8), ("jpeg", 1, 16), ("webp", 1, 8), ("webp", 3, 16), ("webp-lossless", 1, 8), ("avif", 3, 16),
    ("png", 3, 16), ("png", 4, 16), ("jpeg2000", 3, 16), ("jpeg2000-lossless", 4, 16),
])  # fmt: skip
def test_what_would_not_come_back_is_declined(name: str, channels: int, bits: int) -> None:
    with pytest.raises(UnsupportedImageError, match=f"^{name}: "):
        opened(name).encode(testing.picture(9, 8, channels, bits), middle(name))


@pytest.mark.parametrize("name", ["webp", "webp-lossless", "avif"])
def test_opaque_alpha_is_declined_where_it_would_be_dropped(name: str) -> None:
    pixels = testing.picture(9, 8, 4, 8).copy()
    pixels[:, :, 3] = 255
    with pytest.raises(UnsupportedImageError, match="opaque alpha"):
        opened(name).encode(pixels, middle(name))
    pixels[4, 4, 3] = 254
    assert opened(name).decode(opened(name).encode(pixels, middle(name))).shape == pixels.shape


def test_lossless_webp_keeps_colour_under_alpha_zero() -> None:
    pixels = testing.noise(20, 20, 4, 8)
    pixels[:, :, 3] = 0
    codec = opened("webp-lossless")
    assert np.array_equal(codec.decode(codec.encode(pixels, None)), pixels)


def test_gray_avif_is_monochrome_and_smaller() -> None:
    gray = testing.picture(64, 64, 1, 8)
    codec = opened("avif")
    data = codec.encode(gray, 50)
    assert codec.decode(data).shape == (64, 64, 1)
    colour = np.ascontiguousarray(np.repeat(gray, 3, axis=2))
    assert codec.decode(codec.encode(colour, 50)).shape == (64, 64, 3)


@pytest.mark.parametrize(("name", "longest"), [("jpeg", 65500), ("webp", 16383), ("webp-lossless", 16383),
                                               ("avif", 32768)])
def test_longest_side(name: str, longest: int) -> None:
    codec = opened(name, **({"speed": 10} if name == "avif" else {}))
    for shape in ((1, longest, 3), (longest, 1, 3)):
        pixels = np.zeros(shape, np.uint8)
        assert codec.decode(codec.encode(pixels, middle(name))).shape == shape
    with pytest.raises(UnsupportedImageError, match=str(longest + 1)):
        codec.encode(np.zeros((1, longest + 1, 3), np.uint8), middle(name))


@pytest.mark.parametrize("options", [{"optimize": True}, {"progressive": True}])
def test_jpeg_of_noise_in_one_piece(options: dict[str, bool]) -> None:
    before = ImageFile.MAXBLOCK
    pixels = testing.noise(700, 900, 3, 8)
    codec = opened("jpeg", subsampling="4:4:4", **options)
    assert codec.decode(codec.encode(pixels, 100)).shape == pixels.shape
    assert before == ImageFile.MAXBLOCK


def test_encoding_that_fails_names_the_codec() -> None:
    info = CODECS["avif"]
    unknown_to_aom = info.parse_options({}).model_copy(update={"tune": "no such tune"})
    with pytest.raises(CodecError, match=r"^avif: AVIF \(libavif, aom\) could not encode: "):
        info.open(unknown_to_aom, "cpu").encode(testing.picture(9, 8, 3, 8), 50)


# -------------------------------------------------------------------------------------------------- qualities, options


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
    ("webp", {"method": "7"}, "less than or equal to 6"),
    ("avif", {"speed": "-1"}, "greater than or equal to 0"),
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


def test_avif_leaves_pillows_thread_setting_alone() -> None:
    before = AvifImagePlugin.DEFAULT_MAX_THREADS
    codec = opened("avif")
    codec.decode(stream("avif"))
    with pytest.raises(CorruptBitstream):
        codec.decode(b"no AVIF")
    assert before == AvifImagePlugin.DEFAULT_MAX_THREADS


# ------------------------------------------------------------------------------------------------- damaged, foreign


@pytest.mark.parametrize("name", CODECS)
def test_streams_of_other_formats_are_refused(name: str) -> None:
    for other in CODECS:
        if FORMATS[other] != FORMATS[name]:
            with pytest.raises(CorruptBitstream, match=f"^{name}: "):
                opened(name).decode(stream(other))


@pytest.mark.parametrize("name", CODECS)
def test_every_truncation_is_refused(name: str) -> None:
    codec, data = opened(name), stream(name)
    for kept in range(len(data)):
        with pytest.raises(CorruptBitstream):
            codec.decode(data[:kept])


@pytest.mark.parametrize("name", CODECS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_damage_raises_nothing_else(name: str, data: st.DataObject) -> None:
    """Bytes overwritten, inserted or removed anywhere: a picture, or CorruptBitstream."""
    sound = stream(name)
    place = data.draw(st.integers(0, len(sound) - 1))
    removed = data.draw(st.integers(0, 8))
    put = data.draw(st.binary(max_size=8))
    try:
        decoded = opened(name).decode(sound[:place] + put + sound[place + removed:])
    except CorruptBitstream:
        return
    assert decoded.ndim == 3
    assert decoded.shape[2] in (1, 3, 4)


def _png(width: int, height: int) -> bytes:
    def chunk(kind: bytes, body: bytes) -> bytes:
        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    head = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0))
    return b"\x89PNG\r\n\x1a\n" + head + chunk(b"IDAT", zlib.compress(bytes(10))) + chunk(b"IEND", b"")


def _patched(data: bytes, mark: bytes, offset: int, size: bytes) -> bytes:
    place = data.index(mark) + offset
    return data[:place] + size + data[place + len(size):]


def oversized(name: str) -> bytes:
    """A small stream whose header claims 20,000 x 20,000 (WebP: 16,383 x 16,383)."""
    data = stream(name)
    if FORMATS[name] == "PNG":
        return _png(20000, 20000)
    if FORMATS[name] == "JPEG":
        return _patched(data, b"\xff\xc0", 5, struct.pack(">HH", 20000, 20000))
    if FORMATS[name] == "AVIF":
        return _patched(data, b"ispe", 8, struct.pack(">II", 20000, 20000))
    if FORMATS[name] == "JPEG2000":
        data = _patched(data, b"ihdr", 4, struct.pack(">II", 20000, 20000))
        return _patched(data, b"\xff\x4f\xff\x51", 8, struct.pack(">II", 20000, 20000))
    if data[12:16] == b"VP8L":
        return _patched(data, b"\x2f", 1, struct.pack("<I", 16382 | 16382 << 14))
    return _patched(data, b"\x9d\x01\x2a", 3, struct.pack("<HH", 16383, 16383))


@pytest.mark.parametrize("name", CODECS)
def test_oversized_headers_are_refused(name: str) -> None:
    with pytest.raises(CorruptBitstream):
        opened(name).decode(oversized(name))


def test_deep_or_palette_png_is_no_stream_of_ours() -> None:
    for picture in (PillowImage.new("P", (4, 4)), PillowImage.new("LA", (4, 4)), PillowImage.new("1", (4, 4))):
        buffer = io.BytesIO()
        picture.save(buffer, "PNG")
        with pytest.raises(CorruptBitstream):
            opened("png").decode(buffer.getvalue())
    deep = _patched(_png(1, 1), b"IHDR", 12, b"\x10")
    with pytest.raises(CorruptBitstream):
        opened("png").decode(deep)


def test_animations_are_no_streams_of_ours() -> None:
    frames = [PillowImage.new("RGB", (8, 8), colour) for colour in ("red", "blue")]
    for name in ("webp", "avif", "png"):
        buffer = io.BytesIO()
        frames[0].save(buffer, FORMATS[name], save_all=True, append_images=frames[1:])
        with pytest.raises(CorruptBitstream, match="2 frames"):
            opened(name).decode(buffer.getvalue())


def test_pictures_between_pillows_warning_and_ours_decode() -> None:
    """Pillow warns above 89 million pixels; that is no damage, and with warnings as errors none either."""
    pixels = np.zeros((9000, 10000, 1), np.uint8)
    codec = opened("png", compress_level=1)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert codec.decode(codec.encode(pixels, None)).shape == pixels.shape
