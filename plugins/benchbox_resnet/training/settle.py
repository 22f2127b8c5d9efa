"""The end of training: transforms at rest, the networks that choose coding tables are fitted to what is coded.

While everything else moves, the scale path must go slowly (see `training.Settings.scale_lr`) and trails behind. Here
latents are integers, nothing but the scale path changes, and as many crops take a quarter of the time. On held-out
pictures four minutes after 44,000 steps of training saved 3 % of the estimated bits at the lowest and 16 % at the
highest quality; in real bytes it is less, since tables learn from the picture besides.
"""

import argparse
import math
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from benchbox_resnet.network.config import MASK_BAND, ModelConfig
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.rate import laplace_bits
from benchbox_resnet.network.scale import Z_LIMIT, scale_of_index
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.trainer import balancing_lambdas, bit_weights, fast_bfloat16, save_checkpoint
from benchbox_resnet.training.validation import as_line, held_out_curve

#: Adam's rate for weights and for the biases at the end, which are in units of eight tables.
RATE, BIAS_RATE = 1e-3, 4e-3
WARM_UP = 50


def table_bits(net: ResidualCodec, x: Tensor, q: Tensor, bfloat16: bool = False) -> Tensor:
    """x (B, 3, H, W) in [0, 1], sides multiples of the padding, qualities q (B,) -> bits (B,) of the rounded latents
    under the tables that the scale path chooses; `bfloat16`: analysis in that precision."""
    with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
        y = net.analyse(x, net.gain_a[q], net.feature_a[q])
        z_hat = net.hyper_analysis(y, net.hyper_level[q]).clamp(-Z_LIMIT, Z_LIMIT).round()
    seen = net.code(y, z_hat, q)
    return laplace_bits(seen.symbols, scale_of_index(seen.table)).sum((1, 2, 3))


def free_parameters(net: ResidualCodec) -> dict[str, nn.Parameter]:
    """Leave gradients to the scale path alone and give its parameters by name.

    Where rounding steps follow the prior's tables of `MASK_BAND` (masking), those tables stay: moved, they would move
    what is coded. Their rows of the prior's last layer get no gradient, and its hidden layer none at all.
    """
    net.requires_grad_(False)
    named = dict(net.scale.named_parameters())
    if net.config.masking:
        del named["prior_hidden.weight"], named["bias_prior_hidden"]
    for parameter in named.values():
        parameter.requires_grad_()
    if net.config.masking:
        free = torch.ones(net.config.latents, device=net.colour.device)
        free[slice(*MASK_BAND)] = 0
        rows = free.repeat_interleave(16)[:, None, None, None]  # pixel_shuffle(4): 16 for each latent
        for tensor, keep in ((net.scale.prior_out.weight, rows), (net.scale.bias_prior_out, free)):
            tensor.register_hook(keep.mul)  # type: ignore[no-untyped-call]
    return named


def settle(net: ResidualCodec, sampler: CropSampler, weights: Tensor, seconds: float) -> Iterator[tuple[int, float]]:
    """Fit the scale path of `net` for so many seconds; yields steps so far and mean weighted loss, now and then.

    `weights` (Q,): what a bit a pixel counts at each quality.
    """
    device, side = net.colour.device, sampler.crop
    ends = {"bias_prior_out", "bias_refine_out"}
    named = free_parameters(net)
    groups = [{"params": [p for n, p in named.items() if (n in ends) == last]} for last in (False, True)]
    adam = torch.optim.Adam(groups, betas=(0.9, 0.99))
    fast, begun, steps, mean = fast_bfloat16(device), time.monotonic(), 0, 0.0
    while (spent := time.monotonic() - begun) < seconds:
        factor = (0.5 + 0.5 * math.cos(math.pi * spent / seconds)) * min(1.0, (steps + 1) / WARM_UP)
        for group, rate in zip(adam.param_groups, (RATE, BIAS_RATE), strict=True):
            group["lr"] = rate * factor
        x = sampler.draw().to(device)
        spread = torch.arange(len(x), device=device) + torch.rand(len(x), device=device)
        q = (spread * (net.config.qualities / len(x))).long()
        loss = (table_bits(net, x, q, fast) * weights[q]).mean() / side**2
        adam.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        adam.step()
        steps += 1
        mean += (float(loss.detach()) - mean) * max(0.02, 1 / steps)
        if steps % 100 == 0:
            yield steps, mean
    yield steps, mean


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `settle`."""
    parser.add_argument("--checkpoint", type=Path, required=True, help="what `train` wrote: RUN/last.pt")
    parser.add_argument("--data", type=Path, required=True, help="folder of training pictures")
    parser.add_argument("--out", type=Path, required=True, help="checkpoint to write, for `export`")
    parser.add_argument("--seconds", type=float, default=240.0)
    parser.add_argument("--batch", type=int, default=16)
    parser.add_argument("--crop", type=int, default=192)
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> None:
    """Settle the averaged weights of a checkpoint."""
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    state: dict[str, Any] = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    config = ModelConfig.from_json(state["config"])
    net = ResidualCodec(config).to(memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
    net.load_state_dict(state["average"])
    data = TrainingData.load(args.data, args.crop)
    weights = bit_weights(balancing_lambdas(config, state["settings"]["tune"]))
    for steps, loss in settle(net, CropSampler(data, args.batch, args.crop, args.seed), weights, args.seconds):
        print(f"step {steps} loss {loss:.4f}", flush=True)
    state["average"] = net.state_dict()
    state["validation"] = held_out_curve(net, data.validation, state["settings"]["tune"])
    if state["validation"]:
        print(f"[validation] {as_line(state['validation'])}")
    state["seconds"] += args.seconds
    save_checkpoint(state, args.out)
