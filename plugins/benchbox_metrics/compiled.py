"""How the kernels of metrics are compiled. Importing this module costs numba's import (0.3-0.5 s); `machine_code` does
so where its cache lacks a kernel."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any, TypeVar, cast

import llvmlite.binding as llvm
import numba
from llvmlite import ir
from numba.extending import intrinsic

Function = TypeVar("Function", bound=Callable[..., Any])

_FLAGS: dict[str, Any] = {"error_model": "numpy", "fastmath": {"contract"}}
"""The compiler may contract to fused multiply-add, and reorder nothing else."""


def compiled(function: Function) -> Function:
    """`function` for other compiled functions to call."""
    return cast(Function, numba.njit(function, **_FLAGS))


def _intrinsic(function: Callable[..., Any]) -> Callable[..., None]:
    """`function`, which makes LLVM code, for compiled functions to call, without its first argument."""
    return cast(Callable[..., None], intrinsic(function))


@_intrinsic
def widest_vectors(_typing: Any) -> Any:
    """Called in a compiled function, lets its loops use vectors of 512 bits where the processor has them. LLVM keeps to
    256 bits on Intel's, since the first that had 512 slowed down; those from Ice Lake on, which have VBMI2, do not."""

    def generate(context: Any, builder: Any, _signature: Any, _arguments: Any) -> Any:
        if llvm.get_host_cpu_features().get("avx512vbmi2"):
            # llvmlite's own `add` knows LLVM's enumerated attributes only; this one is a string.
            set.add(builder.function.attributes, '"prefer-vector-width"="512"')
        return context.get_dummy_value()

    return numba.types.void(), generate


@_intrinsic
def prefetch(_typing: Any, array: Any, index: Any) -> Any:
    """Have the cache line of array[index] fetched; an index beyond the array does no harm."""

    def generate(context: Any, builder: Any, _signature: Any, arguments: Any) -> Any:
        base, at = arguments
        byte, number = ir.IntType(8).as_pointer(), ir.IntType(32)
        kind = ir.FunctionType(ir.VoidType(), [byte, number, number, number])
        function = builder.module.declare_intrinsic("llvm.prefetch", [byte], kind)
        # to read, into all caches, data: LLVM's language reference, llvm.prefetch
        builder.call(function, [builder.bitcast(builder.gep(base, [at]), byte), number(0), number(3), number(1)])
        return context.get_dummy_value()

    return numba.types.void(array, index), generate


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
