"""Differentiable MS-SSIM for training and the encoder's search; reports use `benchbox`'s own metric.

Source: Wang, Simoncelli and Bovik 2003, "Multiscale structural similarity for image quality assessment"; window,
weights and the treatment of colour follow pytorch-msssim, for which the literature's learned codecs are tuned.
"""

import torch
import torch.nn.functional as F
from torch import Tensor

#: Exponents of the five scales (from the paper).
SCALE_WEIGHTS = (0.0448, 0.2856, 0.3001, 0.2363, 0.1333)
_WINDOW, _SIGMA = 11, 1.5
_C1, _C2 = 0.01**2, 0.03**2
#: Smallest side in pixels that leaves a whole window at the fifth scale: 161.
SMALLEST = (_WINDOW - 1) * 2**4 + 1


def ms_ssim(x: Tensor, y: Tensor) -> Tensor:
    """x, y (B, 3, H, W) in [0, 1], sides of at least `SMALLEST` pixels -> MS-SSIM (B,), the mean over colours."""
    place = torch.arange(_WINDOW, device=x.device, dtype=x.dtype) - _WINDOW // 2
    window = torch.exp(-(place**2) / (2 * _SIGMA**2))
    window = (window / window.sum()).repeat(x.shape[1], 1)
    product = x.new_ones(x.shape[:2])
    for scale, weight in enumerate(SCALE_WEIGHTS):
        if scale:
            pad = [side % 2 for side in x.shape[2:]]
            x, y = (F.avg_pool2d(v, 2, padding=pad) for v in (x, y))
        luminance, structure = _terms(x, y, window)
        last = scale == len(SCALE_WEIGHTS) - 1
        term = (luminance * structure if last else structure).mean((2, 3))
        product = product * torch.relu(term) ** weight
    return product.mean(1)


def _terms(x: Tensor, y: Tensor, window: Tensor) -> tuple[Tensor, Tensor]:
    """Luminance and contrast-structure maps under a separable window (C, n)."""
    channels = x.shape[1]

    def blur(v: Tensor) -> Tensor:
        v = F.conv2d(v, window[:, None, :, None], groups=channels)
        return F.conv2d(v, window[:, None, None, :], groups=channels)

    mean_x, mean_y = blur(x), blur(y)
    xx, yy, xy = blur(x * x) - mean_x**2, blur(y * y) - mean_y**2, blur(x * y) - mean_x * mean_y
    luminance = (2 * mean_x * mean_y + _C1) / (mean_x**2 + mean_y**2 + _C1)
    return luminance, (2 * xy + _C2) / (xx + yy + _C2)
