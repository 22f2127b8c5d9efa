"""One check of the conformance kit, and how several are run together."""

from __future__ import annotations

import pickle
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from benchbox.errors import BenchboxError, PluginError

T = TypeVar("T")

_ID = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")


@dataclass(frozen=True)
class Check:
    """A callable without arguments; raises PluginError if the plugin breaks what is checked.

    Attributes:
        subject: id of the codec, metric or data set.
        name: of the check, e.g. ``"deterministic"``; pytest shows it as the parameter's name.
    """

    subject: str
    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        try:
            self.run()
        except PluginError:
            raise
        except Exception as error:  # whatever the plugin raised where it should not
            reason = str(error) if isinstance(error, BenchboxError) else f"{type(error).__name__}: {error}"
            reason = " ".join(reason.split())
            raise PluginError(f"{self.subject}: check '{self.name}' was stopped by {reason}") from error

    @property
    def __name__(self) -> str:  # what pytest takes for the parameter's id
        return f"{self.subject}-{self.name}"


def breach(subject: str, sentence: str) -> NoReturn:
    """Raise the PluginError of a broken contract."""
    raise PluginError(f"{subject}: {' '.join(sentence.split())}")


def run_all(checks: Iterable[Check]) -> None:
    """Run every check; raise one PluginError that lists every breach, one a line."""
    breaches = []
    for check in checks:
        try:
            check()
        except PluginError as error:
            breaches.append(str(error))
    if breaches:
        raise PluginError("\n".join(breaches))


def same_after_pickle(subject: str, thing: T) -> T:
    """`thing` after a trip through pickle, as it reaches a worker."""
    try:
        copy: T = pickle.loads(pickle.dumps(thing))
    except Exception as error:  # pickle raises PicklingError, AttributeError, TypeError ...
        breach(subject, f"{type(thing).__name__} cannot be pickled ({error}); define its class at a module's top level")
    return copy


def check_names(subject: Any, title: Any) -> None:
    """An id is lower-case letters, digits and ``-_.``; a title is one line."""
    if not isinstance(subject, str) or not _ID.fullmatch(subject):
        breach(str(subject), "the id must be lower-case letters and digits, joined by '-', '_' or '.'")
    if not isinstance(title, str) or not title.strip() or "\n" in title:
        breach(subject, f"the title must be one line of text, got {title!r}")
