"""Several processes that train one network: `torchrun` starts them, DistributedDataParallel averages gradients."""

import contextlib
import dataclasses
import os
from collections.abc import Iterator

import torch
import torch.distributed as dist
from torch import nn
from torch.nn.parallel import DistributedDataParallel


@dataclasses.dataclass(frozen=True)
class World:
    """This process, number `rank` of `size`; the only one where torchrun did not start it."""

    rank: int = 0
    size: int = 1

    def wrap(self, net: nn.Module, device: torch.device) -> nn.Module:
        """The network that `Trainer.step` should call: with gradients averaged over all processes."""
        if self.size == 1:
            return net
        ids = [device.index or 0] if device.type == "cuda" else None
        return DistributedDataParallel(net, device_ids=ids)

    def agree(self, value: float, device: torch.device) -> float:
        """The value of the first process; all processes must call this at the same place."""
        if self.size == 1:
            return value
        said = torch.tensor([value], dtype=torch.float64, device=device)
        dist.broadcast(said, 0)
        return float(said.item())


@contextlib.contextmanager
def joined(device: torch.device) -> Iterator[World]:
    """Join the processes that torchrun started (RANK, WORLD_SIZE in the environment) and leave them at the end."""
    if int(os.environ.get("WORLD_SIZE", "1")) == 1:
        yield World()
        return
    dist.init_process_group("nccl" if device.type == "cuda" else "gloo")
    try:
        yield World(dist.get_rank(), dist.get_world_size())
    finally:
        dist.destroy_process_group()
