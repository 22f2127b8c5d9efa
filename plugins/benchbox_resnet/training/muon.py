"""The optimiser Muon, momentum made orthogonal, for convolution kernels (Jordan et al. 2024)."""

from collections.abc import Iterable
from concurrent.futures import Executor
from typing import Any

import torch
from torch import Tensor

#: Coefficients of the quintic Newton-Schulz step (Jordan et al. 2024), steep at zero, so that five steps are enough.
_QUINTIC = (3.4445, -4.7750, 2.0315)


def orthogonalise(matrix: Tensor, steps: int = 5) -> Tensor:
    """(n, rows, cols) -> the same shape with all singular values near one.

    Each step multiplies from the left by a polynomial of the Gram matrix. For flat matrices in float32 the steps run on
    the small Gram matrix alone, and the matrix is multiplied by their product once. In bfloat16 that recursion diverges
    for gradients of low rank, so that there the matrix itself is multiplied, which corrects its own rounding.
    """
    a, b, c = _QUINTIC
    tall = matrix.shape[-2] > matrix.shape[-1]
    x = matrix.mT if tall else matrix
    x = x / (x.norm(dim=(-2, -1), keepdim=True) + 1e-7)
    if x.dtype == torch.float32 and x.shape[-1] >= 2 * x.shape[-2]:
        gram = x @ x.mT
        eye = torch.eye(x.shape[-2], dtype=x.dtype, device=x.device)
        product = eye.expand_as(gram)
        for _ in range(steps):
            factor = a * eye + torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
            product = factor @ product
            gram = factor @ gram @ factor
        x = product @ x
    else:
        for _ in range(steps):
            gram = x @ x.mT
            factor = torch.baddbmm(gram, gram, gram, beta=b, alpha=c)
            x = torch.baddbmm(x, factor, x, beta=a)
    out: Tensor = x.mT if tall else x
    return out


class Muon(torch.optim.Optimizer):
    """Nesterov momentum whose matrix form (out, in * h * w) is orthogonalised before each step.

    Weight decay is decoupled: the norm of a kernel cannot grow beyond 1 / weight_decay. `dtype` is the precision of the
    orthogonalisation: bfloat16 where that is fast, float32 elsewhere. Kernels of one shape are orthogonalised together.
    """

    def __init__(
        self,
        params: Iterable[Tensor] | Iterable[dict[str, Any]],
        lr: float,
        momentum: float = 0.95,
        weight_decay: float = 0.0,
        dtype: torch.dtype = torch.float32,
    ) -> None:
        super().__init__(params, {"lr": lr, "momentum": momentum, "weight_decay": weight_decay})
        self.dtype = dtype
        #: Threads for kernels of different shapes; None: one shape after the other.
        self.pool: Executor | None = None

    @torch.no_grad()
    def step(self, closure: Any = None) -> None:  # type: ignore[override]
        """One update of every kernel that has a gradient."""
        if closure is not None:
            raise ValueError("Muon takes no closure")
        for group in self.param_groups:
            by_shape: dict[torch.Size, list[Tensor]] = {}
            for p in group["params"]:
                if p.grad is not None:
                    by_shape.setdefault(p.shape, []).append(p)
            torch._foreach_mul_(list(group["params"]), 1 - group["lr"] * group["weight_decay"])
            work = [(shape, params, group["lr"], group["momentum"]) for shape, params in by_shape.items()]
            work.sort(key=lambda w: -len(w[1]) * w[0].numel())
            for _ in map(self._step_shape, work) if self.pool is None else self.pool.map(self._step_shape, work):
                pass

    @torch.no_grad()
    def _step_shape(self, work: tuple[torch.Size, list[Tensor], float, float]) -> None:
        """One update of all kernels of one shape."""
        shape, params, lr, momentum = work
        gradients: list[Tensor] = []
        for p in params:
            assert p.grad is not None
            gradients.append(p.grad)
            if "momentum" not in self.state[p]:
                self.state[p]["momentum"] = torch.zeros_like(p)
        momenta: list[Tensor] = [self.state[p]["momentum"] for p in params]
        torch._foreach_lerp_(momenta, gradients, 1 - momentum)
        nesterov = torch._foreach_lerp(gradients, momenta, momentum)
        # Columns in the memory order of channels-last kernels: any order is valid, and this one copies nothing.
        matrices = [n.movedim(1, -1).reshape(shape[0], -1) for n in nesterov]
        update = orthogonalise(torch.stack(matrices).to(self.dtype))
        rate = lr * min(max(1.0, update.shape[-2] / update.shape[-1]) ** 0.5, 2.0)
        for p, u in zip(params, update, strict=True):
            p.add_(u.reshape(shape[0], *shape[2:], shape[1]).movedim(-1, 1), alpha=-rate)
