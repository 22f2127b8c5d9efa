"""Initialisation of the hyper-latent: a KLT of the latents' log-magnitudes, decoded by least squares.

z tells the decoder how large latents are. A z that is learned from nothing starts smaller than its own rounding noise;
the networks that read it learn to amplify that noise, and training diverges. Here z starts as the leading directions of
log-magnitudes in cells of 4x4 latents, with a rounding step that saves bits overall. (Directions of signed latents, to
predict means, cost 2 % of all bits at the lowest quality and saved nothing: neighbours predict means better.)
"""

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from benchbox_resnet.network.blocks import Pixels, random_blocks
from benchbox_resnet.network.config import SCALE_COUNT, SCALE_STEP
from benchbox_resnet.network.model import Z_SCALE_MIN, ResidualCodec
from benchbox_resnet.network.scale import OUTPUT, UNIT, index_of_scale, scale_of_index

#: Rounding step of z along a direction of unit length. An error e of a scale (natural logarithm) costs e^2 / 2 nats per
#: latent; weighed against the bits of z that gives 3.5. It is larger because tables also learn from the picture.
STEP = 4.5


def hyper_crops(pictures: list[Pixels], count: int = 128, side: int = 256) -> Tensor:
    """(count, 3, side, side) in [0, 1]: random crops of (H, W, 3) pictures for `start_hyper`; smaller pictures are left
    out."""
    large = [p for p in pictures if min(p.shape[:2]) >= side]
    blocks = torch.from_numpy(random_blocks(large, side, count))
    return blocks.reshape(count, 3, side, side).contiguous(memory_format=torch.channels_last)


@torch.no_grad()
def start_hyper(net: ResidualCodec, crops: Tensor) -> None:
    """Set z, its prior and the network of the first tables from crops (n, 3, H, W) in [0, 1], sides multiples of
    `pad_multiple`.

    Networks that read z are reset: means of the first half and features become 0.
    """
    config = net.config
    y = [_latents(net, crops, q) for q in range(config.qualities)]
    cells = [_in_cells(net.magnitudes(v)) for v in y]
    net.hyper_basis.copy_(_directions(cells, config.hyper).reshape(config.hyper, -1, 4, 4) / STEP)
    z = []
    for q, seen in enumerate(cells):
        linear = seen @ net.hyper_basis.flatten(1).T
        net.hyper_level[q] = linear.mean(0)
        z.append((linear - net.hyper_level[q]).round())
        spread = z[q].std(0).clamp_min(0.1) * math.sqrt(3) / math.pi
        net.z_scale[q] = torch.log((spread - Z_SCALE_MIN).clamp_min(0.02))
        net.z_mean[q] = z[q].mean(0)
    _decode(net, z, [_in_cells(v.abs()) for v in y])
    last = net.h_s[-1]
    assert isinstance(last, torch.nn.Conv2d)
    assert last.bias is not None
    last.weight.zero_()
    last.bias.zero_()
    net.shift_h.zero_()


def _latents(net: ResidualCodec, crops: Tensor, q: int) -> Tensor:
    """y (n, M, h, w) of crops (n, 3, H, W)."""
    parts = torch.split(crops, 8)
    rows = [torch.full((len(part),), q) for part in parts]
    return torch.cat([net.analyse(x, net.gain_a[row], net.feature_a[row]) for x, row in zip(parts, rows, strict=True)])


def _in_cells(v: Tensor) -> Tensor:
    """(n, C, h, w) -> (n * h/4 * w/4, C * 16)."""
    return F.pixel_unshuffle(v, 4).permute(0, 2, 3, 1).flatten(0, 2)


def _directions(cells: list[Tensor], count: int) -> Tensor:
    """(count, M * 16): leading directions of cells (n, M * 16), centred quality by quality."""
    centred = torch.cat([c - c.mean(0) for c in cells])
    basis = torch.zeros(count, centred.shape[1])
    _, _, vectors = torch.svd_lowrank(centred, q=min(count + 16, *centred.shape), niter=3)
    found = vectors[:, :count].T
    basis[: len(found)] = found
    return basis


def _decode(net: ResidualCodec, z: list[Tensor], sizes: list[Tensor]) -> None:
    """Set the scale path's first network: hidden units are both signs of z, the last layer is a least-squares fit.

    `sizes`: |y| in cells, one tensor (n, M * 16) for each quality. The fit is in the logarithm, in which small latents
    are clipped; then each channel is shifted at each quality so that its mean magnitude is right.
    """
    hyper, path, m = net.config.hyper, net.scale, net.config.latents
    path.prior_hidden.weight.mul_(0.1)  # the surroundings of a cell contribute little at first
    path.prior_hidden.weight[: 2 * hyper].zero_()
    for sign in (0, 1):
        rows = torch.arange(hyper)
        path.prior_hidden.weight[rows + sign * hyper, rows, 1, 1] = 1.0 - 2.0 * sign
    path.bias_prior_hidden.zero_()
    hidden = [torch.cat([v, -v], 1).relu() for v in z]
    wanted = [index_of_scale(s.clamp_min(0.3)) for s in sizes]
    x = torch.cat([v - v.mean(0) for v in hidden])
    t = torch.cat([v - v.mean(0) for v in wanted])
    fit = torch.linalg.solve(x.T @ x + 0.02 * len(x) * torch.eye(x.shape[1]), x.T @ t)  # (2Z, M * 16)
    path.prior_out.weight.zero_()
    path.prior_out.weight[:, : 2 * hyper] = fit.T[:, :, None, None] / (UNIT * OUTPUT)
    for q, (h, w, s) in enumerate(zip(hidden, wanted, sizes, strict=True)):
        moved = (h @ fit).view(-1, m, 16)
        bias = w.view(-1, m, 16).mean((0, 2)) - moved.mean((0, 2))
        for _ in range(3):
            table = (moved + bias[:, None]).clamp(0, SCALE_COUNT - 0.01)
            ratio = math.sqrt(2) * s.view(-1, m, 16) / scale_of_index(table)
            bias += torch.log(ratio.mean((0, 2)).clamp(1e-2, 1e2)) / SCALE_STEP
        path.bias_prior_out[q] = bias.clamp(-60, 60) / UNIT
