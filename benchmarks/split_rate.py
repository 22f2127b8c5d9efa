"""BD-rate in PSNR of a codec of the published evaluation against published curves, below and above a rate.

    python benchmarks/split_rate.py "vvc preset=medium" bpg444 vtm [--bpp 0.8]

Mean curves over the 24 Kodak pictures; the range of PSNR is split where the codec's own curve has that rate.
"""

import argparse
from pathlib import Path

import numpy as np
from benchbox_literature import benchbox_references
from scipy.interpolate import PchipInterpolator

import benchbox

RUN = Path(__file__).parents[1] / "reports" / "published" / "kodak"


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("label")
    parser.add_argument("references", nargs="+")
    parser.add_argument("--bpp", type=float, default=0.8)
    args = parser.parse_args()
    frame = benchbox.load(str(RUN))
    means = frame[frame["label"] == args.label].groupby("quality")[["bpp", "psnr"]].mean().sort_values("psnr")
    psnr, log_rate = means["psnr"].to_numpy(), np.log10(means["bpp"].to_numpy())
    own = PchipInterpolator(psnr, log_rate)
    split = float(PchipInterpolator(log_rate, psnr)(np.log10(args.bpp)))
    known = {r.id: r for r in benchbox_references() if r.dataset == "kodak" and "psnr" in r.metrics}
    for name in args.references:
        points = sorted((v, b) for b, v in zip(known[name].bpp, known[name].metrics["psnr"], strict=True) if v)
        values, rates = np.array(points).T
        curve = PchipInterpolator(values, np.log10(rates))
        for part, low, high in (("below", psnr[0], split), ("above", split, psnr[-1])):
            low, high = max(low, values[0]), min(high, values[-1])
            mean = (own.integrate(low, high) - curve.integrate(low, high)) / (high - low)
            print(f"{args.label} against {name}, {part} {args.bpp:g} bpp: {100 * (10**mean - 1):+.1f} % "
                  f"({low:.2f} to {high:.2f} dB)")


if __name__ == "__main__":
    main()
