"""A network of random weights, for tests that must hold with any weights, and a weights file of it."""

import dataclasses
from pathlib import Path

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_resnet.coding.entropy import Tables  # noqa: E402
from benchbox_resnet.coding.exact import freeze  # noqa: E402
from benchbox_resnet.coding.tables import build_tables, symbol_statistics  # noqa: E402
from benchbox_resnet.coding.weights import save_model  # noqa: E402
from benchbox_resnet.network.blocks import BlockStatistics  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from benchbox_resnet.network.model import ResidualCodec  # noqa: E402
from benchbox_resnet.network.scale import ScalePath  # noqa: E402
from benchbox_resnet.network.start import hyper_crops, start_hyper  # noqa: E402

NOISY = ModelConfig(channels=8, blocks=1, deep_channels=8, latents=48, hyper=8, context=16, scale_hidden=16,
                    qualities=4, dependent_from=12, filter_channels=8, filter_blocks=1)  # fmt: skip
#: Like NOISY, with rounding steps that follow the picture.
MASKED = dataclasses.replace(NOISY, latents=80, masking=0.75, mask_finer=3, mask_coarser=5, mask_detail_from=40,
                             mask_detail_finer=0, mask_detail_coarser=9)  # fmt: skip


def noisy_network(seed: int = 0, config: ModelConfig = NOISY) -> ResidualCodec:
    """A KLT codec with every residual and entropy network set to noise of a plausible size."""
    torch.manual_seed(seed)
    net = ResidualCodec(config).eval()
    pictures = [np.ascontiguousarray(skimage.data.astronaut())]
    net.start_from(BlockStatistics.measure(pictures, config.stride, config.latents, blocks=2000))
    start_hyper(net, hyper_crops(pictures, 8, 128))
    with torch.no_grad():
        for name, parameter in net.named_parameters():
            if not name.startswith(("lin_", "gain_", "scale.bias_prior_out", "scale.prior_")):
                parameter.add_(torch.randn_like(parameter) * 0.05)
        for part in (net.scale.refine_out, net.scale.refine_near):
            part.weight.copy_(torch.randn_like(part.weight) * 0.3)
    return net


def plain_tables(config: ModelConfig = NOISY) -> Tables:
    """Coding tables without counts."""
    shape = (config.qualities, config.hyper)
    return build_tables(config, np.zeros(shape), np.ones(shape))


def frozen(path: ScalePath) -> dict[str, np.ndarray]:
    """The tensors that `ExactScale` takes, for a network of the shape NOISY."""
    return freeze(path) | symbol_statistics(NOISY, plain_tables())


def save_noisy(path: Path, net: ResidualCodec, tune: str = "mse") -> Path:
    """Write `net` as a weights file; returns `path`."""
    save_model(path, net, plain_tables(net.config), tune, {"data": "noise"})
    return path
