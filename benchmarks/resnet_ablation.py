"""Variants of the residual-network codec, trained for the same time and for as many steps: table and plot.

    python benchmarks/resnet_ablation.py --data PICTURES --out FOLDER [--seconds 150]

One training at a time, from random weights, on an idle machine. First, each variant trains for that many seconds; then,
each trains long enough for about as many steps as `small` made. BD-rate is against `small`, from PSNR, estimated bits
and the mean curve of the held-out pictures. Variants already in FOLDER are not trained again. Writes
FOLDER/ablation.svg.
"""

import argparse
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import matplotlib
import numpy as np
import torch
from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.model import ResidualCodec
from torch.utils.flop_counter import FlopCounterMode

from benchbox.curves import Curve, bd_rate

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
#: Colours that colour-blind readers can tell apart (after Okabe and Ito 2008); black is the anchor.
COLOURS = ("#000000", "#E69F00", "#56B4E9", "#009E73", "#8C564B", "#0072B2", "#D55E00", "#CC79A7")

#: Percent; only stride 8 exceeds them, at the lowest rates.
LIMITS = (-16, 32)


@dataclass(frozen=True)
class Trained:
    """One variant: its configuration, its training steps, and its curve on the held-out pictures."""

    name: str
    config: ModelConfig
    steps: int
    bpp: np.ndarray
    psnr: np.ndarray

    @property
    def kmacs(self) -> float:
        """Thousands of multiply-accumulates per pixel, encoder and decoder together."""
        net, side = ResidualCodec(self.config).eval(), 256
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            net(torch.rand(1, 3, side, side), torch.tensor([0]))
        return float(counter.get_total_flops() / 2 / side**2 / 1000)

    @property
    def parameters(self) -> int:
        """Number of trained parameters."""
        return sum(p.numel() for p in ResidualCodec(self.config).parameters())

    def curve(self) -> Curve:
        """The mean curve, for BD-rate."""
        quality, none = np.arange(len(self.bpp), dtype=float), np.zeros(len(self.bpp), int)
        return Curve("held out", self.name, "resnet", "psnr", "higher", None, quality, self.bpp, self.psnr, self.psnr,
                     none + 1, none)  # fmt: skip


def trained(name: str, data: Path, out: Path, seconds: float) -> Trained:
    """Train a variant, or read the result of an earlier training."""
    if not (out / "last.pt").exists():
        command = [sys.executable, "-m", "benchbox", "resnet", "train", "--data", str(data), "--out", str(out),
                   "--batch", "8", "--muon-lr", "0.008", "--seconds", str(seconds),
                   "--decay-seconds", str(0.6 * seconds), "--validate-every", "1e9"]  # fmt: skip
        for value in VARIANTS[name]:
            command += ["--set", value]
        subprocess.run(command, check=True, stdout=sys.stderr)
    state = torch.load(out / "last.pt", weights_only=True)
    points = np.array(state["validation"])
    return Trained(name, ModelConfig.from_json(state["config"]), state["step"], points[:, 1], points[:, 2])


def draw(panels: dict[str, list[Trained]], path: Path) -> None:
    """Draw the extra bits of each variant against `small`, over PSNR; one panel for each basis of comparison."""
    figure, rows = plt.subplots(len(panels), figsize=(7, 7), sharex=True, layout="constrained")
    for axes, (title, runs) in zip(rows, panels.items(), strict=True):
        anchor = runs[0]
        for run, colour in zip(runs, COLOURS, strict=True):
            low, high = max(run.psnr[0], anchor.psnr[0]), min(run.psnr[-1], anchor.psnr[-1])
            at = np.linspace(low, high, 100)
            ratio = np.interp(at, run.psnr, np.log(run.bpp)) - np.interp(at, anchor.psnr, np.log(anchor.bpp))
            axes.plot(at, 100 * np.expm1(ratio), color=colour, linewidth=1.6, label=run.name)
        axes.set(title=title, ylabel="bits at equal PSNR,\nagainst small (%)", ylim=LIMITS)
        axes.grid(alpha=0.3)
    rows[0].legend(frameon=False, ncols=2)
    rows[-1].set_xlabel("PSNR (dB), held-out pictures")
    with plt.rc_context({"svg.fonttype": "none", "svg.hashsalt": "benchbox"}):
        figure.savefig(path, metadata={"Date": None})


def main() -> None:
    """Train all variants, print the table and draw the plot."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--seconds", type=float, default=150.0)
    args = parser.parse_args()
    folders = {name: name.replace(" ", "-") for name in VARIANTS}
    timed = [trained(name, args.data, args.out / folder, args.seconds) for name, folder in folders.items()]
    stepped = [timed[0]]
    for run in timed[1:]:
        seconds = args.seconds * timed[0].steps / run.steps
        stepped.append(trained(run.name, args.data, args.out / "steps" / folders[run.name], seconds))
    steps = timed[0].steps
    print("| variant | fields | residual layers | parameters, M | kMAC/pixel | "
          f"steps in {args.seconds:g} s | BD-rate | BD-rate after about {steps} steps |")  # fmt: skip
    print("|---|---|---:|---:|---:|---:|---:|---:|")
    for run, other in zip(timed, stepped, strict=True):
        fields = ", ".join(f"`{value}`" for value in VARIANTS[run.name])
        first, second = (bd_rate(timed[0].curve(), r.curve()).value for r in (run, other))
        print(f"| {run.name} | {fields} | {run.config.residual_layers} | {run.parameters / 1e6:.2f} | "
              f"{run.kmacs:.0f} | {run.steps} | {first:+.1f} % | {second:+.1f} % |")  # fmt: skip
    draw({f"{args.seconds:g} seconds each": timed, f"about {steps} steps each": stepped}, args.out / "ablation.svg")


if __name__ == "__main__":
    main()
