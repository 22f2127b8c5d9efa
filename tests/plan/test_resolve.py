"""Looking up what a plan names: unknown ids, refused options, devices, paths, keys."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path

import numpy as np
import pytest

from benchbox import image
from benchbox.errors import UsageError
from benchbox.plan import device_for, make_plan, resolve
from benchbox.registry import Registry, load

SIMPLE = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg", "qualities": [10, 50, 90]}], "metrics": ["psnr"]}


@pytest.fixture(scope="module")
def plugins() -> Registry:
    return load()


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": [{"id": "jpg"}]}, "no codec is called 'jpg'; did you mean 'jpeg'"),
        ({"metrics": ["ssmi"]}, "no metric is called 'ssmi'; did you mean 'ssim'"),
        ({"dataset": "kodka"}, "did you mean 'kodak'"),
        ({"dataset": "folder"}, "needs an argument: write folder:PATH"),
        ({"dataset": "samples:x"}, "takes no argument"),
        ({"codec": [{"id": "jpeg", "qualities": [101]}]}, "quality 101 is out of range; take"),
        ({"codec": [{"id": "jpeg", "qualities": [50.5]}]}, "not a whole number"),
        ({"codec": [{"id": "png", "qualities": [1]}]}, "a lossless codec has no quality"),
        ({"codec": [{"id": "webp", "options": {"methode": 6}}]}, "unknown option 'methode'; did you mean 'method'"),
        ({"codec": [{"id": "webp", "options": {"method": 99}}]}, "option method=99"),
        ({"codec": [{"id": "jpeg"}, {"id": "jpeg"}]}, "two codecs of the plan are called 'jpeg'"),
        ({"codec": [{"id": "jpeg", "device": "cuda"}]}, "runs on cpu"),
    ],
)
def test_what_cannot_be_resolved_is_a_usage_error(
    change: dict[str, object], message: str, plugins: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(make_plan(SIMPLE | change, "plan"), plugins, tmp_path)
    assert message in str(caught.value)


@pytest.fixture
def gpu(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine whose nvidia-smi lists one GPU."""
    program = tmp_path / "nvidia-smi"
    program.write_text("#!/bin/sh\necho 'NVIDIA H100, 570.1'\n")
    program.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path), prepend=os.pathsep)


@pytest.mark.parametrize(("name", "accepted", "device"), [
    ("auto", ("cpu", "cuda"), "cuda"), ("auto", ("cpu",), "cpu"), ("cuda:1", ("cpu", "cuda"), "cuda:1"),
    ("cpu", ("cpu", "cuda"), "cpu"),
])  # fmt: skip
def test_auto_is_the_gpu_where_one_is_and_the_codec_knows_it(
    name: str, accepted: tuple[str, ...], device: str, gpu: None
) -> None:
    assert device_for(name, accepted, "acme") == device


def test_auto_is_the_cpu_where_no_gpu_answers(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert device_for("auto", ("cpu", "cuda"), "acme") == "cpu"


def test_relative_paths_of_data_sets_start_at_the_base(plugins: Registry, tmp_path: Path, photo: np.ndarray) -> None:
    (tmp_path / "photos").mkdir()
    image.write_png(tmp_path / "photos" / "a.png", photo)
    resolved = resolve(make_plan(SIMPLE | {"dataset": "folder:photos"}, "plan"), plugins, tmp_path)
    assert resolved.plan.dataset == (f"folder:{tmp_path / 'photos'}",)
    assert resolved.datasets[0].id == resolved.plan.dataset[0]
    again = resolve(make_plan(tomllib.loads(resolved.text), "plan"), plugins, tmp_path / "elsewhere")
    assert again.plan == resolved.plan


def test_the_key_depends_on_everything_that_is_asked(plugins: Registry, tmp_path: Path) -> None:
    plan = make_plan(SIMPLE | {"codec": [{"id": "jpeg"}, {"id": "jpeg", "options": {"optimize": True}}]}, "plan")
    first, second = resolve(plan, plugins, tmp_path).configurations
    keys = {c.key(q, s) for c in (first, second) for q in (10.0, 20.0) for s in ("a", "b")}
    assert len(keys) == 8
    assert first.key(10.0, "a") == first.key(10.0, "a")
