"""Add golden streams of a codec: bytes that every later version must decode.

    python tests/golden/make.py jpeg jpeg:progressive=true,subsampling=4:4:4

For each kind of picture that the codec takes (gray, RGB, RGBA; 8 and 16 bits) one stream goes to
``tests/golden/CODEC/CASE.bin``, and what it decodes to into ``index.json`` beside it: the digest, and for a lossy codec
``CASE.png`` with the greatest difference allowed. Nothing that is there is ever overwritten: that a golden stream
decodes otherwise is what the test is for. To give one up, delete its files and its entry by hand, and say why.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from benchbox import registry, testing
from benchbox.codec import CodecInfo, OptionsModel
from benchbox.errors import UnsupportedImageError
from benchbox.image import Image, digest, peak, write_png

FOLDER = Path(__file__).parent
KINDS = {(1, 8): "gray", (3, 8): "rgb", (4, 8): "rgba", (1, 16): "gray16", (3, 16): "rgb16", (4, 16): "rgba16"}

# Levels of 255. Libraries may change their inverse transforms and chroma upsampling within what their standards allow.
TOLERANCE = 4


def main(arguments: list[str]) -> None:
    """Add the streams of each ``CODEC`` or ``CODEC:option=value,...``."""
    if not arguments:
        sys.exit(__doc__)
    codecs = registry.load()
    for argument in arguments:
        name, _, text = argument.partition(":")
        info = codecs.codec(name)
        options = info.parse_options(dict(pair.split("=", 1) for pair in text.split(",") if pair))
        for kind, pixels in _pictures(info):
            _add(info, options, "-".join([kind, *_suffix(text)]), pixels)


def _suffix(options: str) -> list[str]:
    return [options.replace(":", "").replace("=", "_").replace(",", "-")] if options else []


def _pictures(info: CodecInfo) -> list[tuple[str, Image]]:
    size = max(37, info.capabilities.min_size), max(29, info.capabilities.min_size)
    pictures = [(kind, testing.picture(*size, *shape)) for shape, kind in KINDS.items()]
    return [(kind, pixels) for kind, pixels in pictures if info.capabilities.refusal(pixels) is None]


def _add(info: CodecInfo, options: OptionsModel, case: str, pixels: Image) -> None:
    folder = FOLDER / info.id
    index_file = folder / "index.json"
    index: dict[str, Any] = json.loads(index_file.read_text()) if index_file.exists() else {}
    if case in index or (folder / f"{case}.bin").exists():
        print(f"{info.id}/{case}: exists, left as it is")
        return
    axis = info.axis(options)
    codec = info.open(options, "cpu")
    try:
        data = codec.encode(pixels, axis.values[len(axis.values) // 2] if axis else None)
    except UnsupportedImageError as error:
        print(f"{info.id}/{case}: {error}")
        return
    decoded = codec.decode(data)
    codec.close()
    folder.mkdir(exist_ok=True)
    (folder / f"{case}.bin").write_bytes(data)
    tolerance = 0 if info.capabilities.lossless else max(TOLERANCE * peak(pixels) // 255,
                                                         info.capabilities.pixel_tolerance)
    if tolerance:
        write_png(folder / f"{case}.png", decoded)
    index[case] = {"pixels": digest(decoded), "shape": list(decoded.shape), "dtype": decoded.dtype.name,
                   "tolerance": tolerance, "options": options.model_dump(mode="json", exclude_defaults=True),
                   "written_by": info.identity(options)}
    index_file.write_text(json.dumps(index, indent=1, sort_keys=True) + "\n")
    print(f"{info.id}/{case}: {len(data)} bytes")


if __name__ == "__main__":
    main(sys.argv[1:])
