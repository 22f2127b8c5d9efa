"""After the export: the synthesis learns the latents that the encoder really writes.

While everything trains, latents are rounded plainly. Encoders choose them with an eye on bits and on what follows (see
`trellis`), which leaves other errors than rounding. Here encoder and tables are frozen, so that every stream of a crop
is what it will be; from such latents the synthesis alone is trained on. Streams do not change, pictures do.

Source: the same is done for trellis-coded quantisation by "Optimizing Learned Image Compression on Scalar and
Entropy-Constraint Quantization" (arXiv 2506.08662).
"""

import argparse
import dataclasses
import json
import math
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from benchbox_resnet.codec import ResnetCodec, decode_symbols
from benchbox_resnet.coding.bitstream import Stream
from benchbox_resnet.coding.precision import fastest, has_fast_bfloat16
from benchbox_resnet.coding.weights import Model, load_model, replace_network
from benchbox_resnet.info import RESNET
from benchbox_resnet.network.similarity import ms_ssim
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.trainer import balancing_lambdas, bit_weights

CPU = torch.device("cpu")
#: Adam's rates: of the residual network, of the linear path, of gains.
RATES = (1e-4, 1e-5, 2e-4)
WARM_UP = 50
#: Weight of the present parameters in their average.
AVERAGE = 0.005


@dataclasses.dataclass(frozen=True)
class Sample:
    """Crops as they are, uint8 (n, 3, H, W), and as the encoder wrote them: y_hat (n, M, h, w), qualities (n,)."""

    x: Tensor
    y_hat: Tensor
    quality: Tensor


def collect(model: Model, sampler: CropSampler, count: int) -> Sample:
    """Encode `count` crops, every trained quality in turn."""
    codec = ResnetCodec(RESNET, model, precision=fastest(CPU))
    pipeline = codec.encoder
    crops, latents = [], []
    qualities = torch.arange(count) % model.config.qualities
    for quality in qualities.tolist():
        crop = (sampler.draw()[0] * 255).round().to(torch.uint8)
        pixels = np.ascontiguousarray(crop.permute(1, 2, 0).numpy())
        crops.append(crop)
        stream = Stream.unpack(codec.encode(pixels, float(quality)))
        symbols = decode_symbols(pipeline, stream)
        (tile,) = pipeline.tiles_of(symbols[0], 0)
        with torch.inference_mode():
            y_hat = pipeline.latents(*symbols, tile, stream.quality)[0]
        latents.append(y_hat.to(torch.bfloat16, memory_format=torch.contiguous_format))
    return Sample(torch.stack(crops), torch.stack([v.clone() for v in latents]), qualities)


class Polisher:
    """The trainable part of a network: its synthesis."""

    def __init__(self, model: Model) -> None:
        self.model, self.net = model, model.net
        net = model.net
        parts = ([*net.g_s_deep.parameters(), *net.g_s_high.parameters()], [net.lin_s.weight],
                 [net.gain_s, net.feature_s])  # fmt: skip
        self.parameters = [p for part in parts for p in part]
        for p in self.parameters:
            p.requires_grad_()
        self.adam = torch.optim.Adam([{"params": part} for part in parts], betas=(0.9, 0.99))
        self.bfloat16 = has_fast_bfloat16(CPU)
        lambdas, config = balancing_lambdas(model.config, model.tune), model.config
        worth = lambdas * 255**2
        if model.tune == "ms-ssim":
            worth = torch.tensor([config.ms_ssim_weight_at(q) for q in range(config.qualities)])
        self.worth = worth * bit_weights(lambdas)

    def loss(self, sample: Sample, rows: Tensor) -> Tensor:
        """(n,): what the distortion of those rows counts, as in training."""
        q, x = sample.quality[rows], sample.x[rows].float() / 255
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            x_hat = self.net.synthesise(sample.y_hat[rows].float(), self.net.gain_s[q], self.net.feature_s[q])
        if self.model.tune == "ms-ssim":
            lack = 1 - ms_ssim(x_hat.clamp(0, 1), x)
        else:
            lack = (x_hat - x).square().mean((1, 2, 3))
        return self.worth[q] * lack

    def train(self, sample: Sample, seconds: float, steps: int, batch: int, seed: int) -> Iterator[tuple[int, float]]:
        """Fit for so many seconds, or steps if those are over sooner; yields steps and mean loss now and then, and
        leaves averaged parameters behind."""
        average = [p.detach().clone() for p in self.parameters]
        order = torch.Generator().manual_seed(seed)
        begun, step, mean = time.monotonic(), 0, 0.0
        rows = torch.empty(0, dtype=torch.long)
        while (spent := max((time.monotonic() - begun) / seconds, step / steps)) < 1:
            factor = (0.5 + 0.5 * math.cos(math.pi * spent)) * min(1.0, (step + 1) / WARM_UP)
            for group, rate in zip(self.adam.param_groups, RATES, strict=True):
                group["lr"] = rate * factor
            if len(rows) < batch:
                rows = torch.randperm(len(sample.x), generator=order)
            loss = self.loss(sample, rows[:batch]).mean()
            rows = rows[batch:]
            self.adam.zero_grad()
            loss.backward()  # type: ignore[no-untyped-call]
            torch.nn.utils.clip_grad_norm_(self.parameters, 1.0)
            self.adam.step()
            step += 1
            with torch.no_grad():
                torch._foreach_lerp_(average, self.parameters, max(AVERAGE, 1 / step))
            mean += (float(loss.detach()) - mean) * max(0.01, 1 / step)
            if step % 100 == 0:
                yield step, mean
        with torch.no_grad():
            for p, averaged in zip(self.parameters, average, strict=True):
                p.copy_(averaged)
        yield step, mean

    @torch.no_grad()
    def validate(self, sample: Sample, batch: int) -> float:
        """Mean loss of a sample."""
        rows = torch.split(torch.arange(len(sample.x)), batch)
        return float(torch.cat([self.loss(sample, part) for part in rows]).mean())


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `polish`."""
    parser.add_argument("--weights", type=Path, required=True, help="what `export` wrote")
    parser.add_argument("--data", type=Path, required=True, help="folder of training pictures")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write (.safetensors)")
    parser.add_argument("--seconds", type=float, default=600.0)
    parser.add_argument("--steps", type=int, default=1_000_000, help="stop after so many, if that is sooner")
    parser.add_argument("--crops", type=int, default=3200, help="crops to encode first, about 0.05 s each")
    parser.add_argument("--held-out", type=int, default=128, help="crops of held-out pictures, to see what it gains")
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--crop", type=int, default=256)
    parser.add_argument("--seed", type=int, default=1)


def run(args: argparse.Namespace) -> None:
    """Polish a weights file into another."""
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    model = load_model(args.weights, CPU)
    data = TrainingData.load(args.data, args.crop)
    sample = collect(model, CropSampler(data, 1, args.crop, args.seed), args.crops)
    unseen = TrainingData([p for p in data.validation if min(p.shape[:2]) >= args.crop], [])
    held_out = None
    if unseen.train and args.held_out:
        held_out = collect(model, CropSampler(unseen, 1, args.crop, args.seed), args.held_out)
    polisher = Polisher(model)
    before = polisher.validate(held_out, args.batch) if held_out else None
    begun = time.monotonic()
    for step, loss in polisher.train(sample, args.seconds, args.steps, args.batch, args.seed):
        print(f"step {step} loss {loss:.5f}", flush=True)
    spent = time.monotonic() - begun
    after = polisher.validate(held_out, args.batch) if held_out else None
    earlier = model.card.get("polish", {"seconds": 0, "steps": 0})
    gain = {"seconds": round(earlier["seconds"] + spent, 1), "steps": earlier["steps"] + step,
            "held_out_before": before, "held_out_after": after}  # fmt: skip
    replace_network(args.weights, args.out, model.net, {**model.card, "polish": gain})
    print(json.dumps(gain))
