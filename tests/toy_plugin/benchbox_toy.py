"""A whole plugin to start from: a codec that keeps the upper bits of every sample and deflates them."""

import struct
import zlib

import numpy as np

from benchbox import Codec, CodecInfo, QualityAxis, hookimpl
from benchbox.errors import CorruptBitstream


class ToyInfo(CodecInfo):
    def identity(self, options):
        return f"benchbox_toy 1 zlib {zlib.ZLIB_RUNTIME_VERSION}"

    def axis(self, options):
        return QualityAxis("bits", (1, 2, 3, 4, 5, 6), minimum=1, maximum=8, integer=True)

    def open(self, options, device):
        return Toy()


class Toy(Codec):
    def encode(self, image, quality):
        kept = image >> (8 - int(quality))
        return b"TOY" + zlib.compress(struct.pack("<4I", int(quality), *image.shape) + kept.tobytes(), 9)

    def decode(self, data):
        try:
            raw = zlib.decompress(data.removeprefix(b"TOY"))
        except zlib.error as error:
            raise CorruptBitstream(f"toy: {error}") from error
        bits, *shape = struct.unpack_from("<4I", raw)
        kept = np.frombuffer(raw, np.uint8, offset=16).reshape(shape)
        return (kept * 255.0 / ((1 << bits) - 1)).round().astype(np.uint8)


@hookimpl
def benchbox_codecs():
    return [ToyInfo(id="toy", title="Toy (zlib)")]
