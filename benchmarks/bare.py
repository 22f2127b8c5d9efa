"""The physical limit: the operating points of `throughput.py` in a bare loop, in one process, and nothing else.

    python benchmarks/bare.py FOLDER QUALITIES        e.g. 10,20,30

Each picture is read, untimed; then, for each quality, it is encoded and decoded with Pillow and scored with the
functions that benchbox uses. Only the work that no benchmark can avoid is timed: encoding, decoding, scoring, and
preparing the metrics' reference once per picture. A first picture is processed beforehand, untimed. Prints processor
seconds as JSON: this single thread never waits, so on a quiet machine they equal its wall time, and on a busy machine
they do not grow with the time that other processes take.
"""

from __future__ import annotations

import io
import json
import sys
import time
from pathlib import Path

import numpy as np
from benchbox_metrics.ms_ssim import MS_SSIM
from benchbox_metrics.psnr import PSNR
from PIL import Image as PillowImage

import benchbox.image


def measure(paths: list[Path], qualities: list[int]) -> dict[str, float]:
    """Seconds spent on each kind of work over all pictures and qualities."""
    scorers = [metric.open("cpu") for metric in (PSNR, MS_SSIM)]
    spent = dict.fromkeys(("encode", "decode", "prepare", "score"), 0.0)
    for path in paths:
        picture = PillowImage.fromarray(benchbox.image.read(path).pixels)
        pixels = np.asarray(picture)
        start = time.process_time()
        prepared = [scorer.prepare(pixels) for scorer in scorers]
        spent["prepare"] += time.process_time() - start
        for quality in qualities:
            start = time.process_time()
            file = io.BytesIO()
            picture.save(file, "JPEG", quality=quality)
            encoded = time.process_time()
            decoded = np.asarray(PillowImage.open(file))
            back = time.process_time()
            for one in prepared:
                one.score(decoded)
            spent["score"] += time.process_time() - back
            spent["decode"] += back - encoded
            spent["encode"] += encoded - start
    return spent


def main() -> None:
    paths = sorted(path for path in Path(sys.argv[1]).rglob("*") if benchbox.image.is_picture_name(path.name))
    qualities = [int(quality) for quality in sys.argv[2].split(",")]
    measure(paths[:1], qualities[:1])
    print(json.dumps(measure(paths, qualities)))


if __name__ == "__main__":
    main()
