"""Peak memory and seconds of the residual-network codec on one large picture.

    OMP_NUM_THREADS=1 python benchmarks/resnet_memory.py PICTURE [--megapixels 12] [--quality 6]

The picture is tiled until it has that many pixels. One thread, one process; the peak is that of the whole process,
including torch and the picture itself.
"""

import argparse
import resource
import time
from pathlib import Path

import numpy as np
from benchbox_resnet.info import RESNET

from benchbox.image import read


def main() -> None:
    """Encode and decode the picture, and print sizes, seconds and peaks."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path)
    parser.add_argument("--megapixels", type=float, default=12.0)
    parser.add_argument("--quality", type=float, default=6.0)
    args = parser.parse_args()
    tile = np.asarray(read(args.picture).pixels, np.uint8)
    height = round((args.megapixels * 1e6 * 2 / 3) ** 0.5)
    width = round(args.megapixels * 1e6 / height)
    repeated = np.tile(tile, (height // tile.shape[0] + 1, width // tile.shape[1] + 1, 1))
    pixels = np.ascontiguousarray(repeated[:height, :width])
    del repeated
    codec = RESNET.open(RESNET.parse_options({}), "cpu")
    begun = time.perf_counter()
    data = codec.encode(pixels, args.quality)
    encoded, peak = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    codec.decode(data)
    ended, both = time.perf_counter(), resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(f"{width}x{height}, {len(data)} bytes: encode {encoded - begun:.1f} s, peak {peak:.0f} MiB; "
          f"decode {ended - encoded:.1f} s, peak of both {both:.0f} MiB")  # fmt: skip


if __name__ == "__main__":
    main()
