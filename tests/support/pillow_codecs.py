"""The Pillow codecs, opened for tests."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from benchbox_pillow import benchbox_codecs

from benchbox import testing
from benchbox.codec import Codec
from benchbox.image import Image

CODECS = {info.id: info for info in benchbox_codecs()}

LOSSY = [name for name, info in CODECS.items() if not info.capabilities.lossless]
FORMATS = {"jpeg": "JPEG", "webp": "WEBP", "webp-lossless": "WEBP", "avif": "AVIF", "jpeg2000": "JPEG2000",
           "jpeg2000-lossless": "JPEG2000", "png": "PNG"}


def opened(name: str, **options: Any) -> Codec:
    """The codec `name`; skips the test if it is unavailable here."""
    info = CODECS[name]
    reason = info.unavailable()
    if reason is not None:
        pytest.skip(reason)
    return info.open(info.parse_options(options), "cpu")


def middle(name: str, **options: Any) -> float | None:
    """The middle of its default sweep; None for a lossless codec."""
    axis = CODECS[name].axis(CODECS[name].parse_options(options))
    return axis.values[len(axis.values) // 2] if axis else None


def stream(name: str, pixels: Image | None = None) -> bytes:
    """The stream of a small photograph, or of `pixels`."""
    return opened(name).encode(testing.picture(24, 32, 3, 8) if pixels is None else pixels, middle(name))


def psnr(one: Image, other: Image) -> float:
    """PSNR of 8-bit pictures in dB."""
    return float(10 * np.log10(255**2 / np.mean((one.astype(float) - other) ** 2)))
