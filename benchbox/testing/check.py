"""A check of the conformance kit, the subject under test, and running several checks."""

from __future__ import annotations

import pickle
import re
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, NoReturn, TypeVar

from benchbox.errors import BenchboxError, PluginError

T = TypeVar("T")

_ID = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")


class Subject(ABC):
    """The codec, metric or data set under test."""

    @property
    @abstractmethod
    def id(self) -> str:
        """Its id, with which the message of every breach begins."""

    def breach(self, sentence: str) -> NoReturn:
        """Raise the PluginError of a broken contract."""
        raise PluginError(f"{self.id}: {' '.join(sentence.split())}")

    def check_names(self, name: Any, title: Any) -> None:
        """`name`, the id, must be lower-case letters, digits and ``-_.``; `title` must be one line."""
        if not isinstance(name, str) or not _ID.fullmatch(name):
            raise PluginError(f"{name}: the id must be lower-case letters and digits, joined by '-', '_' or '.'")
        if not isinstance(title, str) or not title.strip() or "\n" in title:
            self.breach(f"the title must be one line of text, got {title!r}")

    def pickled(self, thing: T) -> T:
        """A copy of `thing` made by pickle, which is how it reaches a worker."""
        try:
            copy: T = pickle.loads(pickle.dumps(thing))
        except Exception as error:  # pickle raises PicklingError, AttributeError, TypeError ...
            self.breach(f"{type(thing).__name__} cannot be pickled ({error}); define its class at a module's top level")
        return copy


@dataclass(frozen=True)
class Check:
    """A callable without arguments that raises PluginError if the plugin breaks the contract.

    Attributes:
        checked: the id of the codec, metric or data set.
        name: the name of the check, e.g. ``"deterministic"``; pytest shows both in the name of the test.
        run: the check itself.
    """

    checked: str
    name: str
    run: Callable[[], None]

    def __call__(self) -> None:
        try:
            self.run()
        except PluginError:
            raise
        except Exception as error:  # a plugin may raise anything
            reason = str(error) if isinstance(error, BenchboxError) else f"{type(error).__name__}: {error}"
            reason = " ".join(reason.split())
            raise PluginError(f"{self.checked}: check '{self.name}' was stopped by {reason}") from error

    @property
    def __name__(self) -> str:  # pytest takes the parameter's id from it
        return f"{self.checked}-{self.name}"


def run_all(checks: Iterable[Check]) -> None:
    """Run every check; raise one PluginError with a line for each breach."""
    breaches = []
    for check in checks:
        try:
            check()
        except PluginError as error:
            breaches.append(str(error))
    if breaches:
        raise PluginError("\n".join(breaches))
