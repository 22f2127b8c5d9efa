"""Mistakes in a plugin's code, as an exception shows them: a method that is missing, misnamed or takes other arguments.

Python says "Can't instantiate abstract class Mine with abstract method compress"; its author wants to know that
`compres` is not the name of that method, and where it stands.
"""

from __future__ import annotations

import difflib
import inspect
import re
from collections.abc import Callable, Iterator
from types import TracebackType
from typing import Any

from benchbox.place import own_functions

BUGS = (NameError, AttributeError, TypeError, LookupError, SyntaxError, NotImplementedError, AssertionError)
"""Exceptions that no picture, stream or file excuses: whoever lets one through has a mistake in the code."""

_ABSTRACT = re.compile(r"Can't instantiate abstract class (\w+) ")


def lacking(error: BaseException) -> tuple[str, Any] | None:
    """What `lacks` says, if `error` was raised since a class lacks methods that the contract asks for."""
    found = _ABSTRACT.match(str(error)) if isinstance(error, TypeError) else None
    kind = found and next((kind for kind in _classes(error.__traceback__) if kind.__name__ == found[1]), None)
    return None if kind is None else lacks(kind)


def lacks(kind: type) -> tuple[str, Any]:
    """``"class Mine has no method 'compress'; rename its method 'compres' to 'compress'"``, with the remedy for each of
    the methods that it lacks; and the misnamed method or the class, whose place it is about."""
    names: list[str] = sorted(getattr(kind, "__abstractmethods__", ()))
    others = [misnamed(kind, name) for name in names]
    remedies = [f"rename its method '{other}' to '{name}'" if other else f"write `{due(kind, name)}`"
                for name, other in zip(names, others, strict=True)]  # fmt: skip
    which = " and ".join(f"'{name}'" for name in names)
    sentence = f"class {kind.__name__} has no method{'s' * (len(names) > 1)} {which}; {' and '.join(remedies)}"
    return sentence, own_functions(kind)[others[0]] if others[0] else kind


def mend(error: BaseException) -> str:
    """The remedy for an error that is one of `BUGS`."""
    kind = type(error.obj) if isinstance(error, AttributeError) else object
    other = misnamed(kind, "__init__")
    if other is not None and "__init__" not in own_functions(kind):
        return f"rename its method '{other}' to '__init__'"
    return "this is an error in its code, mend it"


def misnamed(kind: type, name: str) -> str | None:
    """The method of `kind` that was meant as `name`: of nearly that name, and called by nobody else."""
    known = {known for base in kind.__mro__ if base.__module__.partition(".")[0] == "benchbox" for known in vars(base)}
    plain = {other.strip("_").lower(): other for other in own_functions(kind) if other not in known and other != name}
    close = difflib.get_close_matches(name.strip("_"), plain, n=1, cutoff=0.75)
    return plain[close[0]] if close else None


def due(kind: type, name: str) -> str:
    """``"def compress(self, image, quality)"``: a method of `kind` as the core declares it."""
    declared = next((vars(base)[name] for base in kind.__mro__ if base.__module__.partition(".")[0] == "benchbox"
                     and name in vars(base)), None)  # fmt: skip
    return f"def {name}({', '.join(inspect.signature(declared).parameters)})" if declared else f"def {name}(self, ...)"


def wrongly_made(kind: Callable[..., Any], info: Any, options: Any, device: str) -> tuple[str, Any] | None:
    """Why an info cannot make its codec as ``kind(info, options, device)``, with the remedy, and what that is about;
    None if it can, or if that is not known before it is tried."""
    if isinstance(kind, type) and inspect.isabstract(kind):
        return lacks(kind)
    taken = other_arguments(kind, info, options, device)
    if taken is None:
        return None
    name = getattr(kind, "__name__", "codec_class")
    said = f"open makes its codec by {name}(info, options, device), which takes {taken}"
    if not isinstance(kind, type):
        return f"{said}; let it take these three", kind
    own, other = own_functions(kind), misnamed(kind, "__init__")
    if other and "__init__" not in own:
        return f"{said}; rename its method '{other}' to '__init__'", own[other]
    remedy = "write `def __init__(self, info, options, device)`, derive it from CheckedCodec or override open"
    return f"{said}; {remedy}", own.get("__init__", kind)


def other_arguments(function: Callable[..., Any], *arguments: Any) -> str | None:
    """The arguments that `function` takes, if they are not `arguments`: ``"(self, picture)"``; None if they are, or if
    that cannot be known."""
    try:
        signature = inspect.signature(function)
    except (TypeError, ValueError):  # written in C
        return None
    try:
        signature.bind(*arguments)
    except TypeError:
        return str(signature)
    return None


def _classes(trace: TracebackType | None) -> Iterator[type]:
    """The classes that can be named where an error was raised, the nearest first."""
    frames = []
    while trace is not None:
        frames.append(trace.tb_frame)
        trace = trace.tb_next
    for frame in reversed(frames):
        for values in (frame.f_locals, frame.f_globals):
            yield from (value for value in list(values.values()) if inspect.isabstract(value))
