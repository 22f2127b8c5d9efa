"""Checks what a codec returns: `encode` bytes, `decode` a picture. Errors name method, place and remedy."""

from __future__ import annotations

from typing import Any

from benchbox.codec import Codec
from benchbox.errors import ImageError
from benchbox.guard import breach
from benchbox.image import Image, check


def given_stream(codec: Codec, output: Any, owner: str) -> bytes:
    """`output`, which `encode` gave, as bytes; `owner` is the codec's id. Raises PluginError where it is no stream."""
    if not isinstance(output, bytes | bytearray | memoryview) or not len(output):
        what = "0 bytes" if isinstance(output, bytes | bytearray | memoryview) else type(output).__name__
        raise breach(codec.encode, f"encode must return non-empty bytes, got {what}; return bytes(...)", owner)
    return bytes(output)


def given_picture(codec: Codec, output: Any, owner: str) -> Image:
    """`output`, which `decode` gave, as a picture; `owner` is the codec's id. Raises PluginError where it does not keep
    the pixel contract."""
    try:
        return check(output, "decode broke the pixel contract")
    except ImageError as error:
        raise breach(codec.decode, f"{error}; return a uint8 or uint16 array (H, W, C)", owner) from None
