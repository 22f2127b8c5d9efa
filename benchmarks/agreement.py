"""Our JPEG and WebP on Kodak against the points that CompressAI published, quality by quality, as a Markdown table.

    python benchmarks/agreement.py [RUN]

RUN is a published folder, by default ours, or a run of the workspace that has `jpeg` and `webp` on the 24 pictures.
CompressAI swept quality 5, 10 ... 95 with Pillow 7.1.2. Rate in percent of its bits; PSNR in dB and MS-SSIM as ours
less theirs; means over the pictures.
"""

import sys
from pathlib import Path

import pandas as pd
from benchbox_literature import benchbox_references

import benchbox

RUN = Path(__file__).parents[1] / "reports" / "published" / "kodak"
SWEEP = range(5, 100, 5)
"""Qualities of the points of their two curves, by rising rate."""
CODECS = ("webp", "jpeg")
DIGITS = {"rate": 4, "psnr": 4, "ms-ssim": 6}


def differences(frame: pd.DataFrame, codec: str) -> pd.DataFrame:
    """Ours less theirs at each common quality, the index: ``rate`` (percent), ``psnr`` (dB), ``ms-ssim``."""
    (theirs,) = (r for r in benchbox_references() if r.id == f"{codec}-compressai" and r.dataset == "kodak")
    known = pd.DataFrame({"bpp": theirs.bpp, **theirs.metrics}, index=pd.Index(SWEEP, name="quality"), dtype=float)
    own = frame[frame["label"] == codec].groupby("quality")[["bpp", "psnr", "ms_ssim"]].mean()
    own = own.rename(columns={"ms_ssim": "ms-ssim"}).reindex(known.index).dropna()
    known = known.loc[own.index]
    return pd.DataFrame({"rate": 100 * (own["bpp"] / known["bpp"] - 1),
                         **{name: own[name] - known[name] for name in ("psnr", "ms-ssim")}})


def table(frame: pd.DataFrame) -> str:
    """The differences of both codecs in Markdown."""
    found = {codec: differences(frame, codec) for codec in CODECS}
    heads = [f"{codec}: {head}" for codec in CODECS for head in ("rate (%)", "PSNR (dB)", "MS-SSIM")]
    rows = [[f"{quality:g}", *(_printed(found[codec], quality, name) for codec in CODECS for name in DIGITS)]
            for quality in sorted(set().union(*(one.index for one in found.values())))]
    lines = ["| " + " | ".join(row) + " |" for row in (["quality", *heads], *rows)]
    return "\n".join([lines[0], "|---:" * (1 + len(heads)) + "|", *lines[1:], ""])


def _printed(found: pd.DataFrame, quality: float, name: str) -> str:
    if quality not in found.index:
        return ""
    text = f"{found[name][quality]:+.{DIGITS[name]}f}"
    return (text.lstrip("+-") if float(text) == 0 else text).replace("-", "−")


if __name__ == "__main__":
    print(table(benchbox.load(sys.argv[1] if len(sys.argv) > 1 else str(RUN))), end="")
