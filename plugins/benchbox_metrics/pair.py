"""Checks of the pictures that a metric is given."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray

from benchbox.errors import ImageError
from benchbox.image import Image


def check_reference(metric: str, reference: Image) -> Image:
    """Return `reference`, C-contiguous; raise ImageError unless it is (H, W, 1) or (H, W, 3), uint8 or uint16."""
    if reference.ndim != 3 or reference.shape[2] not in (1, 3) or reference.dtype not in (np.uint8, np.uint16):
        raise ImageError(f"{metric}: needs gray or RGB, uint8 or uint16; got {_describe(reference)}; "
                         "composite alpha over a background first")
    return np.ascontiguousarray(reference)


def check_pair(metric: str, reference: Image, image: Image) -> Image:
    """Return `image`, C-contiguous; raise ImageError unless it has the shape and dtype of `reference`."""
    if image.shape != reference.shape or image.dtype != reference.dtype:
        raise ImageError(f"{metric}: the decoded picture is {_describe(image)}, the reference {_describe(reference)}; "
                         "both must be of one shape and dtype")
    return np.ascontiguousarray(image)


def flat(pixels: Image) -> NDArray[np.unsignedinteger[Any]]:
    """The samples of a picture in one row, as kernels take them."""
    return pixels.reshape(-1)


def _describe(image: Image) -> str:
    return f"{'x'.join(map(str, image.shape))} {image.dtype}"
