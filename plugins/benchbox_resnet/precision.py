"""What the float networks compute in. Tables and symbols never depend on it; see `exact`."""

import copy
import dataclasses

import torch

from benchbox_resnet.weights import Model


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
