"""Weights files: safetensors with a model card; the scale path as integers, the linear path as float32, the rest as
float16.

Tensor names: `net.*` (float networks), `exact.*` (see `exact.freeze`, `tables.symbol_statistics`), `tables.bounds`,
`tables.frequencies`, `colour_only` (latents that gray pictures do not send).
Metadata: `format`, `config` (JSON of ModelConfig), `tune`, `card` (JSON: data, licences, steps, time, machine,
validation).
"""

import dataclasses
import hashlib
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from safetensors import SafetensorError, safe_open
from safetensors.numpy import save_file

from benchbox.errors import CodecError
from benchbox.files import Foreign, parse_json
from benchbox_resnet.coding.entropy import Tables
from benchbox_resnet.coding.exact import ExactScale, freeze
from benchbox_resnet.coding.fit import check_tensors
from benchbox_resnet.coding.tables import symbol_statistics
from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.model import ResidualCodec

FORMAT = "benchbox-resnet 3"
MOST_BYTES = 1 << 30
#: Of a weights file that is opened; those that are bundled have 14 MB.
_FILE = Foreign("weights file", CodecError, "export the weights again")
#: Parameters kept in float32: the linear path and everything that has one number per channel.
_SINGLE = ("lin_a", "lin_s", "context_linear", "gain_", "feature_", "shift_h", "colour", "finer", "hyper_level",
           "filter.rows")  # fmt: skip
#: Parts of the training form that are replaced by integers.
_REPLACED = ("scale.", "z_mean", "z_scale")


@dataclasses.dataclass(frozen=True)
class Model:
    """A model ready to run. `net` has no scale path and no prior of z: `scale` and `tables` replace them."""

    config: ModelConfig
    net: ResidualCodec
    scale: ExactScale
    tables: Tables
    colour_only: npt.NDArray[np.bool_]  # (M,) latents that a gray picture does not need
    digest: bytes
    card: dict[str, Any]
    tune: str


def save_model(path: Path, net: ResidualCodec, tables: Tables, tune: str, card: dict[str, Any]) -> None:
    """Write the trained `net` with its frozen `tables` to `path`. `tune`: "mse" or "ms-ssim"."""
    tensors: dict[str, npt.NDArray[Any]] = {}
    for name, value in net.state_dict().items():
        if not name.startswith(_REPLACED):
            tensors[f"net.{name}"] = _stored(name, value)
    for name, integers in (freeze(net.scale) | symbol_statistics(net.config, tables)).items():
        tensors["exact." + name] = np.ascontiguousarray(integers)
    tensors["colour_only"] = colour_latents(net).astype(np.uint8)
    tensors["tables.bounds"] = tables.bounds.astype(np.int16)
    tensors["tables.frequencies"] = tables.frequencies.astype(np.uint16)
    metadata = {
        "format": FORMAT, "config": net.config.to_json(), "tune": tune, "card": json.dumps(card, sort_keys=True),
    }  # fmt: skip
    path.parent.mkdir(parents=True, exist_ok=True)
    save_file(tensors, path, metadata)


def replace_network(source: Path, target: Path, net: ResidualCodec, card: dict[str, Any]) -> None:
    """Write `target`: the weights file `source` with other float networks, their configuration, and another card."""
    with safe_open(source, framework="numpy") as file:
        metadata = {**file.metadata(), "config": net.config.to_json(), "card": json.dumps(card, sort_keys=True)}
        tensors = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    save_file(tensors | {f"net.{name}": _stored(name, value) for name, value in net.state_dict().items()},
              target, metadata)  # fmt: skip


def _stored(name: str, value: torch.Tensor) -> npt.NDArray[Any]:
    """A tensor of the float networks as files hold it."""
    dtype = np.float32 if name.startswith(_SINGLE) else np.float16
    return np.ascontiguousarray(value.detach().float().cpu().numpy().astype(dtype))


def colour_latents(net: ResidualCodec, most: float = 0.05) -> npt.NDArray[np.bool_]:
    """(M,): whether at most a share `most` of the energy of a latent's linear synthesis is gray."""
    columns = net.lin_s.weight.detach().double().cpu().numpy().reshape(3, -1, net.config.latents)
    gray = np.square(columns.sum(0)).sum(0) / 3
    return np.asarray(gray < most * np.square(columns).sum((0, 1)))


def file_digest(path: Path) -> bytes:
    """SHA-256 of a weights file; raises CodecError where it cannot be read."""
    if path.exists() and not path.is_file():
        raise CodecError(f"resnet: the weights {path} are no file; name a .safetensors file")
    try:
        with path.open("rb") as file:
            if os.fstat(file.fileno()).st_size > MOST_BYTES:
                raise CodecError(f"resnet: the weights {path} have more than {MOST_BYTES >> 20} MiB; name a weights "
                                 "file of this codec")
            return hashlib.file_digest(file, "sha256").digest()
    except OSError as error:
        raise CodecError(f"resnet: cannot read the weights {path}: {error.strerror}") from error


def load_model(path: Path, device: torch.device) -> Model:
    """Open a weights file on `device`; raises CodecError where it is not a weights file of this codec."""
    digest = file_digest(path)
    try:
        with safe_open(path, framework="numpy") as file:
            metadata: dict[str, str] = file.metadata() or {}
            arrays = {name: np.asarray(file.get_tensor(name)) for name in file.keys()}  # noqa: SIM118
    except (SafetensorError, OSError, ValueError, TypeError, MemoryError) as error:
        raise CodecError(f"resnet: {path} is not a complete safetensors file: {error}") from error
    if metadata.get("format") != FORMAT:
        raise CodecError(f"resnet: {path} is not a weights file of this codec: its format is "
                         f"{metadata.get('format')!r}, not {FORMAT!r}")  # fmt: skip
    try:
        described, tune, card = metadata["config"], metadata["tune"], parse_json(metadata["card"], str(path), _FILE)
    except KeyError as error:
        raise CodecError(f"resnet: {path} does not say its {error.args[0]}; export the weights again") from error
    config = ModelConfig.from_json(described)
    with torch.device("meta"):
        net = ResidualCodec(config)
    check_tensors(path, net, arrays, _REPLACED)
    state = {n[4:]: torch.from_numpy(a.astype(np.float32)) for n, a in arrays.items() if n.startswith("net.")}
    net.load_state_dict(state, strict=False, assign=True)
    del net.scale, net.z_mean, net.z_scale
    net.to(device=device, memory_format=torch.channels_last).eval().requires_grad_(False)  # type: ignore[call-overload]
    exact = {n[6:]: a for n, a in arrays.items() if n.startswith("exact.")}
    tables = Tables(arrays["tables.bounds"].astype(np.int32), arrays["tables.frequencies"].astype(np.int32))
    scale = ExactScale(config, exact, device)
    colour_only = arrays["colour_only"].astype(bool)
    return Model(config, net, scale, tables, colour_only, digest, card, tune)
