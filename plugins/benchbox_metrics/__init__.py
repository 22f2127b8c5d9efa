"""PSNR of all channels, of luma and of YCbCr; SSIM and MS-SSIM; CIEDE2000; and, where their libraries or programs are
installed, VMAF, LPIPS, SSIMULACRA 2 and Butteraugli. Bits per pixel are no metric: the core computes them from streams.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from benchbox import hookimpl

if TYPE_CHECKING:
    from benchbox import Metric


@hookimpl
def benchbox_metrics() -> Sequence[Metric]:
    """The metrics of this plugin; scikit-image, numba and torch are not imported before `Metric.open`."""
    from benchbox_metrics import ciede2000, libjxl, libvmaf, lpips, ms_ssim, psnr, psnr_y, psnr_yuv, ssim

    return [psnr.PSNR, psnr_y.PSNR_Y, psnr_yuv.PSNR_YUV, ssim.SSIM, ms_ssim.MS_SSIM, ciede2000.CIEDE2000,
            *libvmaf.metrics(), *lpips.metrics(), *libjxl.metrics()]
