"""Starts from weights files: a wider network that begins with the function of a narrower one, and continued training.

At first nothing reads the new channels of the residual networks; new latents carry, by the linear path alone, the
leading directions of what the old latents do not represent. So the transforms are the old ones with less error at high
rates. The hyper-latent describes other latents now and is initialised again (`start.start_hyper`).
"""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import safe_open
from torch import Tensor

from benchbox_resnet.coding.exact import thaw
from benchbox_resnet.coding.weights import load_model
from benchbox_resnet.network.blocks import Pixels, random_blocks
from benchbox_resnet.network.config import LATENT_TABLES, ModelConfig
from benchbox_resnet.network.model import Z_SCALE_MIN, ResidualCodec
from benchbox_resnet.network.start import hyper_crops, start_hyper

#: Parameters that are initialised again: those of z, and of the tables that depend on it.
_ANEW = ("h_s.", "shift_h", "z_", "hyper_", "scale.")
#: The filter of the decoded picture, which an older network need not have: it begins without an effect.
_FILTER = "filter."


def trained_form(path: Path) -> ResidualCodec:
    """The network of a weights file in its training form: integers become floats, and priors of z come from its
    tables."""
    model = load_model(path, torch.device("cpu"))
    net = ResidualCodec(model.config)
    state = net.state_dict() | dict(model.net.state_dict())
    with safe_open(path, framework="numpy") as file:
        exact = {name[6:]: file.get_tensor(name) for name in file.keys() if name.startswith("exact.")}  # noqa: SIM118
    state |= {f"scale.{name}": torch.from_numpy(array) for name, array in thaw(exact).items()}
    mean, scale = _z_moments(model.tables.frequencies, model.tables.bounds, model.config)
    state["z_mean"] = torch.from_numpy(mean).float()
    state["z_scale"] = torch.from_numpy(np.log(np.maximum(scale - Z_SCALE_MIN, 1e-3))).float()
    net.load_state_dict(state)
    return net.to(memory_format=torch.channels_last)  # type: ignore[call-overload, no-any-return]


def as_checkpoint(path: Path) -> dict[str, Any]:
    """The part of a checkpoint that `Trainer.branch` needs with `fresh`, from a weights file: averaged weights, steps
    and seconds so far."""
    model = load_model(path, torch.device("cpu"))
    return {
        "config": model.config.to_json(), "average": trained_form(path).state_dict(), "settings": {"tune": model.tune},
        "step": model.card.get("steps", 0), "seconds": float(model.card.get("training_seconds", 0)),
    }  # fmt: skip


def _z_moments(
    frequencies: npt.NDArray[np.int32], bounds: npt.NDArray[np.int32], config: ModelConfig
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Means and scales, (Q, Z) each, of logistic distributions like the tables of z."""
    ends = np.cumsum(2 * bounds.astype(np.int64) + 2)
    mean, scale = (np.zeros(config.qualities * config.hyper) for _ in "12")
    for i in range(len(mean)):
        bound, end = int(bounds[LATENT_TABLES + i]), int(ends[LATENT_TABLES + i])
        mass = frequencies[end - 2 * bound - 2 : end - 1].astype(np.float64)
        at = np.arange(-bound, bound + 1)
        mean[i] = (mass * at).sum() / mass.sum()
        variance = (mass * (at - mean[i]) ** 2).sum() / mass.sum()
        scale[i] = np.sqrt(3 * variance) / np.pi  # of a logistic distribution: variance = (pi * scale)^2 / 3
    shape = (config.qualities, config.hyper)
    return mean.reshape(shape), scale.reshape(shape)


@torch.no_grad()
def grow(old: ResidualCodec, config: ModelConfig, pictures: list[Pixels], side: int = 256) -> ResidualCodec:
    """`old` as a network of the shape `config`, which may have more channels or latents and any hyper-latent, and is
    equal in all else; `side`: of the crops on which the hyper-latent is initialised, in pixels."""
    net = ResidualCodec(config).to(memory_format=torch.channels_last)  # type: ignore[call-overload]
    before: dict[str, Tensor] = old.state_dict()
    for name, target in net.state_dict().items():
        if name.startswith(_ANEW) or (name.startswith(_FILTER) and old.filter is None):
            continue
        source = before[name]
        if name == "context.0.weight":  # reads (mean, features of z, first half)
            m, had = config.latents, old.config.latents
            target[:, :m], target[:, -m:] = 0.0, 0.0
            target[:, :had], target[:, -m : len(target[0]) - m + had] = source[:, :had], source[:, -had:]
            continue
        places = [torch.arange(n) for n in source.shape]
        if target.ndim == 4:
            target[places[0]] = 0.0  # old outputs do not read new inputs
        target[torch.meshgrid(*places, indexing="ij")] = source
    _more_latents(old, net, pictures)
    start_hyper(net, hyper_crops(pictures, side=side))
    return net  # type: ignore[no-any-return]


def _more_latents(old: ResidualCodec, net: ResidualCodec, pictures: list[Pixels]) -> None:
    """Set linear path and gains of the new latents: the KLT of what the old linear path leaves of blocks."""
    had, has = old.config.latents, net.config.latents
    if had == has:
        return
    blocks = torch.from_numpy(random_blocks(pictures, net.config.stride, 60000))
    blocks -= net.colour.repeat_interleave(net.config.stride**2)
    analysis, synthesis = (layer.weight[:, :, 0, 0] for layer in (old.lin_a, old.lin_s))
    rest = blocks - blocks @ analysis.T @ synthesis.T
    _, vectors = torch.linalg.eigh(rest.T @ rest / len(rest))
    basis = vectors.flip(1)[:, : has - had]
    kept = torch.eye(len(basis)) - synthesis @ analysis
    net.lin_a.weight[had:] = (basis.T @ kept)[:, :, None, None]
    net.lin_s.weight[:, had:] = basis[:, :, None, None]
    for gain, learned in ((net.gain_a, old.gain_a), (net.gain_s, old.gain_s)):
        gain[:, had:] = learned[:, had - 32 :].mean(1, keepdim=True)
