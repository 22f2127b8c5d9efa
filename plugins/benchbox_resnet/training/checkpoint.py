"""Checkpoints: what a run of training leaves in its folder, written whole or not at all."""

import os
from pathlib import Path
from typing import Any

import torch

from benchbox.errors import UsageError
from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.model import ResidualCodec

CPU = torch.device("cpu")


def save_checkpoint(state: dict[str, Any], path: Path) -> None:
    """Write `state` so that a reader never sees half a file, whenever this process or another one dies."""
    partial = path.with_suffix(".partial")
    torch.save(state, partial)
    os.replace(partial, path)


def load_checkpoint(path: Path, device: torch.device = CPU) -> dict[str, Any]:
    """What `save_checkpoint` wrote; raises UsageError for any other file."""
    try:
        state = torch.load(path, weights_only=True, map_location=device)
    except OSError:
        raise
    except Exception:  # torch's unpickler raises errors of many kinds for other files
        state = None
    if not isinstance(state, dict) or not {"config", "settings", "average"} <= state.keys():
        raise UsageError(f"{path}: not a checkpoint of `benchbox resnet train`; give its RUN/last.pt")
    return state


def averaged_network(state: dict[str, Any], config: ModelConfig | None = None) -> ResidualCodec:
    """The network of a checkpoint with its averaged weights, for evaluation; `config` replaces its own, which must have
    the same tensors."""
    net = ResidualCodec(config or ModelConfig.from_json(state["config"]))
    net.load_state_dict(state["average"])
    return net.eval()
