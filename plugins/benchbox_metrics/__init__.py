"""PSNR, PSNR of luma, SSIM and MS-SSIM. Bits per pixel are no metric: the core computes them from the stream."""

from __future__ import annotations

from collections.abc import Sequence

from benchbox import Metric, hookimpl


@hookimpl
def benchbox_metrics() -> Sequence[Metric]:
    """The metrics of this plugin; scikit-image and numba are not imported before `Metric.open`."""
    from benchbox_metrics import ms_ssim, psnr, psnr_y, ssim

    return [psnr.PSNR, psnr_y.PSNR_Y, ssim.SSIM, ms_ssim.MS_SSIM]
