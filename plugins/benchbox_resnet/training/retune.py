"""Turns a network trained for mse into a good start for ms-ssim."""

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

import torch
from torch import Tensor, nn

from benchbox_resnet.network.config import MASK_BAND, SCALE_STEP, ModelConfig
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.scale import UNIT

#: The part of an mse model's range of qualities that spends about as many bits as the whole range of an ms-ssim model.
#: Without this mapping, high qualities start far from their optimum.
MS_SSIM_START = (0.0, 0.7)
#: For MS-SSIM, rounding steps grow with a channel's spatial frequency (cycles per pixel) to this power, above this
#: floor: most of its weight lies on coarse scales, which fine channels do not reach. Found on held-out pictures: a
#: power of 0.3 saves 10 % of the bits, 0.6 saves 15 % and 1.0 saves 16 %, before any training.
FREQUENCY_POWER, FREQUENCY_FLOOR = 0.8, 0.06


def mse_qualities(config: ModelConfig) -> list[float]:
    """(Q,): the quality of an mse model that spends about as many bits as each quality of an ms-ssim model."""
    first, last = (share * (config.qualities - 1) for share in MS_SSIM_START)
    return [first + (last - first) * q / (config.qualities - 1) for q in range(config.qualities)]


#: Masking of models tuned for MS-SSIM, which weighs an error by 1 / (2 variance + 58), in squared levels of 255:
#: below a variance of about 30, finer steps gain nothing more. Found on held-out pictures. With a model trained with
#: 216/256 and the bounds 12 and 12, the bounds 2 and 12 save 9 % of its bits, 2 and 6 save 15 %, the same at
#: 154/256, and no masking saves 8 %. Busy places tolerate less error at coarse scales, so that the first 128 latents
#: need closer bounds than the detail after them: with a model trained with 2 and 6, the bounds 2 and 2 for the first
#: and 0 and 5 for the others save 3 % (7 % at high rates); with a model trained with those, 2 and 1 for the first
#: save 0.8 % more.
MASKING: Mapping[str, Any] = MappingProxyType({
    "masking": 154 / 256, "mask_finer": 2, "mask_coarser": 1,
    "mask_detail_from": 128, "mask_detail_finer": 0, "mask_detail_coarser": 5,
})  # fmt: skip
#: The lowest operating point of such a model, about 0.08 bits per pixel, like that of an mse model.
MS_SSIM_RANGE: Mapping[str, Any] = MappingProxyType({"ms_ssim_weight_min": 1.0})


@torch.no_grad()
def respread(net: ResidualCodec, at: Tensor) -> None:
    """Replace each table by quality, row by row, by its values at the qualities `at` (Q,), interpolated linearly, and
    extrapolated beyond the ends."""
    low = at.floor().long().clamp(0, net.config.qualities - 2)
    share = (at - low).to(net.gain_a.device)
    rows = {"hyper_level": net.hyper_level, "scale.mask_level": net.scale.mask_level}
    rows |= {name: p for name, p in net.named_parameters() if p.ndim == 2 and not name.endswith("weight")}
    for p in rows.values():
        p.copy_(p[low] + share.reshape(-1, *[1] * (p.ndim - 1)) * (p[low + 1] - p[low]))


@torch.no_grad()
def retune(net: ResidualCodec, crops: Tensor) -> None:
    """Turn a network trained for mse into a good start for ms-ssim: other bits at each quality, coarser steps for fine
    channels, and, with masking, coarser steps where a picture is busier than the mean of crops (n, 3, H, W) in [0, 1].

    Gains, means and scales change together, so that the network computes the same function with other rounding.
    """
    config = net.config
    respread(net, torch.tensor(mse_qualities(config)))
    finer = -FREQUENCY_POWER * torch.log(frequencies(net).clamp_min(FREQUENCY_FLOOR))
    finer -= finer[config.latents // 16 : 5 * config.latents // 8].mean()
    net.finer.add_(finer)
    net.gain_a.add_(finer)
    net.gain_s.sub_(finer)
    net.scale.bias_prior_out.add_(finer / (SCALE_STEP * UNIT))
    for layer in (net.h_s[-1], net.context[-1]):
        assert isinstance(layer, nn.Conv2d)
        assert layer.bias is not None
        layer.weight[: config.latents].mul_(torch.exp(finer)[:, None, None, None])
        layer.bias[: config.latents].mul_(torch.exp(finer))
    net.shift_h[:, : config.latents].mul_(torch.exp(finer))
    for q in range(config.qualities if config.masking else 0):
        net.scale.mask_level[q] = _activity(net, crops, q)


def _activity(net: ResidualCodec, crops: Tensor, q: int) -> Tensor:
    """The mean activity of crops at a quality, as in `ScalePath.mask`."""
    seen = []
    for part in torch.split(crops, 8):
        row = torch.full((len(part),), q, device=part.device)
        y = net.analyse(part, net.gain_a[row], net.feature_a[row])
        z = net.hyper_analysis(y, net.hyper_level[row]).round()
        seen.append(net.scale.prior(z, row)[:, slice(*MASK_BAND)].mean())
    return torch.stack(seen).mean()


def frequencies(net: ResidualCodec) -> Tensor:
    """(M,): mean spatial frequency of each latent's basis picture, in cycles per pixel, weighted by power."""
    side, device = net.config.stride, net.lin_s.weight.device
    basis = net.lin_s.weight.detach()[:, :, 0, 0].T.reshape(-1, 3, side, side)
    power = torch.fft.fft2(basis).abs().square().sum(1)
    one = torch.fft.fftfreq(side, device=device)
    mean: Tensor = (power * torch.hypot(one[:, None], one[None])).sum((1, 2)) / power.sum((1, 2))
    return mean
