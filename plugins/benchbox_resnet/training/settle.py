"""`benchbox resnet settle`, after training: fits the networks that choose coding tables to fixed transforms.

In training the scale path must move slowly (see `Settings.scale_lr`) and lags behind the transforms. Here latents are
rounded and only the scale path changes, so that the same number of crops takes a quarter of the time. On held-out
pictures, four minutes after 44,000 steps of training saved 3 % of the estimated bits at the lowest and 16 % at the
highest quality; the savings in real bytes are smaller, since tables also learn from the picture.
"""

import math
import time
from collections.abc import Iterator
from pathlib import Path

import torch
from torch import Tensor, nn

from benchbox_resnet.coding.precision import fast_bfloat16
from benchbox_resnet.network.config import MASK_BAND
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.rate import laplace_bits
from benchbox_resnet.network.scale import Z_LIMIT, scale_of_index
from benchbox_resnet.training.checkpoint import averaged_network, load_checkpoint, save_checkpoint
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.trainer import balancing_lambdas, bit_weights
from benchbox_resnet.training.validation import as_line, held_out_curve

#: Adam's rates: of weights, and of the biases of the last layers, which are in units of eight tables.
RATE, BIAS_RATE = 1e-3, 4e-3
WARM_UP = 50


def table_bits(net: ResidualCodec, x: Tensor, q: Tensor, bfloat16: bool = False) -> Tensor:
    """x (B, 3, H, W) in [0, 1], sides multiples of `pad_multiple`, qualities q (B,) -> bits (B,) of the rounded latents
    under the tables that the scale path chooses; `bfloat16`: analysis in that precision."""
    with torch.no_grad(), torch.autocast(x.device.type, torch.bfloat16, enabled=bfloat16):
        y = net.analyse(x, net.gain_a[q], net.feature_a[q])
        z_hat = net.hyper_analysis(y, net.hyper_level[q]).clamp(-Z_LIMIT, Z_LIMIT).round()
    seen = net.code(y, z_hat, q)
    return laplace_bits(seen.symbols, scale_of_index(seen.table)).sum((1, 2, 3))


def free_parameters(net: ResidualCodec) -> dict[str, nn.Parameter]:
    """Disable gradients except those of the scale path, and return its parameters by name.

    With masking, rounding steps follow the prior's tables of `MASK_BAND`, which therefore stay fixed: their rows of the
    prior's last layer get no gradient, and its hidden layer none at all.
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
        rows = free.repeat_interleave(16)[:, None, None, None]  # 16 for each latent, see pixel_shuffle(4)
        for tensor, keep in ((net.scale.prior_out.weight, rows), (net.scale.bias_prior_out, free)):
            tensor.register_hook(keep.mul)  # type: ignore[no-untyped-call]
    return named


def settle(net: ResidualCodec, sampler: CropSampler, weights: Tensor, seconds: float) -> Iterator[tuple[int, float]]:
    """Fit the scale path of `net` for so many seconds; yields steps and mean weighted loss every 100 steps and at the
    end. `weights` (Q,): the weight of a bit per pixel at each quality.
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


def run(checkpoint: Path, data: Path, out: Path, seconds: float, batch: int, crop: int, seed: int) -> None:
    """Settle the averaged weights of a checkpoint and write another."""
    torch.set_flush_denormal(True)
    torch.manual_seed(seed)
    state = load_checkpoint(checkpoint)
    net = averaged_network(state).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    pictures = TrainingData.load(data, crop)
    weights = bit_weights(balancing_lambdas(net.config, state["settings"]["tune"]))
    for steps, loss in settle(net, CropSampler(pictures, batch, crop, seed), weights, seconds):
        print(f"step {steps} loss {loss:.4f}", flush=True)
    state["average"] = net.state_dict()
    state["validation"] = held_out_curve(net, pictures.validation, state["settings"]["tune"])
    if state["validation"]:
        print(f"[validation] {as_line(state['validation'])}")
    state["seconds"] += seconds
    save_checkpoint(state, out)
