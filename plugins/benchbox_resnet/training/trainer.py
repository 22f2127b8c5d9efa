"""A training run: its state, which a checkpoint holds, and one step."""

import dataclasses
import math
import time
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn

from benchbox_resnet.coding.precision import fast_bfloat16
from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.model import Estimate, ResidualCodec
from benchbox_resnet.network.similarity import ms_ssim
from benchbox_resnet.training.muon import Muon
from benchbox_resnet.training.replicas import Replicas
from benchbox_resnet.training.retune import mse_qualities, respread, retune
from benchbox_resnet.training.settings import Settings

#: A step whose gradient is this many times as large as usual is skipped.
OUTLIER = 8.0


def balancing_lambdas(config: ModelConfig, tune: str) -> Tensor:
    """(Q,): the lambda of each quality. Under ms-ssim they only balance the qualities: each is the lambda of an mse
    model that spends as many bits."""
    spent = mse_qualities(config) if tune == "ms-ssim" else range(config.qualities)
    return torch.tensor([config.lambda_at(q) for q in spent])


def bit_weights(lambdas: Tensor) -> Tensor:
    """Weight of a bit per pixel at each lambda (any shape), which gives all qualities gradients of similar size."""
    return 1 / (20 * lambdas.sqrt())


class Trainer:
    """Network, averaged weights, optimisers and clock; a checkpoint holds all of them."""

    def __init__(self, config: ModelConfig, settings: Settings, device: torch.device, workers: int = 1) -> None:
        """`workers` > 1: CPU threads that take a few crops at a time (see `replicas`); 1: PyTorch's own threads."""
        self.config, self.settings, self.device = config, settings, device
        self.net = ResidualCodec(config).to(device=device, memory_format=torch.channels_last).train()  # type: ignore[call-overload]
        self.average = ResidualCodec(config).to(device=device, memory_format=torch.channels_last).eval()  # type: ignore[call-overload]
        self.bfloat16 = fast_bfloat16(device)
        named = dict(self.net.named_parameters())
        outside = ("lin_", "scale.")
        kernels = [n for n, p in named.items() if p.ndim == 4 and p.shape[1] >= 16 and not n.startswith(outside)]
        dtype = torch.bfloat16 if self.bfloat16 else torch.float32
        params = [named[n] for n in kernels]
        self.muon = Muon(params, settings.muon_lr, weight_decay=settings.weight_decay, dtype=dtype)
        rest = [n for n in named if n not in set(kernels)]
        biases = [n for n in rest if n.startswith("scale.bias") and n.endswith("_out")]
        scales = [n for n in rest if n.startswith("scale.") and n not in biases]
        linear = [n for n in rest if n.startswith("lin_")]
        gains = ["gain_a", "gain_s"]
        others = [n for n in rest if n not in {*biases, *scales, *linear, *gains}]
        parts = (others, scales, biases, linear, gains)
        groups = [{"params": [named[n] for n in names]} for names in parts]
        self.adam = torch.optim.Adam(groups, betas=(0.9, 0.99))
        self.step_count, self.skipped, self.seconds = 0, 0, 0.0
        self.validation: list[tuple[float, ...]] = []  # the last held-out curve: (quality, bits per pixel, dB)
        self.usual_norm = math.inf  # of the gradient; infinite before the first step
        #: Seconds and steps of the run that this one continues.
        self.started, self.first_step = 0.0, 0
        self.lambdas = balancing_lambdas(config, settings.tune).to(device)
        weights = [config.ms_ssim_weight_at(q) for q in range(config.qualities)]
        self.ms_ssim_weights = torch.tensor(weights, device=device)
        self.similarity: Callable[[Tensor, Tensor], Tensor] = ms_ssim
        self.replicas = Replicas(config, self.net, workers) if workers > 1 else None
        self.muon.pool = self.replicas.pool if self.replicas else None

    def compile(self) -> None:
        """Compile the network and MS-SSIM; the first step then takes a minute."""
        self.net.compile()
        self.similarity = torch.compile(ms_ssim)

    def rate_factor(self) -> float:
        """Factor on all learning rates: warm-up, constant, then a cosine to zero over the last `decay_seconds`."""
        s = self.settings
        warm = min(1.0, (self.step_count - self.first_step + 1) / s.warm_up)
        left = s.seconds - (self.seconds - self.started)
        if s.decay_seconds <= 0 or left >= s.decay_seconds:
            return warm
        return warm * (0.5 - 0.5 * math.cos(math.pi * max(0.0, left) / s.decay_seconds) + 0.003)

    def objective(self, net: nn.Module, x: Tensor, q: Tensor) -> tuple[Tensor, dict[str, float]]:
        """Loss (scalar) of a batch x (B, 3, H, W) in [0, 1] at qualities q (B,), and numbers to report."""
        with torch.autocast(self.device.type, torch.bfloat16, enabled=self.bfloat16):
            estimate: Estimate = net(x, q)
        bpp = (estimate.y_bits + estimate.z_bits) / (x.shape[2] * x.shape[3])
        lam = self.lambdas[q]
        if self.settings.tune == "ms-ssim":
            distortion = self.ms_ssim_weights[q] * (1 - self.similarity(estimate.x_hat.clamp(0, 1), x))
        else:
            distortion = lam * 255**2 * (estimate.x_hat - x).square().mean((1, 2, 3))
        loss = ((bpp + distortion) * bit_weights(lam)).mean()
        parts = {"loss": loss, "bpp": bpp.mean(), "distortion": distortion.mean()}
        return loss, {name: float(value.detach()) for name, value in parts.items()}

    def step(self, x: Tensor, model: nn.Module | None = None) -> dict[str, float]:
        """One update on a batch x (B, 3, H, W) in [0, 1]; returns numbers to report. `model`: the network or a
        distributed wrapper of it."""
        begun = time.monotonic()
        factor = self.rate_factor()
        groups = [*self.muon.param_groups, *self.adam.param_groups]
        s = self.settings
        settling = math.sqrt(s.settled / max(s.settled, self.step_count))
        rates = (s.muon_lr, s.adam_lr, s.scale_lr * settling, s.scale_bias_lr, s.linear_lr, s.gain_lr)
        for group, rate in zip(groups, rates, strict=True):
            group["lr"] = rate * factor
        spread = torch.arange(x.shape[0], device=self.device) + torch.rand(x.shape[0], device=self.device)
        q = (spread * (self.config.qualities / x.shape[0])).long()  # every batch spans the range
        if self.replicas is not None:
            report = self.replicas.backward(x, q, self.objective)
        else:
            self.net.zero_grad(set_to_none=True)
            loss, report = self.objective(self.net if model is None else model, x, q)
            loss.backward()  # type: ignore[no-untyped-call]
        norm = float(nn.utils.clip_grad_norm_(self.net.parameters(), self.settings.clip))
        if math.isfinite(norm) and norm < OUTLIER * self.usual_norm:
            self.muon.step()
            self.adam.step()
            self.update_average()
        else:
            self.skipped += 1
        if math.isfinite(norm):  # the usual norm rises when large gradients persist
            known = self.usual_norm if math.isfinite(self.usual_norm) else norm
            self.usual_norm = 0.98 * known + 0.02 * min(norm, 4 * known)
        self.step_count += 1
        self.seconds += min(time.monotonic() - begun, 10.0)  # a process that was suspended loses no training time
        return {**report, "norm": norm, "rate": factor}

    @torch.no_grad()
    def update_average(self) -> None:
        """Move the averaged weights towards the current ones (faster at the beginning)."""
        weight = max(1 - self.settings.ema, 1 / (self.step_count - self.first_step + 1))
        source: list[Tensor] = list(self.net.parameters())
        target: list[Tensor] = list(self.average.parameters())
        torch._foreach_lerp_(target, source, weight)

    def state(self) -> dict[str, Any]:
        """Everything that a later process needs to continue."""
        return {
            "config": self.config.to_json(), "settings": dataclasses.asdict(self.settings),
            "net": self.net.state_dict(), "average": self.average.state_dict(),
            "muon": self.muon.state_dict(), "adam": self.adam.state_dict(),
            "started": self.started, "first_step": self.first_step,
            "step": self.step_count, "skipped": self.skipped, "seconds": self.seconds, "usual_norm": self.usual_norm,
            "validation": self.validation, "rng": torch.get_rng_state(),
        }  # fmt: skip

    def load(self, state: dict[str, Any]) -> None:
        """Continue from `state` exactly as the run that wrote it would have."""
        self.net.load_state_dict(state["net"])
        self.average.load_state_dict(state["average"])
        self.muon.load_state_dict(state["muon"])
        self.adam.load_state_dict(state["adam"])
        self.step_count, self.skipped, self.seconds = state["step"], state["skipped"], state["seconds"]
        self.started, self.first_step = state["started"], state["first_step"]
        self.usual_norm = state["usual_norm"]
        torch.set_rng_state(state["rng"])

    def _qualities_in(self, earlier: ModelConfig) -> Tensor:
        """(Q,): the qualities at which the `earlier` model, tuned for MS-SSIM, had this model's weights."""
        return torch.tensor([earlier.quality_of_ms_ssim_weight(w) for w in self.ms_ssim_weights.tolist()])

    def branch(self, state: dict[str, Any], fresh: bool, crops: Tensor) -> None:
        """Begin a new run from `state`; `fresh`: from its averaged weights, with new optimisers and a warm-up.

        `crops` (n, 3, H, W) in [0, 1] are used when an mse network is turned into one for ms-ssim.
        """
        if fresh:
            self.net.load_state_dict(state["average"])
            self.step_count, self.seconds = state["step"], state["seconds"]
            self.first_step = self.step_count
            if self.settings.tune == "ms-ssim":
                if state["settings"]["tune"] == "mse":
                    retune(self.net, crops.to(self.device))
                else:
                    respread(self.net, self._qualities_in(ModelConfig.from_json(state["config"])))
            self.average.load_state_dict(self.net.state_dict())
        else:
            self.load(state)
        self.started = self.seconds
