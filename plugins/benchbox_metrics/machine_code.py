"""The kernels of metrics as machine code: taken from a cache and loaded by llvmlite, without numba.

numba could cache them too, but takes 0.5 s to begin with in each process, most of it for what kernels that are compiled
already do not need. So it is imported only where the cache lacks a kernel (see `compiled`), and what it compiles, an
object file, is kept here. A kernel's file is named after all that its code depends on: its source, its types, the
versions of numba and llvmlite, and the processor.
"""

from __future__ import annotations

import contextlib
import ctypes
import hashlib
import os
from collections.abc import Callable, Iterator
from functools import cache
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np

_HERE = Path(__file__).parent

_NUMBERS = {"uintp": ctypes.c_size_t, "float32": ctypes.c_float, "float64": ctypes.c_double}


class Kernel:
    """A compiled function over flat arrays and numbers.

    Args:
        code: an object file.
        name: of the function in it, which has numba's calling convention.
        types: of its arguments, as `load` takes them.
    """

    def __init__(self, code: bytes, name: str, types: str) -> None:
        import llvmlite.binding as llvm

        # An engine of its own, since symbols of kernels that differ by `settings` only may be the same.
        self._engine = llvm.create_mcjit_compiler(llvm.parse_assembly(""), _target_machine())
        self._engine.add_object_file(llvm.ObjectFileRef.from_data(code))
        self._engine.finalize_object()
        kinds = types.split()
        self._arrays = [np.dtype(kind[:-1]) if kind.endswith("*") else None for kind in kinds]
        numbers: list[Any] = [_NUMBERS.get(kind, ctypes.c_void_p) for kind in kinds]
        # It keeps the interpreter's lock, since a metric's memory for kernels is not meant for two calls at once.
        declared = ctypes.PYFUNCTYPE(ctypes.c_int32, ctypes.c_void_p, ctypes.c_void_p, *numbers)
        self._function = declared(self._engine.get_function_address(name))

    def __call__(self, *arguments: Any) -> None:
        """Call it; arrays must be C-contiguous, of the declared types and as long as the kernel expects."""
        result, fault = ctypes.c_void_p(), ctypes.c_void_p()
        given = [value if dtype is None else _pointer(value, dtype)
                 for value, dtype in zip(arguments, self._arrays, strict=True)]  # fmt: skip
        if self._function(ctypes.byref(result), ctypes.byref(fault), *given):
            raise RuntimeError("a compiled kernel has failed")


def _pointer(array: Any, dtype: np.dtype[Any]) -> int:
    if array.dtype != dtype or not array.flags.c_contiguous:
        raise TypeError(f"a kernel needs a contiguous array of {dtype.name}, got {array.dtype.name}")
    return int(array.__array_interface__["data"][0])


@cache
def load(module: str, name: str, types: str, *settings: int) -> Kernel:
    """The kernel that ``benchbox_metrics.MODULE.NAME(*settings)`` gives, for arguments of the `types`, e.g.
    ``"uint8* uintp float32"``: from the cache, or compiled now."""
    marks = [(_HERE / f"{part}.py").read_bytes() for part in (module, "strips", "compiled", "machine_code")]
    marks += [repr((name, types, settings, *_surroundings())).encode()]
    digest = hashlib.sha256(b"\0".join(marks)).hexdigest()
    file = f"{module}.{name}-{digest[:32]}.o"
    for folder in _folders():
        found = _kept(folder / file)
        if found is not None:
            return Kernel(*found, types)
    from benchbox_metrics.compiled import object_code

    maker: Callable[..., Any] = getattr(import_module(f"benchbox_metrics.{module}"), name)
    code, symbol = object_code(maker(*settings), types, _target_machine())
    _keep(file, code, symbol)
    return Kernel(code, symbol, types)


def _target_machine() -> Any:
    """This machine as LLVM compiles for it; an engine takes it over, and frees it."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    _, cpu, features = _processor()
    target = llvm.Target.from_default_triple()
    return target.create_target_machine(cpu=cpu, features=features, opt=3, codemodel="jitdefault", jit=True)


@cache
def _processor() -> tuple[str, str, str]:
    import llvmlite.binding as llvm

    return llvm.get_process_triple(), llvm.get_host_cpu_name(), llvm.get_host_cpu_features().flatten()


@cache
def _surroundings() -> tuple[str, ...]:
    return (metadata.version("numba"), metadata.version("llvmlite"), *_processor())


def _folders() -> Iterator[Path]:
    """Where kernels are kept: the folder that NUMBA_CACHE_DIR names; else next to this module or, where that cannot be
    written, in the user's cache folder."""
    named = os.environ.get("NUMBA_CACHE_DIR")
    if named:
        yield Path(named)
        return
    yield _HERE / "__pycache__"
    with contextlib.suppress(RuntimeError):  # there is no home folder
        yield Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "numba"


def _kept(path: Path) -> tuple[bytes, str] | None:
    """Code and symbol kept at `path`; None where there are none, or damaged ones."""
    try:
        digest, symbol, code = path.read_bytes().split(b"\n", 2)
    except (OSError, ValueError):
        return None
    whole = hashlib.sha256(symbol + b"\n" + code).hexdigest().encode() == digest
    return (code, symbol.decode()) if whole else None


def _keep(file: str, code: bytes, symbol: str) -> None:
    """Keep the code of a kernel in the first folder that can be written, if any."""
    body = symbol.encode() + b"\n" + code
    for folder in _folders():
        part = folder / f"{file}.{os.getpid()}"  # readable by others, as what Python compiles is
        try:
            folder.mkdir(parents=True, exist_ok=True)
            part.write_bytes(hashlib.sha256(body).hexdigest().encode() + b"\n" + body)
            part.replace(folder / file)
            return
        except OSError:
            with contextlib.suppress(OSError):
                part.unlink(missing_ok=True)
