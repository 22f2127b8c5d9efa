"""A tiny network's configuration, smooth noise to train it on, a folder of it, and a way to run `benchbox resnet`."""

from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner
from PIL import Image

torch = pytest.importorskip("torch")

from benchbox_resnet.commands import resnet  # noqa: E402
from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from torch import Tensor  # noqa: E402

TINY = ModelConfig(channels=8, blocks=1, deep_channels=8, latents=32, hyper=8, context=16, scale_hidden=16, qualities=3)
CPU = torch.device("cpu")


def batch(crop: int = 64, count: int = 2) -> Tensor:
    """(count, 3, crop, crop) in [0, 1], the same each time."""
    torch.manual_seed(0)
    coarse = torch.rand(count, 3, crop // 8, crop // 8)
    smooth = torch.nn.functional.interpolate(coarse, scale_factor=8, mode="bilinear")
    out: Tensor = smooth.contiguous(memory_format=torch.channels_last)
    return out


def write_pictures(folder: Path) -> Path:
    """Four PNG files of 96x96 pixels in `folder`, which is returned."""
    for i in range(4):
        pixels = (batch(96, 1)[0].permute(1, 2, 0) * 255).byte().numpy()
        Image.fromarray(np.roll(pixels, 9 * i, 0)).save(folder / f"{i}.png")
    return folder


def command(*arguments: object) -> str:
    """Run `benchbox resnet ARGUMENTS`; returns what it printed. Errors are raised."""
    done = CliRunner().invoke(resnet, [str(a) for a in arguments], standalone_mode=False, catch_exceptions=False)
    return done.output
