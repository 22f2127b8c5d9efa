"""The Pillow codecs against the literature and at their limits. The conformance kit runs over them in
tests/plugins/test_conformance.py."""

from __future__ import annotations

import io
import json
from itertools import pairwise
from pathlib import Path

import bjontegaard
import numpy as np
import pytest
from PIL import AvifImagePlugin, ImageFile
from PIL import Image as PillowImage
from pillow_codecs import CODECS, FORMATS, LOSSY, middle, opened, psnr, stream

from benchbox import testing
from benchbox.errors import CodecError, CorruptBitstream, UnsupportedImageError
from benchbox.image import Image, read


def test_the_seven_codecs() -> None:
    assert sorted(CODECS) == sorted(FORMATS)


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


def test_avif_leaves_pillows_thread_setting_alone() -> None:
    before = AvifImagePlugin.DEFAULT_MAX_THREADS
    codec = opened("avif")
    codec.decode(stream("avif"))
    with pytest.raises(CorruptBitstream):
        codec.decode(b"no AVIF")
    assert before == AvifImagePlugin.DEFAULT_MAX_THREADS
