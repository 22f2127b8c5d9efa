"""The number format of the float networks. Tables and symbols never depend on it; see `exact`.

    float32   everything
    bfloat16  the residual and context networks
    int8      the products inside residual blocks (see `int8`); the other networks in bfloat16 where that is fast
"""

import copy
import dataclasses
from typing import Literal

import torch

from benchbox.errors import CodecUnavailableError
from benchbox_resnet.coding.weights import Model

Precision = Literal["float32", "bfloat16", "int8"]


def in_bfloat16(model: Model) -> Model:
    """A copy of a model whose residual and context networks have bfloat16 weights, which autocast would otherwise
    convert at every use."""
    net = copy.deepcopy(model.net)
    filtering = () if net.filter is None else (net.filter.enter, net.filter.blocks, net.filter.leave)
    for part in (net.g_a_high, net.g_a_deep, net.g_s_deep, net.g_s_high, net.h_s, net.context, *filtering):
        part.to(torch.bfloat16)
    return dataclasses.replace(model, net=net)


def fast_bfloat16(device: torch.device) -> bool:
    """Whether the device has instructions that multiply bfloat16. Decided by the hardware, never by a measurement, so
    that a machine writes the same bytes and trains the same network under any load."""
    if device.type == "cuda":
        return bool(torch.cuda.is_bf16_supported(including_emulation=False))
    return bool(torch.cpu._is_avx512_bf16_supported() or torch.cpu._is_amx_tile_supported())


def fast_int8(device: torch.device) -> bool:
    """Whether the device is a processor with instructions that multiply bytes (AVX-512 VNNI), which this torch uses."""
    known = device.type == "cpu" and hasattr(torch.ops.onednn, "qconv2d_pointwise")
    return known and bool(torch.cpu._is_vnni_supported())


def fastest(device: torch.device) -> Precision:
    """The precision that `auto` stands for on a device."""
    if fast_int8(device):
        return "int8"
    return "bfloat16" if fast_bfloat16(device) else "float32"


def require(precision: Precision, device: torch.device) -> None:
    """Raise CodecUnavailableError where the device cannot compute in a precision. (bfloat16 works on every device,
    slowly on some.)"""
    if precision == "int8" and not fast_int8(device):
        raise CodecUnavailableError(
            f"resnet: precision int8 needs a processor with AVX-512 VNNI, and the device '{device}' has none; "
            "use precision auto"
        )
