"""The benefit of `denoise` on noisy pictures: rate-distortion curves of the residual-network codec, one per strength.

    OMP_NUM_THREADS=1 python benchmarks/resnet_denoise.py FOLDER [--pictures 6] [--noise 8] [--figure FILE.svg]

Normal noise with a standard deviation of that many levels, independent for each pixel and colour, is added to the
pictures, and the noisy pictures are coded. Two errors are printed: against the clean picture, which the encoder has not
seen, and against the noisy one. Figures are means over the pictures.
"""

import argparse
from pathlib import Path

import matplotlib as mpl
import numpy as np
import numpy.typing as npt
from benchbox_resnet.info import RESNET

from benchbox.image import read

STRENGTHS = (0.0, 0.5, 1.0)
QUALITIES = (0.0, 3.0, 6.0, 9.0, 12.0, 15.0)

Pixels = npt.NDArray[np.uint8]


def psnr(one: Pixels, other: Pixels) -> float:
    """PSNR of 8-bit pictures in dB."""
    return float(10 * np.log10(255**2 / np.square(one.astype(float) - other).mean()))


def curve(pairs: list[tuple[Pixels, Pixels]], strength: float) -> npt.NDArray[np.float64]:
    """(clean, noisy) pictures -> (qualities, 3): bpp, PSNR against the clean ones, PSNR against the noisy ones."""
    codec = RESNET.open(RESNET.parse_options({"denoise": strength}), "cpu")
    rows = []
    for quality in QUALITIES:
        points = []
        for clean, noisy in pairs:
            data = codec.encode(noisy, quality)
            decoded = np.asarray(codec.decode(data), np.uint8)
            bpp = 8 * len(data) / (noisy.shape[0] * noisy.shape[1])
            points.append((bpp, psnr(decoded, clean), psnr(decoded, noisy)))
        rows.append(np.mean(points, 0))
    codec.close()
    return np.array(rows)


def draw(path: Path, curves: dict[float, npt.NDArray[np.float64]], noise: float) -> None:
    """Draw PSNR against the clean picture over bits per pixel, one curve for each strength."""
    mpl.use("Agg")
    from matplotlib import pyplot as plt

    figure, axes = plt.subplots(figsize=(6, 4), layout="constrained")
    for (strength, points), marker in zip(curves.items(), "os^", strict=True):
        axes.plot(points[:, 0], points[:, 1], marker=marker, label=f"denoise={strength:g}")
    axes.set_xscale("log")
    axes.set_xticks([0.1, 0.2, 0.5, 1, 2], ["0.1", "0.2", "0.5", "1", "2"], minor=False)
    axes.set(xlabel="Rate (bits per pixel, logarithmic)", ylabel="PSNR against the clean picture (dB)",
             title=f"Pictures with noise of {noise:g} levels")  # fmt: skip
    axes.grid(alpha=0.3)
    axes.legend()
    figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Code the noisy pictures, print the figures and draw the curves."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--noise", type=float, default=8.0)
    parser.add_argument("--figure", type=Path)
    args = parser.parse_args()
    rng, pairs = np.random.default_rng(0), []
    for file in sorted(args.folder.glob("*.png"))[: args.pictures]:
        clean = np.asarray(read(file).pixels, np.uint8)
        noisy = clean + rng.normal(0, args.noise, clean.shape)
        pairs.append((clean, np.clip(np.rint(noisy), 0, 255).astype(np.uint8)))
    print(f"noisy pictures against clean ones: {np.mean([psnr(noisy, clean) for clean, noisy in pairs]):.2f} dB")
    curves = {}
    for strength in STRENGTHS:
        curves[strength] = curve(pairs, strength)
        for quality, (bpp, clean_db, noisy_db) in zip(QUALITIES, curves[strength], strict=True):
            print(f"denoise {strength:.1f} quality {quality:4.1f}: {bpp:.3f} bpp, {clean_db:.2f} dB against clean, "
                  f"{noisy_db:.2f} against noisy", flush=True)  # fmt: skip
    if args.figure:
        draw(args.figure, curves, args.noise)


if __name__ == "__main__":
    main()
