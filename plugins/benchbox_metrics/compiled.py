"""How the kernels of metrics are compiled. Importing this module costs numba's import (0.3-0.5 s); `machine_code` does
so where its cache lacks a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
import numba

Function = TypeVar("Function", bound=Callable[..., Any])

_FLAGS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
"""The compiler may contract to fused multiply-add, and reorder nothing else."""


def compiled(function: Function) -> Function:
    """`function` for other compiled functions to call."""
    return cast(Function, numba.njit(function, **_FLAGS))


def object_code(function: Callable[..., Any], types: str, machine: Any) -> tuple[bytes, str]:
    """An object file with `function` compiled for arguments of the `types` (see `machine_code.load`) and the target
    `machine`, and the name of its symbol there.

    Raises:
        RuntimeError: the code needs parts of numba.
    """
    known: Any = numba.types
    kinds = [known.CPointer(getattr(known, kind[:-1])) if kind.endswith("*") else getattr(known, kind)
             for kind in types.split()]  # fmt: skip
    callback = numba.cfunc(known.void(*kinds), **_FLAGS)(function)
    text = _without_wrapper(callback.inspect_llvm(), callback.native_name)
    foreign = re.findall(r"^(?:declare [^@]*)?@([\w.]+)(?:\(| = external)", text, re.MULTILINE)
    used = [name for name in foreign if not name.startswith("llvm.") and text.count(f"@{name}") > 1]
    if used:
        raise RuntimeError(f"the kernel {function.__name__} needs {', '.join(used)} of numba")
    module = llvm.parse_assembly(text)
    module.verify()
    return machine.emit_object(module), callback.native_name.removeprefix("cfunc.")


def _without_wrapper(text: str, name: str) -> str:
    """LLVM code without the function `name`, which turns errors into Python's by numba's own runtime."""
    return re.sub(rf'^define [^\n]*@"?{re.escape(name)}"?\(.*?^}}\n', "", text, count=1, flags=re.MULTILINE | re.DOTALL)
