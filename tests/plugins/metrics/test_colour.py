"""PSNR-YUV and CIEDE2000 against published numbers and their formulas."""

from __future__ import annotations

import math
from typing import Any

import benchbox_metrics
import numpy as np
import pytest
from distorted import jpeg, sixteen
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image as PillowImage

from benchbox.errors import ImageError, NotApplicable
from benchbox.image import Image

METRICS = {m.id: m for m in benchbox_metrics.benchbox_metrics() if m.id in ("psnr-y", "psnr-yuv", "ciede2000")}
COLOUR = ("psnr-yuv", "ciede2000")

# Sharma, Wu, Dalal 2005, table 1: L*, a*, b* of two colours and their CIEDE2000.
SHARMA = (
    (50, 2.6772, -79.7751, 50, 0, -82.7485, 2.0425), (50, 3.1571, -77.2803, 50, 0, -82.7485, 2.8615),
    (50, 2.8361, -74.0200, 50, 0, -82.7485, 3.4412), (50, -1.3802, -84.2814, 50, 0, -82.7485, 1.0000),
    (50, -1.1848, -84.8006, 50, 0, -82.7485, 1.0000), (50, -0.9009, -85.5211, 50, 0, -82.7485, 1.0000),
    (50, 0, 0, 50, -1, 2, 2.3669), (50, -1, 2, 50, 0, 0, 2.3669),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0009, 7.1792), (50, 2.4900, -0.0010, 50, -2.4900, 0.0010, 7.1792),
    (50, 2.4900, -0.0010, 50, -2.4900, 0.0011, 7.2195), (50, 2.4900, -0.0010, 50, -2.4900, 0.0012, 7.2195),
    (50, -0.0010, 2.4900, 50, 0.0009, -2.4900, 4.8045), (50, -0.0010, 2.4900, 50, 0.0010, -2.4900, 4.8045),
    (50, -0.0010, 2.4900, 50, 0.0011, -2.4900, 4.7461), (50, 2.5, 0, 50, 0, -2.5, 4.3065),
    (50, 2.5, 0, 73, 25, -18, 27.1492), (50, 2.5, 0, 61, -5, 29, 22.8977), (50, 2.5, 0, 56, -27, -3, 31.9030),
    (50, 2.5, 0, 58, 24, 15, 19.4535), (50, 2.5, 0, 50, 3.1736, 0.5854, 1.0000), (50, 2.5, 0, 50, 3.2972, 0, 1.0000),
    (50, 2.5, 0, 50, 1.8634, 0.5757, 1.0000), (50, 2.5, 0, 50, 3.2592, 0.3350, 1.0000),
    (60.2574, -34.0099, 36.2677, 60.4626, -34.1751, 39.4387, 1.2644),
    (63.0109, -31.0961, -5.8663, 62.8187, -29.7946, -4.0864, 1.2630),
    (61.2901, 3.7196, -5.3901, 61.4292, 2.2480, -4.9620, 1.8731),
    (35.0831, -44.1164, 3.7933, 35.0232, -40.0716, 1.5901, 1.8645),
    (22.7233, 20.0904, -46.6940, 23.0331, 14.9730, -42.5619, 2.0373),
    (36.4612, 47.8580, 18.3852, 36.2715, 50.5065, 21.2231, 1.4146),
    (90.8027, -2.0831, 1.4410, 91.1528, -1.6435, 0.0447, 1.4441),
    (90.9257, -0.5406, -0.9208, 88.6381, -0.8985, -0.7239, 1.5381),
    (6.7747, -0.2908, -2.4247, 5.8714, -0.0985, -2.2286, 0.6377),
    (2.0776, 0.0795, -1.1350, 0.9033, -0.0636, -0.5514, 0.9082),
)  # fmt: skip

# CIELAB (D65, 2 degrees) of sRGB's corners, as commonly printed to two digits.
CORNERS = {(255, 0, 0): (53.24, 80.09, 67.20), (0, 255, 0): (87.73, -86.18, 83.18),
           (0, 0, 255): (32.30, 79.19, -107.86), (255, 255, 255): (100, 0, 0), (0, 0, 0): (0, 0, 0)}  # fmt: skip


def score(metric: str, reference: Image, image: Image) -> float:
    return METRICS[metric].open("cpu").prepare(reference).score(image)


def plane_errors(one: Image, other: Image) -> Any:
    """Sums of squared errors of the three planes, in exact integers."""
    error = one.astype(object) - other.astype(object)
    return ((error @ np.array(((299, 587, 114), (-299, -587, 886), (701, -587, -114)), object).T) ** 2).sum(axis=(0, 1))


# CIEDE2000


def test_ciede2000_gives_the_34_published_differences() -> None:
    scorer: Any = METRICS["ciede2000"].open("cpu")
    table = np.array(SHARMA)
    assert table.shape == (34, 7)
    np.testing.assert_allclose(scorer.difference(table[:, :3], table[:, 3:6]), table[:, 6], atol=5.01e-5)
    np.testing.assert_allclose(scorer.difference(table[:, 3:6], table[:, :3]), table[:, 6], atol=5.01e-5)


@pytest.mark.parametrize("rgb", CORNERS)
def test_cielab_of_the_corners_of_srgb(rgb: tuple[int, int, int]) -> None:
    scorer: Any = METRICS["ciede2000"].open("cpu")
    for pixels in (np.full((1, 2, 3), rgb, np.uint8), np.full((3, 1, 3), rgb, np.uint16) * np.uint16(257)):
        lab = scorer.lab(pixels)
        assert lab.shape == (pixels.shape[0] * pixels.shape[1], 3)
        np.testing.assert_allclose(lab, np.broadcast_to(CORNERS[rgb], lab.shape), atol=0.02)


def test_ciede2000_is_the_mean_over_all_pixels(photo: Image) -> None:
    scorer: Any = METRICS["ciede2000"].open("cpu")
    tall = np.ascontiguousarray(np.concatenate([photo] * 3)[:, :123])  # more than one block of pixels, and a part
    image = jpeg(tall, 30)
    whole = scorer.difference(scorer.lab(tall), scorer.lab(image))
    assert whole.shape == (tall.shape[0] * tall.shape[1],)
    assert len(whole) > 1 << 14
    assert score("ciede2000", tall, image) == pytest.approx(whole.mean(), rel=1e-12)
    assert 1 < whole.mean() < 10


def test_ciede2000_sees_colour_where_psnr_y_sees_nothing() -> None:
    reference = np.full((5, 7, 3), (100, 120, 140), np.uint8)
    image = np.full((5, 7, 3), (119, 111, 136), np.uint8)  # luma apart by 0.06 of 255
    assert score("psnr-y", reference, image) > 60
    assert score("ciede2000", reference, image) > 10


def test_ciede2000_of_identical_pictures_is_0(photo: Image) -> None:
    assert score("ciede2000", photo, photo.copy()) == 0


# PSNR-YUV


def test_psnr_yuv_is_its_formula(photo: Image) -> None:
    image = jpeg(photo, 40)
    error = image.astype(float) - photo
    y = error @ [0.299, 0.587, 0.114]
    planes = (y, (error[:, :, 2] - y) / 1.772, (error[:, :, 0] - y) / 1.402)
    psnr = [10 * math.log10(255**2 / (plane**2).mean()) for plane in planes]
    assert score("psnr-yuv", photo, image) == pytest.approx((6 * psnr[0] + psnr[1] + psnr[2]) / 8, abs=1e-10)
    assert score("psnr-y", photo, image) == pytest.approx(psnr[0], abs=1e-10)


def test_the_planes_of_psnr_yuv_are_those_of_jpeg(photo: Image) -> None:
    """PSNRs of Pillow's YCbCr, rounded to whole numbers, weighted 6:1:1."""
    image = jpeg(photo, 10)
    a, b = (np.asarray(PillowImage.fromarray(part).convert("YCbCr"), float) for part in (photo, image))
    psnr = 10 * np.log10(255**2 / ((a - b) ** 2).mean(axis=(0, 1)))
    assert score("psnr-yuv", photo, image) == pytest.approx(float(psnr @ [6, 1, 1]) / 8, abs=0.02)


def test_psnr_yuv_has_no_value_without_chroma_or_without_error(photo: Image) -> None:
    scorer = METRICS["psnr-yuv"].open("cpu")
    with pytest.raises(NotApplicable, match="gray has no chroma"):
        scorer.prepare(np.ascontiguousarray(photo[:, :, :1]))
    brighter = photo // 2 + np.uint8(3)
    with pytest.raises(NotApplicable, match="Cb is identical"):
        scorer.prepare(np.ascontiguousarray(photo // 2)).score(brighter)
    with pytest.raises(NotApplicable, match="Y' is identical"):
        scorer.prepare(photo).score(photo.copy())


def test_psnr_yuv_at_16_bits_does_not_overflow() -> None:
    reference = np.zeros((4, 6, 3), np.uint16)
    image = reference + np.array([65535, 0, 65535], np.uint16)
    planes = (0.299 + 0.114, 0.5 - 0.299 / 1.772, 0.5 - 0.114 / 1.402)
    expected = sum(w * -20 * math.log10(plane) for w, plane in zip((6, 1, 1), planes, strict=True)) / 8
    assert score("psnr-yuv", reference, np.ascontiguousarray(image)) == pytest.approx(expected, abs=1e-9)


# Both


@pytest.mark.parametrize("metric", COLOUR)
def test_a_16_bit_copy_scores_like_the_8_bit_one(metric: str, photo: Image) -> None:
    image = jpeg(photo, 30)
    assert score(metric, sixteen(photo), sixteen(image)) == pytest.approx(score(metric, photo, image), abs=1e-9)


@pytest.mark.parametrize("metric", COLOUR)
def test_16_bits_are_not_reduced_to_8(metric: str, photo: Image) -> None:
    reference = np.asarray(photo.astype(np.uint16) * 256 + 100, dtype=np.uint16)
    image = reference.copy()
    image[::2, ::3, 1] += 27  # gone after a shift by 8 bits
    value = score(metric, reference, image)
    assert 0 < value < 0.02 or (metric == "psnr-yuv" and value > 60)


def test_ciede2000_of_gray_is_that_of_three_equal_channels(photo: Image) -> None:
    gray = np.ascontiguousarray(photo[:, :, :1])
    image = np.ascontiguousarray(jpeg(photo, 30)[:, :, :1])
    colour = score("ciede2000", np.repeat(gray, 3, axis=2), np.repeat(image, 3, axis=2))
    assert score("ciede2000", gray, image) == pytest.approx(colour, abs=1e-9)


@pytest.mark.parametrize("metric", COLOUR)
@pytest.mark.parametrize(("height", "width"), [(1, 1), (7, 5), (1, 300)])
def test_awkward_sizes_have_a_value(metric: str, height: int, width: int) -> None:
    rng = np.random.default_rng(height * width)
    reference, image = (rng.integers(0, 256, (height, width, 3), dtype=np.uint8) for _ in range(2))
    assert math.isfinite(score(metric, reference, image))


@pytest.mark.parametrize("metric", COLOUR)
def test_pictures_that_do_not_fit_are_refused_by_name(metric: str) -> None:
    scorer = METRICS[metric].open("cpu")
    with pytest.raises(ImageError, match=f"{metric}: needs gray or RGB"):
        scorer.prepare(np.zeros((20, 20, 4), np.uint8))
    prepared = scorer.prepare(np.zeros((20, 21, 3), np.uint8))
    for shape, dtype in (((21, 20, 3), np.uint8), ((20, 21, 1), np.uint8), ((20, 21, 3), np.uint16)):
        with pytest.raises(ImageError, match=f"{metric}: the decoded picture is .* the reference 20x21x3 uint8"):
            prepared.score(np.zeros(shape, dtype))


@settings(max_examples=30)
@given(st.data())
def test_scores_are_finite_symmetric_and_not_negative(data: st.DataObject) -> None:
    shape = (data.draw(st.integers(1, 20)), data.draw(st.integers(1, 20)), 3)
    dtype = data.draw(st.sampled_from([np.uint8, np.uint16]))
    one, other = (data.draw(arrays.arrays(dtype, shape)) for _ in range(2))
    for metric in COLOUR:
        if metric == "psnr-yuv" and (plane_errors(one, other) == 0).any():
            with pytest.raises(NotApplicable, match="identical"):
                score(metric, one, other)
            continue
        value, back = score(metric, one, other), score(metric, other, one)
        assert math.isfinite(value)
        assert value >= 0
        assert back == pytest.approx(value, abs=1e-9)
