"""Transparency: the alpha plane is coded without loss, and invisible colours are replaced by cheap ones."""

import io
import warnings

import numpy as np
import numpy.typing as npt
from PIL import Image

from benchbox.errors import CorruptBitstream

Plane = npt.NDArray[np.uint8]

#: Largest side of a WebP picture; larger planes are kept as PNG.
_WEBP_SIDE = 16383


def pack_alpha(alpha: Plane) -> bytes:
    """(H, W) uint8 -> lossless WebP, or PNG where the plane is too large for WebP."""
    out = io.BytesIO()
    picture = Image.fromarray(alpha)
    if max(alpha.shape) <= _WEBP_SIDE:
        picture.convert("RGB").save(out, "WEBP", lossless=True, quality=90, method=4)
    else:
        picture.save(out, "PNG", optimize=True)
    return out.getvalue()


def unpack_alpha(data: bytes, height: int, width: int) -> Plane:
    """The inverse of `pack_alpha`; raises CorruptBitstream: a section that `pack_alpha` would not write, as one of
    another size or 16 bits, is refused before it is decoded."""
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", Image.DecompressionBombWarning)  # the size is compared first
            with Image.open(io.BytesIO(data), formats=("WEBP", "PNG")) as picture:
                if picture.size != (width, height):
                    raise CorruptBitstream(f"the alpha section is {picture.width}x{picture.height}, "
                                           f"not {width}x{height}")
                if (picture.format, picture.mode) not in (("WEBP", "RGB"), ("PNG", "L")):
                    raise CorruptBitstream(f"the alpha section is a {picture.format} of mode {picture.mode}, "
                                           "not WebP of mode RGB or PNG of mode L")
                if getattr(picture, "n_frames", 1) != 1:
                    raise CorruptBitstream("the alpha section is an animation")
                plane = np.asarray(picture)
    except CorruptBitstream:
        raise
    except Exception as error:  # Pillow's readers raise whatever parsing damaged chunks leads to
        raise CorruptBitstream(f"the alpha section cannot be decoded: {error or type(error).__name__}") from error
    if plane.dtype != np.uint8 or plane.shape[:2] != (height, width):
        raise CorruptBitstream(f"the alpha section decoded to {plane.shape} {plane.dtype}")
    return np.ascontiguousarray(plane if plane.ndim == 2 else plane[:, :, 0])


def fill_hidden(colour: npt.NDArray[np.uint8], alpha: Plane) -> npt.NDArray[np.uint8]:
    """Replace colours (H, W, 3) under alpha = 0 by a smooth continuation of the visible ones (pull and push)."""
    if alpha.all():
        return colour
    visible = (alpha > 0).astype(np.float32)[:, :, None]
    levels = [(colour.astype(np.float32) * visible, visible)]
    while min(levels[-1][0].shape[:2]) > 1:
        levels.append((_halve(levels[-1][0]), _halve(levels[-1][1])))
    total, weight = levels[-1]
    smooth = np.broadcast_to(total.sum((0, 1)) / max(float(weight.sum()), 1e-6), total.shape)
    for total, weight in reversed(levels):
        h, w = total.shape[:2]
        spread = smooth.repeat(2, 0).repeat(2, 1)[:h, :w] if smooth.shape != total.shape else smooth
        part = np.minimum(weight, 1)
        smooth = np.where(weight > 0, total / np.maximum(weight, 1e-6), 0) * part + spread * (1 - part)
    return np.where(visible > 0, colour, np.rint(smooth).clip(0, 255).astype(np.uint8))


def _halve(plane: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """(h, w, C) -> (h / 2, w / 2, C): sums over 2x2, odd sides padded with zeros."""
    h, w, c = plane.shape
    even = np.pad(plane, ((0, h % 2), (0, w % 2), (0, 0)))
    return np.asarray(even.reshape((h + 1) // 2, 2, (w + 1) // 2, 2, c).sum((1, 3)), np.float32)
