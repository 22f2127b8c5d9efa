"""Time to score: MS-SSIM and pytorch-msssim in one process, and other metrics. A tool to run by hand, not a test.

    python benchmarks/ms_ssim.py [PICTURE] [--repeats N] [--quality Q]

Default picture: scikit-image's coffee, enlarged to 768 x 512. One thread. All candidates take turns. It prints the
median and the minimum of CPU time, which other processes disturb least, and the median of wall time.
"""

from __future__ import annotations

import argparse
import io
import os
import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

os.environ["OMP_NUM_THREADS"] = os.environ["OPENBLAS_NUM_THREADS"] = "1"  # read when numpy and torch are imported

import numpy as np
from benchbox_metrics.ms_ssim import MS_SSIM
from benchbox_metrics.psnr import PSNR
from benchbox_metrics.psnr_y import PSNR_Y
from benchbox_metrics.ssim import SSIM
from PIL import Image as PillowImage

import benchbox.image
from benchbox import Image


def picture(path: Path | None) -> Image:
    """The RGB picture to score."""
    if path is not None:
        return benchbox.image.read(path).pixels
    import skimage.data

    coffee = PillowImage.fromarray(skimage.data.coffee())  # type: ignore[no-untyped-call]
    return np.asarray(coffee.resize((768, 512), PillowImage.Resampling.LANCZOS))


def jpeg(pixels: Image, quality: int) -> Image:
    """`pixels` after JPEG."""
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(PillowImage.open(file))


def peer(reference: Image, image: Image) -> tuple[Callable[[], Any], Callable[[], Any]]:
    """pytorch-msssim on float32 tensors made beforehand, and the same in float64 for its value."""
    import pytorch_msssim
    import torch

    torch.set_num_threads(1)

    def tensors(dtype: type) -> list[Any]:
        return [torch.from_numpy(part.transpose(2, 0, 1)[None].astype(dtype)) for part in (image, reference)]

    single, double = tensors(np.float32), tensors(np.float64)
    return (lambda: float(pytorch_msssim.ms_ssim(*single, data_range=255)),
            lambda: float(pytorch_msssim.ms_ssim(*double, data_range=255)))  # fmt: skip


def measure(candidates: Mapping[str, Callable[[], Any]], repeats: int) -> dict[str, list[tuple[float, float]]]:
    """(CPU, wall) milliseconds of each candidate, `repeats` times, in turns, after one run that is not counted."""
    times: dict[str, list[tuple[float, float]]] = {name: [] for name in candidates}
    for turn in range(repeats + 1):
        for name, run in candidates.items():
            cpu, wall = time.process_time(), time.perf_counter()
            run()
            if turn:
                times[name].append(((time.process_time() - cpu) * 1e3, (time.perf_counter() - wall) * 1e3))
    return times


def table(times: Mapping[str, list[tuple[float, float]]]) -> None:
    """Print the times, and the ratio of the peer's to ours."""
    print(f"{'milliseconds':24}{'CPU median':>12}{'CPU minimum':>13}{'wall median':>13}")
    for name, values in times.items():
        cpu, wall = zip(*values, strict=True)
        print(f"{name:24}{statistics.median(cpu):12.2f}{min(cpu):13.2f}{statistics.median(wall):13.2f}")
    theirs, ours = (list(zip(*times[name], strict=True)) for name in ("pytorch-msssim float32", "ms-ssim score"))
    print(f"pytorch-msssim / ours (score): {statistics.median(theirs[0]) / statistics.median(ours[0]):.1f} "
          f"(CPU median), {min(theirs[0]) / min(ours[0]):.1f} (CPU minimum), "
          f"{statistics.median(theirs[1]) / statistics.median(ours[1]):.1f} (wall median)")  # fmt: skip


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("picture", type=Path, nargs="?")
    parser.add_argument("--repeats", type=int, default=30)
    parser.add_argument("--quality", type=int, default=50, help="quality of the JPEG that is scored")
    arguments = parser.parse_args()
    reference = picture(arguments.picture)
    image = jpeg(reference, arguments.quality)

    start = time.perf_counter()
    scorer = MS_SSIM.open("cpu")
    opened = (time.perf_counter() - start) * 1e3
    prepared = scorer.prepare(reference)
    ours = prepared.score(image)
    first = (time.perf_counter() - start) * 1e3 - opened
    single, double = peer(reference, image)
    others = {metric.id: metric.open("cpu").prepare(reference) for metric in (PSNR, PSNR_Y, SSIM)}

    print(f"{reference.shape[1]}x{reference.shape[0]}x{reference.shape[2]} {reference.dtype}, "
          f"JPEG quality {arguments.quality}, one thread, {arguments.repeats} repeats")
    print(f"MS-SSIM: ours {ours:.9f}, pytorch-msssim float64 {double():.9f}, float32 {single():.9f}")
    print(f"once a process: load or compile the kernels {opened:.0f} ms, score once {first:.0f} ms")
    table(measure({
        "ms-ssim prepare": lambda: scorer.prepare(reference),
        "ms-ssim score": lambda: prepared.score(image),
        "pytorch-msssim float32": single,
        **{f"{name} score": partial(other.score, image) for name, other in others.items()},
    }, arguments.repeats))  # fmt: skip


if __name__ == "__main__":
    main()
