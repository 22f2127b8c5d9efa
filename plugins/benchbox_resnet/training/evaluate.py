"""`benchbox resnet evaluate`: real bytes, PSNR and time of a weights file on a folder of pictures, at each quality.

For a quick look during training; published figures come from `benchbox run`.
"""

import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.info import RESNET
from benchbox_resnet.training.data import image_files, load_pixels


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


def run(weights: Path, images: Path, qualities: Sequence[float], every: int, threads: int) -> None:
    """Print one line for each quality, means over every `every`-th picture."""
    codec = ResnetCodec.open(RESNET, [weights], "cpu", threads, precision="auto")
    pictures = [load_pixels(p) for p in image_files(images)[::every]]
    codec.decode(codec.encode(pictures[0][:64, :64], 0.0))  # compile and warm up
    print("quality     bpp    PSNR  encode s  decode s")
    for quality in qualities:
        bpp, psnr, encode, decode = measure(codec, pictures, quality)
        print(f"{quality:7g} {bpp:7.4f} {psnr:7.3f} {encode:9.3f} {decode:9.3f}", flush=True)
