"""Training pictures: crops, held-out pictures, and validation on them."""

from pathlib import Path

import pytest

pytest.importorskip("torch")

from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.training.data import CropSampler, TrainingData, is_held_out
from benchbox_resnet.training.validation import (
    MEASURES,
    validate,
)
from tiny_resnet import TINY, batch, write_pictures

from benchbox.errors import DatasetError


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


def test_held_out_by_name_alone() -> None:
    held = [n for n in range(400) if is_held_out(Path(f"{n:04}.jpg"))]
    assert held == [n for n in range(400) if is_held_out(Path(f"/elsewhere/{n:04}.jpg"))]
    assert 2 <= len(held) <= 20


def test_crops_come_from_the_pictures(pictures: Path) -> None:
    data = TrainingData.load(pictures, 32, scales=(0.5,))
    assert len(data.train) + len(data.validation) >= 4
    x = CropSampler(data, 3, 32, seed=1).draw()
    assert x.shape == (3, 3, 32, 32)
    assert 0 <= float(x.min()) <= float(x.max()) <= 1
    with pytest.raises(DatasetError, match="no training picture"):
        TrainingData.load(pictures, 4000)


def test_validation_by_ms_ssim_and_of_small_pictures() -> None:
    net = ResidualCodec(TINY).eval()
    pixels = [(b.permute(1, 2, 0) * 255).byte().numpy() for b in batch(200, 2)]
    points = validate(net, pixels, [0, 2], MEASURES["ms-ssim"])
    assert len(points) == 2
    assert all(bpp > 0 and 0 < db < 30 for bpp, db in points)
    assert validate(net, [p[:100, :100] for p in pixels], [0, 2]) == []
