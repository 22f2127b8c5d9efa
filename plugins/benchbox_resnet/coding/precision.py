"""What the float networks compute in. Tables and symbols never depend on it; see `exact`.

    float32   everything
    bfloat16  the residual and context networks
    int8      the products inside residual blocks (see `int8`), the other networks bfloat16 where that is fast
"""

import copy
import dataclasses
from typing import Literal

import torch

from benchbox.errors import CodecUnavailableError
from benchbox_resnet.coding.weights import Model

Precision = Literal["float32", "bfloat16", "int8"]


def in_bfloat16(model: Model) -> Model:
    """A model whose residual networks have bfloat16 weights; autocast would convert them at every use."""
    net = copy.deepcopy(model.net)
    for part in (net.g_a_high, net.g_a_deep, net.g_s_deep, net.g_s_high, net.h_s, net.context):
        part.to(torch.bfloat16)
    return dataclasses.replace(model, net=net)


def has_fast_bfloat16(device: torch.device) -> bool:
    """Whether the device multiplies bfloat16 itself: by what it is, never by a measurement, so that a machine writes
    the same bytes whatever else it does."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def has_fast_int8(device: torch.device) -> bool:
    """Whether the device is a processor that multiplies bytes itself (AVX-512 VNNI), and torch knows how."""
    known = device.type == "cpu" and hasattr(torch.ops.onednn, "qconv2d_pointwise")
    return known and bool(torch.cpu._is_vnni_supported())


def fastest(device: torch.device) -> Precision:
    """The precision that is called `auto`."""
    if has_fast_int8(device):
        return "int8"
    return "bfloat16" if has_fast_bfloat16(device) else "float32"


def require(precision: Precision, device: torch.device) -> None:
    """Refuse what the device does not have. (bfloat16 is everywhere, if slow.)"""
    if precision == "int8" and not has_fast_int8(device):
        raise CodecUnavailableError(
            f"resnet: precision int8 needs a processor with AVX-512 VNNI, which is not what '{device}' is here; "
            "use precision auto"
        )
