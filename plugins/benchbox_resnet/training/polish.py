"""`benchbox resnet polish`, after the export: trains the synthesis on the latents that the encoder writes.

In training, latents are rounded to the nearest integer. The encoder also weighs bits and plans ahead (see
`coding.trellis`), and its errors are distributed differently. Here encoder and tables are frozen: crops are encoded
once, and only the synthesis is trained on the decoded latents. Streams do not change, pictures do.

Source: "Optimizing Learned Image Compression on Scalar and Entropy-Constraint Quantization" (arXiv 2506.08662) does the
same for trellis-coded quantisation.
"""

import dataclasses
import json
import math
import time
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor

from benchbox_resnet.codec import ResnetCodec, decode_symbols
from benchbox_resnet.coding.bitstream import Stream
from benchbox_resnet.coding.precision import fast_bfloat16, fastest
from benchbox_resnet.coding.weights import Model, load_model, replace_network
from benchbox_resnet.info import RESNET
from benchbox_resnet.network.filter import PictureFilter
from benchbox_resnet.network.similarity import ms_ssim
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.settings import PolishOptions
from benchbox_resnet.training.trainer import balancing_lambdas, bit_weights

CPU = torch.device("cpu")
#: Adam's rates: of the residual network, of the linear path, of gains and of the filter, which may be new.
RATES = (1e-4, 1e-5, 2e-4, 1e-3)
WARM_UP = 50
#: Weight of the current parameters in their running average.
AVERAGE = 0.005


@dataclasses.dataclass(frozen=True)
class Sample:
    """Crops x (n, 3, H, W), uint8, and their decoded latents y_hat (n, M, h, w), bfloat16, at qualities (n,)."""

    x: Tensor
    y_hat: Tensor
    quality: Tensor


def collect(model: Model, sampler: CropSampler, count: int) -> Sample:
    """Encode and decode `count` crops, at each trained quality in turn."""
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


def with_filter(model: Model, channels: int) -> Model:
    """`model`, whose network gets a filter of the decoded picture (see `network.filter`) that changes nothing yet."""
    config = dataclasses.replace(model.config, filter_channels=channels)
    model.net.config = config
    model.net.filter = PictureFilter(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    return dataclasses.replace(model, config=config)


class Polisher:
    """Trains the synthesis of a model in place."""

    def __init__(self, model: Model) -> None:
        """Gradients are enabled for the synthesis only."""
        self.model, self.net = model, model.net
        net = model.net
        parts = ([*net.g_s_deep.parameters(), *net.g_s_high.parameters()], [net.lin_s.weight],
                 [net.gain_s, net.feature_s], [] if net.filter is None else [*net.filter.parameters()])  # fmt: skip
        self.parameters = [p for part in parts for p in part]
        for p in self.parameters:
            p.requires_grad_()
        self.adam = torch.optim.Adam([{"params": part} for part in parts], betas=(0.9, 0.99))
        self.bfloat16 = fast_bfloat16(CPU)
        lambdas, config = balancing_lambdas(model.config, model.tune), model.config
        worth = lambdas * 255**2
        if model.tune == "ms-ssim":
            worth = torch.tensor([config.ms_ssim_weight_at(q) for q in range(config.qualities)])
        self.worth = worth * bit_weights(lambdas)

    def loss(self, sample: Sample, rows: Tensor) -> Tensor:
        """(n,): the distortion of some rows (n,) of a sample, weighted as in training."""
        q, x = sample.quality[rows], sample.x[rows].float() / 255
        with torch.autocast("cpu", torch.bfloat16, enabled=self.bfloat16):
            x_hat = self.net.synthesise(sample.y_hat[rows].float(), self.net.gain_s[q], self.net.feature_s[q],
                                        self.net.filtering(lambda numbers: numbers[q]))
        if self.model.tune == "ms-ssim":
            lack = 1 - ms_ssim(x_hat.clamp(0, 1), x)
        else:
            lack = (x_hat - x).square().mean((1, 2, 3))
        return self.worth[q] * lack

    def train(self, sample: Sample, seconds: float, steps: int, batch: int, seed: int) -> Iterator[tuple[int, float]]:
        """Train for so many seconds or steps, whichever end first; yields steps and mean loss every 100 steps and at
        the end, and leaves the averaged parameters in the network."""
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


def run(options: PolishOptions) -> None:
    """Polish a weights file and write another; prints the loss on held-out crops before and after, as JSON."""
    torch.set_flush_denormal(True)
    torch.manual_seed(options.seed)
    crop, batch, seed = options.crop, options.batch, options.seed
    model = load_model(options.weights, CPU)
    if options.filter_channels and model.net.filter is None:
        model = with_filter(model, options.filter_channels)
    data = TrainingData.load(options.data, crop)
    sample = collect(model, CropSampler(data, 1, crop, seed), options.crops)
    unseen = TrainingData([p for p in data.validation if min(p.shape[:2]) >= crop], [])
    held_out = None
    if unseen.train and options.held_out:
        held_out = collect(model, CropSampler(unseen, 1, crop, seed), options.held_out)
    polisher = Polisher(model)
    before = polisher.validate(held_out, batch) if held_out else None
    begun = time.monotonic()
    for step, loss in polisher.train(sample, options.seconds, options.steps, batch, seed):
        print(f"step {step} loss {loss:.5f}", flush=True)
    spent = time.monotonic() - begun
    after = polisher.validate(held_out, batch) if held_out else None
    earlier = model.card.get("polish", {"seconds": 0, "steps": 0})
    gain = {"seconds": round(earlier["seconds"] + spent, 1), "steps": earlier["steps"] + step,
            "held_out_before": before, "held_out_after": after}  # fmt: skip
    replace_network(options.weights, options.out, model.net, {**model.card, "polish": gain})
    print(json.dumps(gain))
