"""Whether the tensors of a weights file are those that its configuration asks for: names, shapes, kinds, values."""

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchbox.errors import CodecError
from benchbox_resnet.network.config import GRID, LATENT_TABLES, SCALE_COUNT, TABLE_KINDS, ModelConfig
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.scale import SYMBOL_LIMIT

#: Tensors of `exact.freeze` that are weights of a layer, and those that are parameters of their own.
_LAYERS = ("prior_hidden", "prior_out", "refine_near", "refine_hidden", "refine_out")
_ROWS = ("bias_prior_hidden", "bias_prior_out", "bias_refine_hidden", "bias_refine_out", "mask_level")


def check_tensors(path: object, net: ResidualCodec, tensors: Mapping[str, npt.NDArray[Any]], replaced: tuple[str, ...]
                  ) -> None:  # fmt: skip
    """Raise CodecError, naming the tensor and the weights file `path`, where `tensors` are not those of `net`, which
    may be on torch's meta device; `replaced`: beginnings of the names of those parts of it that are not in the file."""
    wanted = {f"net.{name}": tuple(value.shape) for name, value in net.state_dict().items()
              if not name.startswith(replaced)} | _exact(net)  # fmt: skip
    for name in sorted({*wanted, *tensors}):
        if name not in tensors:
            raise CodecError(f"resnet: {path} has no tensor '{name}'; export the weights again")
        if name not in wanted:
            raise CodecError(f"resnet: {path} has a tensor '{name}' that its configuration does not ask for; export "
                             "the weights again")
        found = tensors[name]
        if tuple(found.shape) != wanted[name]:
            if name == "tables.frequencies":  # as long as the bounds say, see `entropy.Tables`
                continue
            raise CodecError(f"resnet: in {path} the tensor '{name}' is {_size(found.shape)}, where its configuration "
                             f"asks for {_size(wanted[name])}; export the weights again")
        if found.dtype.kind not in ("f" if name.startswith("net.") else "iu"):
            raise CodecError(f"resnet: in {path} the tensor '{name}' holds {found.dtype}; export the weights again")
        if found.dtype.kind == "f" and not np.isfinite(found).all():
            raise CodecError(f"resnet: in {path} the tensor '{name}' holds numbers that are not finite; train again")
    if tensors["tables.frequencies"].ndim != 1 or tensors["tables.frequencies"].dtype.kind not in "iu":
        raise CodecError(f"resnet: in {path} the tensor 'tables.frequencies' is no list of integers; export the "
                         "weights again")


def _exact(net: ResidualCodec) -> dict[str, tuple[int, ...]]:
    """Name -> shape of the integers that replace the scale path, and of the coding tables."""
    config: ModelConfig = net.config
    shapes = {f"exact.{name}": tuple(getattr(net.scale, name).weight.shape) for name in _LAYERS}
    shapes |= {f"exact.{name}": tuple(getattr(net.scale, name).shape) for name in _ROWS}
    return shapes | {
        "exact.features": (GRID * (SYMBOL_LIMIT + 1),), "exact.expected": (TABLE_KINDS, SCALE_COUNT),
        "exact.expected_seen": (SCALE_COUNT,), "colour_only": (config.latents,),
        "tables.bounds": (LATENT_TABLES + config.qualities * config.hyper,), "tables.frequencies": (),
    }  # fmt: skip


def _size(shape: tuple[int, ...] | torch.Size) -> str:
    return "x".join(map(str, shape)) or "one number"
