"""The differentiable MS-SSIM is that of the reports."""

from typing import Any

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_metrics.ms_ssim import MS_SSIM  # noqa: E402
from benchbox_resnet.network.similarity import SMALLEST, ms_ssim  # noqa: E402


def as_tensor(pixels: np.ndarray) -> Any:
    return torch.from_numpy(pixels.copy()).permute(2, 0, 1)[None].float() / 255


@pytest.mark.parametrize("size", [(SMALLEST, 200), (177, 301), (256, 256)])
def test_ms_ssim_is_that_of_the_reports(size: tuple[int, int]) -> None:
    source = np.ascontiguousarray(skimage.data.astronaut()[: size[0], : size[1]])
    noise = np.random.default_rng(0).normal(0, 20, source.shape)
    for strength in (0.0, 0.2, 1.0, 3.0):
        decoded = (source + strength * noise).clip(0, 255).astype(np.uint8)
        known = MS_SSIM.open("cpu").prepare(source).score(decoded)
        found = float(ms_ssim(as_tensor(source), as_tensor(decoded))[0])
        assert found == pytest.approx(known, abs=2e-5)
