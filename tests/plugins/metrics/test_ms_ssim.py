"""MS-SSIM against pytorch-msssim, and where its compiled kernels are kept."""

from __future__ import annotations

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
from benchbox_metrics import machine_code, ms_ssim
from benchbox_metrics.ms_ssim import TAPS, banded, window
from benchbox_metrics.psnr import compiled_squared_error
from distorted import jpeg, noisy, sixteen
from PIL import Image as PillowImage

from benchbox.image import Image

METRICS = {metric.id: metric for metric in benchbox_metrics.benchbox_metrics()}

JPEG_AXIS = (5, 15, 25, 35, 45, 55, 65, 75, 85, 95)


def score(metric: str, reference: Image, image: Image) -> float:
    return METRICS[metric].open("cpu").prepare(reference).score(image)


def load(path: Path) -> Image:
    with PillowImage.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


def torch_ms_ssim(reference: Image, image: Image, dtype: Any = np.float64) -> float:
    torch = pytest.importorskip("torch")
    pytorch_msssim = pytest.importorskip("pytorch_msssim")
    torch.set_num_threads(1)  # several tests at once would otherwise fight for the cores
    a, b = (torch.from_numpy(part.transpose(2, 0, 1)[None].astype(dtype)) for part in (reference, image))
    return float(pytorch_msssim.ms_ssim(a, b, data_range=255, size_average=True))


def test_the_window_is_that_of_pytorch_msssim_to_the_last_bit() -> None:
    ssim = pytest.importorskip("pytorch_msssim.ssim")
    assert window().tolist() == ssim._fspecial_gauss_1d(11, 1.5).numpy().ravel().tolist()
    exact = [math.exp(-((i - 5) ** 2) / 4.5) for i in range(11)]
    np.testing.assert_allclose(window(), np.array(exact) / sum(exact), rtol=3e-7)
    assert len(TAPS) == 6
    assert banded(13).shape == (3, 13)


@pytest.mark.slow  # a quarter of a minute
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


@pytest.mark.parametrize("shape", [(171, 266, 3), (222, 163, 1), (365, 171, 3)])
@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_a_large_picture_is_scored_band_by_band_and_gets_the_same_score(
    shape: tuple[int, int, int], dtype: type[np.unsignedinteger[Any]], monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(shape[0])
    reference: Image = rng.integers(0, np.iinfo(dtype).max, shape, endpoint=True).astype(dtype)
    image = noisy(reference, 40)
    whole = score("ms-ssim", reference, image)
    monkeypatch.setattr(ms_ssim, "KEPT", 0)
    for band in (1, 31, 200):
        monkeypatch.setattr(ms_ssim, "BAND", band)
        assert score("ms-ssim", reference, image) == pytest.approx(whole, abs=1e-7)


def test_ms_ssim_of_16_bits_is_that_of_the_same_picture_in_8_bits(photo: Image) -> None:
    image = noisy(photo, 9)
    narrow, wide = score("ms-ssim", photo, image), score("ms-ssim", sixteen(photo), sixteen(image))
    assert wide == pytest.approx(narrow, abs=1e-9)


@pytest.mark.slow
def test_scoring_a_large_picture_takes_at_most_four_times_its_memory(kodak: Path) -> None:
    """25 megapixels; the pictures themselves are two of the four."""
    code = ("import resource, sys\n"
            "import numpy as np\n"
            "from PIL import Image\n"
            "from benchbox_metrics.ms_ssim import MS_SSIM\n"
            "tile = np.asarray(Image.open(sys.argv[1]))\n"
            "scorer = MS_SSIM.open('cpu')\n"
            "small = scorer.prepare(tile).score(tile ^ 1)\n"
            "before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss\n"
            "reference, image = np.tile(tile, (8, 8, 1)), np.tile(tile ^ 1, (8, 8, 1))\n"
            "value = scorer.prepare(reference).score(image)\n"
            "assert abs(value - small) < 0.01, (value, small)\n"
            "print((resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before) * 1024 / reference.nbytes)\n")
    done = subprocess.run([sys.executable, "-c", code, kodak / "kodim08.png"], capture_output=True, text=True,
                          check=False)  # fmt: skip
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 4


def test_ms_ssim_agrees_with_pytorch_msssim_where_whole_scales_count_as_zero(photo: Image) -> None:
    negative = 255 - photo
    assert score("ms-ssim", photo, negative) == torch_ms_ssim(photo, negative) == 0
    black = np.zeros_like(photo)
    assert score("ms-ssim", photo, black) == pytest.approx(torch_ms_ssim(photo, black), abs=1e-6)


def test_the_kernels_are_cached_for_the_user_when_site_packages_is_read_only(tmp_path: Path) -> None:
    site, home = tmp_path / "site", tmp_path / "home"
    result = _score_from_read_only(site, home)
    assert result.stdout.strip() == "9", result.stderr
    assert not list(site.rglob("*.o"))
    kept = list(home.rglob("psnr_kernels.squared_error*.o"))
    assert len(kept) == 1, "no machine code in the user's cache folder"
    again = _score_from_read_only(site, home)
    assert again.stdout.strip() == "9 without numba", again.stderr


def test_damaged_machine_code_is_compiled_anew(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NUMBA_CACHE_DIR", str(tmp_path))
    machine_code.load.cache_clear()
    one, zero = np.ones((3, 3, 1), np.uint8), np.zeros((3, 3, 1), np.uint8)
    assert compiled_squared_error(one, zero) == 9
    (kept,) = tmp_path.iterdir()
    whole = kept.read_bytes()
    for damaged in (whole[:-9], whole[:-9] + b"x" * 9, b""):
        kept.write_bytes(damaged)
        machine_code.load.cache_clear()
        assert compiled_squared_error(one, zero) == 9
        assert kept.read_bytes() != damaged


def test_the_kernels_work_where_nothing_can_be_cached(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.write_text("a file, so no folder can be made below it")
    result = _score_from_read_only(tmp_path / "site", home)
    assert result.stdout.strip() == "9", result.stderr


def _score_from_read_only(site: Path, home: Path) -> subprocess.CompletedProcess[str]:
    """Score in a fresh process with the plugin in a folder where no __pycache__ can be made.

    The tests may run as root, whom permissions do not stop, so a file stands where numba would put its folder.
    """
    package = site / "benchbox_metrics"
    source = Path(str(benchbox_metrics.__file__)).parent
    if not site.exists():
        shutil.copytree(source, package, ignore=shutil.ignore_patterns("__pycache__"))
        (package / "__pycache__").write_text("")
    code = ("import sys, numpy as np, benchbox_metrics.psnr as psnr\n"
            f"assert psnr.__file__.startswith({str(site)!r}), psnr.__file__\n"
            "one, zero = np.ones((3, 3, 1), np.uint8), np.zeros((3, 3, 1), np.uint8)\n"
            "print(int(psnr.compiled_squared_error(one, zero)), *[] if 'numba' in sys.modules else ['without numba'])")
    keep = {name: value for name, value in os.environ.items() if name not in ("NUMBA_CACHE_DIR", "XDG_CACHE_HOME")}
    environment = {**keep, "HOME": str(home), "PYTHONPATH": str(site), "PYTHONDONTWRITEBYTECODE": "1"}
    return subprocess.run([sys.executable, "-W", "error", "-c", code], env=environment, capture_output=True, text=True,
                          check=False)  # fmt: skip
