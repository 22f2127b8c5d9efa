"""Variants of the residual-network codec, each trained for the same time from nothing: table and plot.

    python benchmarks/resnet_ablation.py --data PICTURES --out FOLDER [--seconds 150]

One training at a time, on an idle machine. BD-rate is by PSNR, estimated bits and the mean curve of the held-out
pictures, against `small`. A variant whose folder is there already is not trained again. Writes FOLDER/ablation.svg.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from benchbox_resnet.config import ModelConfig
from benchbox_resnet.model import ResidualCodec
from torch.utils.flop_counter import FlopCounterMode

from benchbox.bd import bd_rate
from benchbox.curves import Curve

matplotlib.use("Agg")
from matplotlib import pyplot as plt

VARIANTS = {
    "small": [],
    "no residual blocks": ["blocks=0", "deep_blocks=0"],
    "shallower": ["blocks=1", "deep_blocks=1"],
    "deeper": ["blocks=6", "deep_blocks=6"],
    "narrower": ["channels=64", "deep_channels=64"],
    "wider": ["channels=192", "deep_channels=192"],
    "stride 8": ["stride=8", "latents=192"],
    "gelu": ["activation=gelu"],
}
#: Colours that stay apart for colour-blind readers (after Okabe and Ito 2008); black is what others are compared with.
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#8C564B", "#0072B2", "#D55E00", "#CC79A7")


@dataclass(frozen=True)
class Trained:
    """One variant: what it is, what training did, and its curve on the held-out pictures."""

    name: str
    config: ModelConfig
    steps: int
    bpp: np.ndarray
    psnr: np.ndarray

    @property
    def kmacs(self) -> float:
        """Thousands of multiply-accumulates for each pixel, encoder and decoder together."""
        net, side = ResidualCodec(self.config).eval(), 256
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(torch.rand(1, 3, side, side), torch.tensor([0]))
        return float(counter.get_total_flops() / 2 / side**2 / 1000)

    @property
    def parameters(self) -> int:
        """Trained numbers."""
        return sum(p.numel() for p in ResidualCodec(self.config).parameters())

    def curve(self) -> Curve:
        """The curve of means, for BD-rate."""
        quality, none = np.arange(len(self.bpp), dtype=float), np.zeros(len(self.bpp), int)
        return Curve("held out", self.name, "resnet", "psnr", "higher", None, quality, self.bpp, self.psnr, self.psnr,
                     none + 1, none)  # fmt: skip


def trained(name: str, data: Path, folder: Path, seconds: float) -> Trained:
    """Train a variant, or read what an earlier call trained."""
    out = folder / name.replace(" ", "-")
    if not (out / "last.pt").exists():
        command = [sys.executable, "-m", "benchbox_resnet.train", "--data", str(data), "--out", str(out),
                   "--batch", "8", "--muon-lr", "0.008", "--seconds", str(seconds),
                   "--decay-seconds", str(0.6 * seconds), "--validate-every", "1e9"]  # fmt: skip
        for value in VARIANTS[name]:
            command += ["--set", value]
        subprocess.run(command, check=True, stdout=sys.stderr)
    state = torch.load(out / "last.pt", weights_only=True)
    points = np.array(state["validation"])
    return Trained(name, ModelConfig.from_json(state["config"]), state["step"], points[:, 1], points[:, 2])


def draw(runs: list[Trained], path: Path) -> None:
    """Bits of each variant beyond those of `small`, over PSNR."""
    anchor = runs[0]
    figure, axes = plt.subplots(figsize=(7, 4.2), layout="constrained")
    for run, colour in zip(runs, COLOURS, strict=True):
        low, high = max(run.psnr[0], anchor.psnr[0]), min(run.psnr[-1], anchor.psnr[-1])
        at = np.linspace(low, high, 100)
        ratio = np.interp(at, run.psnr, np.log(run.bpp)) - np.interp(at, anchor.psnr, np.log(anchor.bpp))
        axes.plot(at, 100 * np.expm1(ratio), color=colour, linewidth=1.6, label=run.name)
    axes.set(xlabel="PSNR (dB), held-out pictures", ylabel="bits at equal PSNR, against small (%)")
    axes.grid(alpha=0.3)
    axes.legend(frameon=False, ncols=2)
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "benchbox", "font.family": "sans-serif"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Train, print the table, draw."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=150.0)
    args = parser.parse_args()
    runs = [trained(name, args.data, args.out, args.seconds) for name in VARIANTS]
    print(f"{args.seconds:g} s each\n")
    print("| variant | fields | residual layers | parameters, M | kMAC/pixel | steps | BD-rate |")
    print("|---|---|---:|---:|---:|---:|---:|")
    for run in runs:
        bd = bd_rate(runs[0].curve(), run.curve())
        fields = ", ".join(f"`{value}`" for value in VARIANTS[run.name])
        print(f"| {run.name} | {fields} | {run.config.residual_layers} | {run.parameters / 1e6:.2f} | "
              f"{run.kmacs:.0f} | {run.steps} | {bd.value:+.1f} % |")  # fmt: skip
    draw(runs, args.out / "ablation.svg")


if __name__ == "__main__":
    main()
