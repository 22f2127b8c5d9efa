"""The option `denoise`: noise is measured and removed by the encoder alone."""

from pathlib import Path

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.coding.denoise import denoise, noise_level
from benchbox_resnet.info import RESNET


def test_noise_is_found_and_taken_away(photo: np.ndarray) -> None:
    rng = np.random.default_rng(0)
    noisy = np.clip(np.rint(photo + rng.normal(0, 8, photo.shape)), 0, 255).astype(np.uint8)
    assert 7 < noise_level(noisy) < 11 > 2 * noise_level(photo)
    errors = [np.square(denoise(noisy, s).astype(float) - photo).mean() for s in (0.0, 0.5, 1.0)]
    assert errors[0] > 1.8 * errors[1] > 2.4 * errors[2]
    assert denoise(photo[:1, :2], 1.0).shape == (1, 2, 3)
    tall = np.concatenate([noisy] * (600 // len(noisy) + 1))[:600]
    assert denoise(tall, 1.0).shape == tall.shape  # more than one strip


def test_denoising_is_the_encoders_alone(weights: Path, codec: ResnetCodec, photo: np.ndarray) -> None:
    noisy = np.clip(photo + np.random.default_rng(0).normal(0, 8, photo.shape), 0, 255).astype(np.uint8)
    data = ResnetCodec.open(RESNET, [weights], "cpu", denoise=1.0).encode(noisy, 3)
    assert len(data) < len(codec.encode(noisy, 3))  # by little: these weights are noise too
    assert codec.decode(data).shape == photo.shape
    gray = ResnetCodec.open(RESNET, [weights], "cpu", denoise=1.0).encode(noisy[:, :, :1], 3)
    assert codec.decode(gray).shape == (*photo.shape[:2], 1)
