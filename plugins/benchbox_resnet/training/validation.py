"""Estimated bits and quality of a network on held-out pictures."""

import math
from collections.abc import Callable

import torch
from torch import Tensor

from benchbox_resnet.network.blocks import Pixels
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.similarity import SMALLEST, ms_ssim

#: x_hat, x (1, 3, H, W) in [0, 1] -> dB.
Measure = Callable[[Tensor, Tensor], float]


def psnr(x_hat: Tensor, x: Tensor) -> float:
    """PSNR in dB over all pixels and colours of x_hat, x (1, 3, H, W) in [0, 1]."""
    return -10 * math.log10(max(float((x_hat - x).square().mean()), 1e-12))


def ms_ssim_db(x_hat: Tensor, x: Tensor) -> float:
    """MS-SSIM of x_hat, x (1, 3, H, W) in [0, 1] in dB: -10 log10(1 - MS-SSIM)."""
    return -10 * math.log10(max(1 - float(ms_ssim(x_hat, x)), 1e-12))


#: The measure of a model, by what it was trained for.
MEASURES: dict[str, Measure] = {"mse": psnr, "ms-ssim": ms_ssim_db}


@torch.no_grad()
def validate(
    net: ResidualCodec, pictures: list[Pixels], qualities: list[int], measure: Measure = psnr, side: int = 512
) -> list[tuple[float, float]]:
    """Mean (bits per pixel, dB) over centre crops of `pictures`, of at most `side` pixels, at each quality.

    Pictures too small for MS-SSIM's coarsest scale are left out of every measure; empty where none remain.
    """
    device, out = net.colour.device, []
    m = net.config.pad_multiple
    large = [pixels for pixels in pictures if min(pixels.shape[:2]) // m * m >= SMALLEST]
    for q in qualities if large else ():
        rows = []
        for pixels in large:
            h, w = (min(side, n) // m * m for n in pixels.shape[:2])
            top, left = (pixels.shape[0] - h) // 2, (pixels.shape[1] - w) // 2
            crop = torch.from_numpy(pixels[top : top + h, left : left + w].copy()).to(device)
            x = (crop.permute(2, 0, 1)[None].float() / 255).contiguous(memory_format=torch.channels_last)
            estimate = net(x, torch.tensor([q], device=device))
            x_hat = (estimate.x_hat.clamp(0, 1) * 255).round() / 255
            rows.append((float(estimate.y_bits + estimate.z_bits) / (h * w), measure(x_hat, x)))
        out.append((math.fsum(r[0] for r in rows) / len(rows), math.fsum(r[1] for r in rows) / len(rows)))
    return out


def held_out_curve(net: ResidualCodec, pictures: list[Pixels], tune: str) -> list[tuple[float, ...]]:
    """(quality, bits per pixel, dB), rounded, at six qualities over the whole range; empty where `validate` is."""
    last = net.config.qualities - 1
    qualities = sorted({round(last * i / 5) for i in range(6)})
    points = validate(net, pictures, qualities, MEASURES[tune])
    return [(q, round(bpp, 5), round(db, 4)) for q, (bpp, db) in zip(qualities, points, strict=False)]


def as_line(curve: list[tuple[float, ...]]) -> str:
    """A held-out curve as one line of text."""
    return "  ".join(f"q{q:g} {bpp:.3f}/{db:.2f}" for q, bpp, db in curve)
