"""Data parallelism in one process: each CPU thread takes a few crops at a time until a batch is done.

PyTorch's own threads synchronise in every layer, hundreds of times per step; on a busy machine each of these waits for
a thread that is not running. Here threads synchronise once per step, and faster ones take more crops.
"""

import itertools
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import torch
from torch import Tensor

from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.model import ResidualCodec

#: Pixels that a thread takes at a time, in whole crops: with much fewer, a tenth of the time is overhead.
PORTION = 32768
#: From a network, crops (n, 3, H, W) and their qualities (n,) to a loss (scalar) and numbers to report.
Objective = Callable[[ResidualCodec, Tensor, Tensor], tuple[Tensor, dict[str, float]]]


class Replicas:
    """`count` networks that share the parameters of `net` and have their own gradients."""

    def __init__(self, config: ModelConfig, net: ResidualCodec, count: int) -> None:
        self.net = net
        self.copies = [ResidualCodec(config).to(memory_format=torch.channels_last).train() for _ in range(count)]  # type: ignore[call-overload]
        self.share()
        self.pool = ThreadPoolExecutor(count, initializer=_start_worker)

    def share(self) -> None:
        """Make the copies use the parameters and buffers of `net`; call it again if those are replaced."""
        own = dict(itertools.chain(self.net.named_parameters(), self.net.named_buffers()))
        for copy in self.copies:
            for name, tensor in itertools.chain(copy.named_parameters(), copy.named_buffers()):
                tensor.data = own[name].data

    def backward(self, x: Tensor, q: Tensor, objective: Objective) -> dict[str, float]:
        """Put the gradients of the mean objective over a batch x (B, 3, H, W), q (B,) into `net`; returns the means of
        the numbers to report."""
        portion = max(1, PORTION // (x.shape[2] * x.shape[3]))
        portions, lock = iter([slice(i, i + portion) for i in range(0, len(x), portion)]), threading.Lock()
        reports = [
            report
            for done in [self.pool.submit(self._work, c, x, q, portions, lock, objective) for c in self.copies]
            for report in done.result()
        ]
        with torch.no_grad():
            for parameter, *parts in zip(*(n.parameters() for n in (self.net, *self.copies)), strict=True):
                grads = [p.grad for p in parts if p.grad is not None]
                parameter.grad = torch.stack(grads).sum(0) if grads else None
                for part in parts:
                    part.grad = None
        return {name: sum(r[name] for r in reports) for name in reports[0]}

    @staticmethod
    def _work(
        copy: ResidualCodec, x: Tensor, q: Tensor, portions: Iterator[slice], lock: Any, objective: Objective
    ) -> list[dict[str, float]]:
        reports: list[dict[str, float]] = []
        while True:
            with lock:
                some = next(portions, None)
            if some is None:
                return reports
            loss, report = objective(copy, x[some], q[some])
            share = len(x[some]) / len(x)
            (loss * share).backward()  # type: ignore[no-untyped-call]
            reports.append({name: share * value for name, value in report.items()})


def _start_worker() -> None:
    torch.set_flush_denormal(True)
