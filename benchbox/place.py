"""The place in a plugin's own code that an error is about: ``" (acme.py:12)"``, with which its line ends."""

from __future__ import annotations

import inspect
import sys
import sysconfig
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path
from types import FunctionType
from typing import Any

_CORE = Path(__file__).resolve().parent
_LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))

_WRITTEN_AS: Mapping[str, str] = {"encode_batch": "encode", "decode_batch": "decode", "encode": "compress"}
"""A method of the core -> the one that it calls, which is the author's."""


def place_of(thing: Any) -> str:
    """The place of a function, a method, a class or an object's class; "" where that is not a plugin's code.

    Of a method that the core implements, it is that of the author's method which does its work, else of the class.
    """
    code = getattr(inspect.unwrap(thing) if callable(thing) else thing, "__code__", None)
    if code is None:
        return _of_class(thing if isinstance(thing, type) else type(thing))
    if _CORE not in Path(code.co_filename).parents:
        return shown(code.co_filename, code.co_firstlineno)
    owner = getattr(thing, "__self__", None)
    if owner is None:
        return ""
    instead = getattr(owner, _WRITTEN_AS.get(thing.__name__, ""), None)
    return place_of(instead) if instead is not None else _of_class(owner if isinstance(owner, type) else type(owner))


def place_of_error(error: BaseException, module: str) -> str:
    """The place of the deepest line that `error` passed through in the package of `module`; where there is none, in
    code that is neither the core's nor a library's."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.lineno]
    package = sys.modules.get(module.partition(".")[0])
    own = [] if module.partition(".")[0] == "benchbox" else [f for f in frames if _is_of(f.filename, module, package)]
    if not own:
        own = [frame for frame in frames if not frame.filename.startswith("<") and not
               any(root in Path(frame.filename).resolve().parents for root in (_CORE, *_LIBRARIES))]  # fmt: skip
    return shown(own[-1].filename, own[-1].lineno or 0) if own else ""


def shown(file: str, line: int) -> str:
    """``" (FILE:LINE)"``."""
    return f" ({Path(file).name}:{line})"


def own_functions(kind: type) -> dict[str, Callable[..., Any]]:
    """Name -> function of all that a class has from code that is not the core's."""
    found: dict[str, Callable[..., Any]] = {}
    for base in reversed(kind.__mro__):
        if base.__module__.partition(".")[0] != "benchbox":
            found |= {name: value for name, value in vars(base).items() if isinstance(value, FunctionType)}
    return found


def _is_of(file: str, module: str, package: Any) -> bool:
    """Whether a file is the plugin's. Its module is not loaded where its import failed."""
    files = {getattr(known, "__file__", None) for known in (package, sys.modules.get(module))} - {None}
    roots = [Path(root).resolve() for root in getattr(package, "__path__", ())]
    if files or roots:
        return file in files or any(root in Path(file).parents for root in roots)
    return module.partition(".")[0] in Path(file).with_suffix("").parts


def _of_class(kind: type) -> str:
    if kind.__module__.partition(".")[0] == "benchbox":
        return ""
    try:
        return shown(inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1])
    except (OSError, TypeError):  # built in, or typed in
        return ""
