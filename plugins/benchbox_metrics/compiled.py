"""How the kernels of metrics are compiled. Importing this module costs numba's import (0.3-0.5 s)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar, cast

import numba

Function = TypeVar("Function", bound=Callable[..., Any])


def compiled(function: Function) -> Function:
    """`function` compiled for one thread. The compiler may contract to fused multiply-add, and reorder nothing else.

    The machine code is cached next to the function's file or, where that folder is read-only, in the user's cache
    folder; where neither can be written, it is compiled in each process.
    """
    machine_code: Any
    try:
        machine_code = numba.njit(function, cache=True, error_model="numpy", fastmath={"contract"})
    except RuntimeError:  # numba found no folder it may write to
        machine_code = numba.njit(function, error_model="numpy", fastmath={"contract"})
    return cast(Function, machine_code)
