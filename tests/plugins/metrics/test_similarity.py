"""The metrics of structure and error against other implementations, on awkward pictures, and as plugins; colour and
those that programs compute are in test_colour.py and test_programs.py."""

from __future__ import annotations

import io
import math
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import benchbox_metrics
import numpy as np
import pytest
import skimage.metrics
from benchbox_metrics.ms_ssim import TAPS, banded, window
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image as PillowImage

from benchbox.errors import ImageError, NotApplicable
from benchbox.image import Image
from benchbox.metric import Metric

OFFERED = {metric.id: metric for metric in benchbox_metrics.benchbox_metrics()}
METRICS = {name: OFFERED[name] for name in ("psnr", "psnr-y", "ssim", "ms-ssim")}
JPEG_AXIS = (5, 15, 25, 35, 45, 55, 65, 75, 85, 95)


def score(metric: str, reference: Image, image: Image) -> float:
    return METRICS[metric].open("cpu").prepare(reference).score(image)


def jpeg(pixels: Image, quality: int) -> Image:
    """`pixels` after JPEG; gray stays gray."""
    file = io.BytesIO()
    gray = pixels.shape[2] == 1
    PillowImage.fromarray(pixels[:, :, 0] if gray else pixels).save(file, "JPEG", quality=quality)
    decoded = np.asarray(PillowImage.open(file))
    return np.ascontiguousarray(decoded[:, :, None] if gray else decoded)


def noisy(pixels: Image, sigma: float, seed: int = 0) -> Image:
    noise = np.random.default_rng(seed).normal(0, sigma, pixels.shape)
    return np.clip(np.rint(pixels + noise), 0, np.iinfo(pixels.dtype).max).astype(pixels.dtype)


def load(path: Path) -> Image:
    with PillowImage.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def torch_ms_ssim(reference: Image, image: Image, dtype: Any = np.float64) -> float:
    torch = pytest.importorskip("torch")
    pytorch_msssim = pytest.importorskip("pytorch_msssim")
    torch.set_num_threads(1)  # several tests at once would otherwise fight for the cores
    a, b = (torch.from_numpy(part.transpose(2, 0, 1)[None].astype(dtype)) for part in (reference, image))
    return float(pytorch_msssim.ms_ssim(a, b, data_range=255, size_average=True))


# What the plugin says of itself


def test_the_plugin_offers_its_metrics() -> None:
    assert list(OFFERED) == ["psnr", "psnr-y", "psnr-yuv", "ssim", "ms-ssim", "ciede2000", "vmaf", "vmaf-neg", "lpips",
                             "ssimulacra2", "butteraugli", "butteraugli-3norm"]
    assert METRICS["ms-ssim"].column == "ms_ssim"
    assert METRICS["ms-ssim"].display.transform == "db"


def test_listing_the_metrics_imports_neither_numba_nor_scikit_image() -> None:
    code = ("import sys, benchbox_metrics; benchbox_metrics.benchbox_metrics(); "
            "sys.exit(' '.join({'numba', 'skimage', 'torch', 'pandas'} & set(sys.modules)) or None)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# Agreement


def test_the_window_is_that_of_pytorch_msssim_to_the_last_bit() -> None:
    ssim = pytest.importorskip("pytorch_msssim.ssim")
    assert window().tolist() == ssim._fspecial_gauss_1d(11, 1.5).numpy().ravel().tolist()
    exact = [math.exp(-((i - 5) ** 2) / 4.5) for i in range(11)]
    np.testing.assert_allclose(window(), np.array(exact) / sum(exact), rtol=3e-7)
    assert len(TAPS) == 6
    assert banded(13).shape == (3, 13)


def test_ms_ssim_agrees_with_pytorch_msssim_on_a_few_kodak_pictures(kodak: Path) -> None:
    for name in ("kodim01.png", "kodim09.png"):  # landscape and portrait
        reference = load(kodak / name)
        prepared = METRICS["ms-ssim"].open("cpu").prepare(reference)
        for quality in (5, 95):
            image = jpeg(reference, quality)
            value = prepared.score(image)
            assert value == pytest.approx(torch_ms_ssim(reference, image), abs=1e-6), (name, quality)
            assert value == pytest.approx(torch_ms_ssim(reference, image, np.float32), abs=1e-5), (name, quality)


def test_ms_ssim_keeps_its_digits_where_float32_tensors_lose_them(kodak: Path) -> None:
    reference = load(kodak / "kodim20.png")  # a wide flat sky, nearly white
    image = jpeg(reference, 5)
    double, single = torch_ms_ssim(reference, image), torch_ms_ssim(reference, image, np.float32)
    ours = abs(score("ms-ssim", reference, image) - double)
    assert ours < 1e-7 < abs(single - double)


@pytest.mark.slow
def test_ms_ssim_agrees_with_pytorch_msssim_on_all_kodak_pictures_over_the_jpeg_axis(kodak: Path) -> None:
    pictures = sorted(kodak.glob("*.png"))
    assert len(pictures) == 24
    points = []
    for path in pictures:
        reference = load(path)
        prepared = METRICS["ms-ssim"].open("cpu").prepare(reference)
        for quality in JPEG_AXIS:
            image = jpeg(reference, quality)
            value = prepared.score(image)
            double, single = torch_ms_ssim(reference, image), torch_ms_ssim(reference, image, np.float32)
            points.append((abs(value - single), abs(value - double), path.name, quality))
    points.sort(reverse=True)
    print(f"from float64: {max(point[1] for point in points):.2e} at most; from float32, worst first:")
    for point in points[:4]:
        print(f"  {point[0]:.2e} {point[2]} quality {point[3]}")
    assert len(points) == 240
    assert max(point[1] for point in points) < 1e-6
    # At kodim20, quality 5, pytorch-msssim in float32 is itself 4.5e-5 (2e-5 without oneDNN) from its float64 value.
    assert [point[2:] for point in points if point[0] > 1e-5] in ([], [("kodim20.png", 5)])
    assert points[0][0] < 1e-4


@pytest.mark.parametrize(("height", "width"), [(161, 161), (161, 300), (256, 163), (177, 239), (170, 266), (171, 267),
                                               (175, 1033)])  # fmt: skip
@pytest.mark.parametrize("channels", [1, 3])
def test_ms_ssim_agrees_with_pytorch_msssim_at_awkward_sizes(height: int, width: int, channels: int) -> None:
    rng = np.random.default_rng(height * width)
    ramp = np.linspace(0, 200, width) + np.linspace(0, 50, height)[:, None]
    reference = np.clip(ramp[:, :, None] + rng.normal(0, 9, (height, width, channels)), 0, 255).astype(np.uint8)
    image = noisy(reference, 12)
    assert score("ms-ssim", reference, image) == pytest.approx(torch_ms_ssim(reference, image), abs=1e-7)


def test_ms_ssim_agrees_with_pytorch_msssim_where_whole_scales_count_as_zero(photo: Image) -> None:
    negative = 255 - photo
    assert score("ms-ssim", photo, negative) == torch_ms_ssim(photo, negative) == 0
    black = np.zeros_like(photo)
    assert score("ms-ssim", photo, black) == pytest.approx(torch_ms_ssim(photo, black), abs=1e-6)


def test_psnr_is_its_formula(photo: Image) -> None:
    image = jpeg(photo, 40)
    d = image.astype(float) - photo
    assert score("psnr", photo, image) == pytest.approx(10 * math.log10(255**2 / (d**2).mean()), abs=1e-12)
    luma = d @ [0.299, 0.587, 0.114]
    assert score("psnr-y", photo, image) == pytest.approx(10 * math.log10(255**2 / (luma**2).mean()), abs=1e-10)


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


# Depths and channels


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


# What has no value


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
        with pytest.raises(ImageError, match=f"{metric}: takes gray or RGB"):
            scorer.prepare(reference)
    prepared = scorer.prepare(np.zeros((200, 210, 3), np.uint8))
    for shape, dtype in (((210, 200, 3), np.uint8), ((200, 210, 1), np.uint8), ((200, 210, 3), np.uint16)):
        image: Any = np.zeros(shape, dtype)
        with pytest.raises(ImageError, match=f"{metric}: the decoded picture is .* the reference 200x210x3 uint8"):
            prepared.score(image)


# Properties


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


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow])
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


# Where the compiled kernels are kept


def test_the_kernels_are_cached_for_the_user_when_site_packages_is_read_only(tmp_path: Path) -> None:
    site, home = tmp_path / "site", tmp_path / "home"
    result = _score_from_read_only(site, home)
    assert result.stdout.strip() == "1.0", result.stderr
    assert not list(site.rglob("*.nbi"))
    assert list(home.rglob("*ms_ssim_kernels.errors*.nbi")), "no cache index in the user's cache folder"


def test_the_kernels_work_where_nothing_can_be_cached(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file, so no folder can be made below it")
    result = _score_from_read_only(tmp_path / "site", home)
    assert result.stdout.strip() == "1.0", result.stderr


def _score_from_read_only(site: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Score in a fresh process with the plugin in a folder where no __pycache__ can be made.

    The tests may run as root, whom permissions do not stop, so a file stands where numba would put its folder.
    """
    package = site / "benchbox_metrics"
    source = Path(str(benchbox_metrics.__file__)).parent
    shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
    (package / "__pycache__").write_text("")
    code = ("import numpy as np, benchbox_metrics.ms_ssim_kernels as k\n"
            f"assert k.__file__.startswith({str(site)!r}), k.__file__\n"
            "x, out = k.planes(1, 16, 16), k.planes(1, 16, 16)\n"
            "s = [np.uintp(v) for v in (1, 16, 16, k.layout(16, 16)[0])]\n"
            "k.errors(x, np.ones(256, np.uint8), *s, np.float32(1), out)\n"
            "print(out.max())")
    keep = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    environment = {**keep, "HOME": str(home), "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
