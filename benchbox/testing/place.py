"""The place in a plugin's own code that a breach is about: ``" (acme.py:12)"``."""

from __future__ import annotations

import inspect
import sys
import sysconfig
import traceback
from pathlib import Path
from typing import Any

import benchbox

_CORE = Path(benchbox.__file__).resolve().parent
_LIBRARIES = tuple(Path(sysconfig.get_path(name)).resolve() for name in ("stdlib", "purelib", "platlib"))


def plugin_of(item: Any, hook: Any = None) -> str:
    """The name of the module or top package that the class of `item` is defined in; where that is the core, of the
    function `hook` that gives it."""
    module = type(item).__module__
    if module.partition(".")[0] == "benchbox" and hook is not None:
        module = str(hook.__module__)
    return module.rpartition(".")[2] if module.startswith("tests.") else module.partition(".")[0]


def place(at: Any, item: Any) -> str:
    """``" (FILE:LINE)"`` of an exception, a function, a class or an object's class in the code of the plugin that gives
    `item`; "" where that cannot be said."""
    if isinstance(at, BaseException):
        return _of_error(at, item)
    code = getattr(inspect.unwrap(at) if callable(at) else at, "__code__", None)
    if code is not None and _CORE in Path(code.co_filename).parents:  # inherited from the core
        return ""
    if code is not None:
        return _shown(code.co_filename, code.co_firstlineno)
    kind = at if isinstance(at, type) else type(at)
    if kind.__module__.partition(".")[0] == "benchbox":
        return ""
    try:
        return _shown(inspect.getsourcefile(kind) or "", inspect.getsourcelines(kind)[1])
    except (OSError, TypeError):  # built in, or typed in
        return ""


def _of_error(error: BaseException, item: Any) -> str:
    """The deepest line of the plugin's own package; where none is, the deepest outside the core and libraries."""
    frames = [frame for frame in traceback.extract_tb(error.__traceback__) if frame.lineno]
    package = sys.modules.get(type(item).__module__.partition(".")[0])
    roots = [Path(root).resolve() for root in getattr(package, "__path__", ())]
    files = {getattr(module, "__file__", None) for module in (package, sys.modules.get(type(item).__module__))}
    own = [f for f in frames if f.filename in files or any(root in Path(f.filename).parents for root in roots)]
    if package is benchbox or not own:
        own = [f for f in frames if not any(root in Path(f.filename).resolve().parents for root in (_CORE, *_LIBRARIES))
               and not f.filename.startswith("<")]
    return _shown(own[-1].filename, own[-1].lineno or 0) if own else ""


def _shown(file: str, line: int) -> str:
    return f" ({Path(file).name}:{line})"
