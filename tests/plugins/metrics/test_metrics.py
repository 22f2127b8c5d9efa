"""PSNR, PSNR-Y, SSIM and MS-SSIM: their formulas, depths and channels, pictures without a value, their properties."""

from __future__ import annotations

import itertools
import math
import subprocess
import sys
from typing import Any

import benchbox_metrics
import numpy as np
import pytest
import skimage.metrics
from benchbox_metrics.psnr import compiled_squared_error, differences, squared_sum
from distorted import jpeg, noisy
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from benchbox.errors import ImageError, NotApplicable
from benchbox.image import Image
from benchbox.metric import Metric

OFFERED = {metric.id: metric for metric in benchbox_metrics.benchbox_metrics()}

METRICS = {name: OFFERED[name] for name in ("psnr", "psnr-y", "ssim", "ms-ssim")}


def score(metric: str, reference: Image, image: Image) -> float:
    return METRICS[metric].open("cpu").prepare(reference).score(image)


def test_the_plugin_offers_its_metrics() -> None:
    assert list(OFFERED) == ["psnr", "psnr-y", "psnr-yuv", "ssim", "ms-ssim", "ciede2000", "vmaf", "vmaf-neg",
                             "psnr-hvs", "lpips", "ssimulacra2", "butteraugli", "butteraugli-3norm"]
    assert METRICS["ms-ssim"].column == "ms_ssim"
    assert METRICS["ms-ssim"].display.transform == "db"


def test_listing_the_metrics_imports_neither_numba_nor_scikit_image() -> None:
    code = ("import sys, benchbox_metrics; benchbox_metrics.benchbox_metrics(); "
            "sys.exit(' '.join({'numba', 'skimage', 'torch', 'pandas'} & set(sys.modules)) or None)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_psnr_is_its_formula(photo: Image) -> None:
    image = jpeg(photo, 40)
    d = image.astype(float) - photo
    assert score("psnr", photo, image) == pytest.approx(10 * math.log10(255**2 / (d**2).mean()), abs=1e-12)
    luma = d @ [0.299, 0.587, 0.114]
    assert score("psnr-y", photo, image) == pytest.approx(10 * math.log10(255**2 / (luma**2).mean()), abs=1e-10)


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
@pytest.mark.parametrize("shape", [(1, 1, 1), (7, 5, 3), (190, 175, 1), (301, 333, 3)])
def test_the_compiled_and_the_plain_squared_error_are_the_same_number(
    shape: tuple[int, int, int], dtype: type[np.unsignedinteger[Any]]
) -> None:
    rng = np.random.default_rng(shape[0])
    most = np.iinfo(dtype).max
    noise = rng.integers(0, most, shape, endpoint=True).astype(dtype)
    pictures: list[Image] = [noise, np.zeros(shape, dtype), np.full(shape, most, dtype)]
    for a, b in itertools.combinations(pictures, 2):
        exact = int(((a.astype(np.int64) - b.astype(np.int64)) ** 2).sum())
        plain: float = sum(squared_sum(run) for run in differences(a, b))
        assert plain == exact
        assert compiled_squared_error(a, b) == exact


def test_psnr_alone_starts_no_compiler() -> None:
    code = ("import sys, numpy as np\n"
            "from benchbox_metrics.psnr import PSNR\n"
            "black = np.zeros((9, 9, 3), np.uint8)\n"
            "print(PSNR.open('cpu').prepare(black).score(black + 1), 'numba' in sys.modules)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stdout.split() == [str(20 * math.log10(255)), "False"], done.stderr


def test_psnr_agrees_with_scikit_image(photo: Image) -> None:
    image = jpeg(photo, 40)
    peer: Any = skimage.metrics.peak_signal_noise_ratio  # untyped
    theirs = peer(photo, image)
    assert score("psnr", photo, image) == pytest.approx(theirs, abs=1e-10)


def test_the_luma_of_psnr_y_is_that_of_jpeg(photo: Image) -> None:
    image = jpeg(photo, 10)
    a, b = (np.asarray(PillowImage.fromarray(part).convert("YCbCr"))[:, :, :1] for part in (photo, image))
    rounded = score("psnr", a.copy(), b.copy())
    assert score("psnr-y", photo, image) == pytest.approx(rounded, abs=0.01)
    assert abs(score("psnr", photo, image) - rounded) > 0.1


def test_ssim_agrees_with_pytorch_msssim_single_scale(photo: Image) -> None:
    torch = pytest.importorskip("torch")
    pytorch_msssim = pytest.importorskip("pytorch_msssim")
    image = jpeg(photo, 40)
    a, b = (torch.from_numpy(part.transpose(2, 0, 1)[None].astype(float)) for part in (photo, image))
    theirs = float(pytorch_msssim.ssim(a, b, data_range=255))
    assert score("ssim", photo, image) == pytest.approx(theirs, abs=1e-5)


@pytest.mark.parametrize("metric", METRICS)
def test_a_16_bit_copy_scores_like_the_8_bit_one(metric: str, photo: Image) -> None:
    image = jpeg(photo, 30)
    deep = score(metric, photo.astype(np.uint16) * 257, image.astype(np.uint16) * 257)
    assert deep == pytest.approx(score(metric, photo, image), abs=1e-9)


@pytest.mark.parametrize("metric", METRICS)
def test_16_bits_are_not_reduced_to_8(metric: str, photo: Image) -> None:
    reference = photo.astype(np.uint16) * 256 + 100
    image = reference.copy()
    image[::2, ::3] += 27  # gone after a shift by 8 bits
    value = score(metric, reference, image)
    assert value < 1 or METRICS[metric].unit == "dB"
    assert value > 0.999


@pytest.mark.parametrize("metric", METRICS)
def test_gray_scores_like_rgb_of_three_equal_channels(metric: str, photo: Image) -> None:
    gray = photo[:, :, 1:2].copy()
    image = jpeg(gray, 30)
    colour = score(metric, np.repeat(gray, 3, axis=2), np.repeat(image, 3, axis=2))
    assert score(metric, gray, image) == pytest.approx(colour, abs=1e-9)


@pytest.mark.parametrize("metric", ["psnr", "psnr-y"])
def test_psnr_of_identical_pictures_is_not_applicable(metric: str, photo: Image) -> None:
    with pytest.raises(NotApplicable, match=r"identical.*unbounded"):
        score(metric, photo, photo.copy())


def test_psnr_y_of_another_colour_of_the_same_luma_is_not_applicable() -> None:
    reference = np.full((4, 5, 3), 100, np.uint16)
    image = reference + np.array([587, 0, 0], np.uint16) - np.array([0, 299, 0], np.uint16)
    image = np.ascontiguousarray(image)
    reference[:, :, 1] += 299
    image[:, :, 1] += 299
    assert score("psnr", reference, image) > 0
    with pytest.raises(NotApplicable, match="luma is identical"):
        score("psnr-y", reference, image)


@pytest.mark.parametrize("metric", ["ssim", "ms-ssim"])
def test_similarity_of_identical_pictures_is_one(metric: str, photo: Image) -> None:
    assert score(metric, photo, photo.copy()) == 1


@pytest.mark.parametrize(("height", "width"), [(1, 1), (160, 160), (160, 4000), (161, 160), (2, 1)])
def test_ms_ssim_of_a_small_picture_is_not_applicable(height: int, width: int) -> None:
    scorer = METRICS["ms-ssim"].open("cpu")
    with pytest.raises(NotApplicable, match=f"{width}x{height} is too small for five scales.*161"):
        scorer.prepare(np.zeros((height, width, 3), np.uint8))


@pytest.mark.parametrize(("height", "width"), [(1, 1), (10, 10), (10, 400), (11, 10)])
def test_ssim_of_a_small_picture_is_not_applicable(height: int, width: int) -> None:
    with pytest.raises(NotApplicable, match=f"{width}x{height} is smaller than SSIM's window"):
        METRICS["ssim"].open("cpu").prepare(np.zeros((height, width, 1), np.uint8))


def test_the_smallest_pictures_that_have_a_value() -> None:
    for metric, side in (("psnr", 1), ("psnr-y", 1), ("ssim", 11), ("ms-ssim", 161)):
        for channels in (1, 3):
            reference = np.full((side, side, channels), 7, np.uint8)
            assert math.isfinite(score(metric, reference, reference + np.uint8(9)))


@pytest.mark.parametrize("metric", METRICS)
def test_pictures_that_do_not_fit_are_refused_by_name(metric: str) -> None:
    scorer = METRICS[metric].open("cpu")
    wrong: list[Any] = [np.zeros((200, 200, 4), np.uint8), np.zeros((200, 200), np.uint8), np.zeros((200, 200, 3))]
    for reference in wrong:
        with pytest.raises(ImageError, match=f"{metric}: needs gray or RGB"):
            scorer.prepare(reference)
    prepared = scorer.prepare(np.zeros((200, 210, 3), np.uint8))
    for shape, dtype in (((210, 200, 3), np.uint8), ((200, 210, 1), np.uint8), ((200, 210, 3), np.uint16)):
        image: Any = np.zeros(shape, dtype)
        with pytest.raises(ImageError, match=f"{metric}: the decoded picture is .* the reference 200x210x3 uint8"):
            prepared.score(image)


@pytest.mark.parametrize("metric", METRICS)
def test_a_prepared_reference_is_reusable_and_independent(metric: str, photo: Image) -> None:
    scorer = METRICS[metric].open("cpu")
    first, second = scorer.prepare(photo), scorer.prepare(np.ascontiguousarray(photo[::-1]))
    good, bad = jpeg(photo, 90), jpeg(photo, 10)
    values = [first.score(good), first.score(bad)]
    second.score(bad)
    assert [first.score(good), first.score(bad)] == values
    assert values[0] > values[1]


@pytest.mark.parametrize("metric", METRICS)
def test_scores_do_not_depend_on_memory_layout(metric: str, photo: Image) -> None:
    image = jpeg(photo, 30)
    value = score(metric, photo, image)
    assert score(metric, np.asfortranarray(photo), np.asfortranarray(image)) == value
    photo.setflags(write=False)
    assert score(metric, photo, image) == value
    photo.setflags(write=True)


@pytest.mark.parametrize("metric", METRICS)
def test_scores_are_symmetric(metric: str, photo: Image) -> None:
    image = jpeg(photo, 10)
    assert score(metric, photo, image) == pytest.approx(score(metric, image, photo), abs=1e-6)


@pytest.mark.parametrize("metric", METRICS)
def test_more_noise_scores_lower(metric: str, photo: Image) -> None:
    values = [score(metric, photo, noisy(photo, sigma)) for sigma in (1, 2, 4, 8, 16, 32, 64)]
    assert values == sorted(values, reverse=True)
    assert len(set(values)) == len(values)


@settings(max_examples=25)
@given(st.data())
def test_scores_are_finite_and_within_the_stated_range(data: st.DataObject) -> None:
    height, width = data.draw(st.integers(161, 190)), data.draw(st.integers(161, 320))
    channels = data.draw(st.sampled_from([1, 3]))
    dtype, top = data.draw(st.sampled_from([(np.uint8, 255), (np.uint16, 65535)]))
    reference, image = (_texture(data, (height, width, channels), top).astype(dtype) for _ in range(2))
    for metric in METRICS.values():
        assert _in_range(metric, reference, image)


def _texture(data: st.DataObject, shape: tuple[int, int, int], top: int) -> np.ndarray[Any, Any]:
    kind = data.draw(st.sampled_from(["flat", "noise", "extremes", "stripes"]))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    if kind == "flat":
        return np.full(shape, data.draw(st.integers(0, top)))
    if kind == "noise":
        return rng.integers(0, top + 1, shape)
    if kind == "extremes":
        return rng.integers(0, 2, shape) * top
    return np.broadcast_to((np.arange(shape[1]) // data.draw(st.integers(1, 9)) % 2 * top)[None, :, None], shape)


def _in_range(metric: Metric, reference: Image, image: Image) -> bool:
    try:
        value = metric.open("cpu").prepare(reference).score(image)
    except NotApplicable:
        return bool((reference == image).all())
    low = -math.inf if metric.lowest is None else metric.lowest
    high = math.inf if metric.highest is None else metric.highest
    return isinstance(value, float) and math.isfinite(value) and low <= value <= high
