"""Real bytes, PSNR and time of a weights file on a folder of pictures, at each quality.

A quick look while training; published figures come from `benchbox run`.
"""

import argparse
import time
from pathlib import Path

import numpy as np

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.info import RESNET
from benchbox_resnet.training.data import image_files, load_pixels


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `evaluate`."""
    parser.add_argument("--weights", type=Path, required=True)
    parser.add_argument("--images", type=Path, required=True, help="folder of pictures")
    parser.add_argument("--qualities", type=float, nargs="+", default=[float(q) for q in range(0, 16, 3)])
    parser.add_argument("--every", type=int, default=1, help="take every n-th picture")
    parser.add_argument("--threads", type=int, default=1)


def measure(codec: ResnetCodec, pictures: list[np.ndarray], quality: float) -> tuple[float, float, float, float]:
    """Means over (H, W, 3) pictures at one quality: bits per pixel, PSNR in dB, seconds to encode and to decode."""
    rows = []
    for pixels in pictures:
        begun = time.perf_counter()
        data = codec.encode(pixels, quality)
        encoded = time.perf_counter()
        decoded = codec.decode(data)
        ended = time.perf_counter()
        mse = float(np.square(pixels.astype(np.float64) - decoded).mean())
        psnr = 10 * np.log10(255**2 / max(mse, 1e-9))
        bpp = 8 * len(data) / (pixels.shape[0] * pixels.shape[1])
        rows.append((bpp, psnr, encoded - begun, ended - encoded))
    bpp, psnr, encode, decode = np.mean(rows, axis=0).tolist()
    return bpp, psnr, encode, decode


def run(args: argparse.Namespace) -> None:
    """Print one line a quality."""
    codec = ResnetCodec.open(RESNET, [args.weights], "cpu", args.threads, precision="auto")
    pictures = [load_pixels(p) for p in image_files(args.images)[:: args.every]]
    codec.decode(codec.encode(pictures[0][:64, :64], 0.0))  # compile and warm up
    print("quality     bpp    PSNR  encode s  decode s")
    for quality in args.qualities:
        bpp, psnr, encode, decode = measure(codec, pictures, quality)
        print(f"{quality:7g} {bpp:7.4f} {psnr:7.3f} {encode:9.3f} {decode:9.3f}", flush=True)
