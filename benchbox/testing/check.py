"""A rule of the conformance kit, its outcome, and the subject under test."""

from __future__ import annotations

import re
import signal
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, Literal, NoReturn, TypeVar

from benchbox.errors import BenchboxError, PluginError, one_line
from benchbox.mistakes import BUGS, lacking, mend, other_arguments
from benchbox.place import place_of, place_of_error

_ID = re.compile(r"[a-z0-9]+([-_.][a-z0-9]+)*")


class NotTriedError(Exception):
    """Raised by a rule that does not apply to the subject; the text is the reason."""


@dataclass(frozen=True)
class Scene:
    """The process of its own in which a plugin is tried, as far as rules ask about it.

    Attributes:
        import_seconds: how long the import of the plugin took, without waiting for a processor.
        changes: what the import changed, printed or warned, each as "changed ...".
        identity: a codec's identity in the process that asked; None if it is not known.
        folder: for files of the trial; the process that decodes the streams of another finds them here.
        hook: the plugin's function that gives the object.
    """

    import_seconds: float
    changes: tuple[str, ...]
    identity: str | None
    folder: str
    hook: Callable[[], Any]


class Subject(ABC):
    """The codec, metric, data set, report or curve under test."""

    hook: ClassVar[str]
    scene: Scene | None

    @property
    @abstractmethod
    def item(self) -> Any:
        """The object that the plugin's hook gives."""

    @property
    def id(self) -> str:
        """Its id, with which the message of every breach begins."""
        return one_line(getattr(self.item, "id", "") or type(self.item).__name__, 80)

    @property
    def who(self) -> str:
        """The id and the plugin, for messages."""
        return f"{self.id} (plugin {_plugin_of(self.item, self.scene.hook if self.scene else None)})"

    def arguments(self, folder: str) -> dict[str, Any]:
        """What another process needs besides the item to make the same subject, as JSON values; `folder` takes
        files."""
        return {}

    def steps(self, height: int, width: int) -> Iterator[tuple[Any, Callable[[], Any]]]:
        """Each method of the plugin in turn, with a function that calls it on a picture of that size."""
        raise NotTriedError("this kind of plugin is asked nothing")

    def leave(self, known: Mapping[str, Outcome]) -> None:
        """Put into the folder of the scene what rules in another process need; `known` are the outcomes so far."""
        return

    def breach(self, sentence: str, at: Any = None) -> NoReturn:
        """Raise the PluginError of a broken contract; `at` is the method, class or exception that the place is of."""
        raise PluginError(one_line(f"{self.who}: {' '.join(sentence.split())}{self.place(at)}"))

    def place(self, at: Any = None) -> str:
        """The place of a method, a class or an exception in the plugin's code; else of its class or its hook."""
        where = place_of_error(at, type(self.item).__module__) if isinstance(at, BaseException) else place_of(at)
        return where or place_of(self.item) or (place_of(self.scene.hook) if self.scene else "")

    def raised(self, what: str, error: BaseException, remedy: str, bugs: tuple[type[BaseException], ...] = BUGS
               ) -> NoReturn:
        """`breach` for a method that raised an error it must not raise; `what` names the method and the case. `remedy`
        is that for errors that are none of `bugs`."""
        lack = lacking(error)
        if lack is not None:
            self.breach(*lack)
        if isinstance(error, PluginError) and " (plugin " in str(error):
            raise error
        text = one_line(error, 300)
        said = f"{type(error).__name__}{f': {text}' if text else ', which says nothing'}"
        if "read-only" in text:
            remedy = "it must not write into the picture that it is given; let it work on a copy"
        elif isinstance(error, bugs):
            remedy = mend(error)
        self.breach(f"{what} raised {said}; {remedy}", at=error)

    def check_arguments(self, method: Callable[..., Any], *names: str) -> None:
        """`method` must take the arguments `names`."""
        taken = other_arguments(method, *names)
        if taken is not None:
            self.breach(f"{method.__name__} takes {taken}; it must take ({', '.join(names)})", at=method)

    def check_names(self, name: Any, title: Any) -> None:
        """`name`, the id, must be lower-case letters, digits and ``-_.``; `title` must be one line."""
        if not isinstance(name, str) or not _ID.fullmatch(name):
            self.breach(f"the id must be lower-case letters and digits, joined by '-', '_' or '.', got {name!r}; "
                        "rename it")
        if not isinstance(title, str) or not title.strip() or len(title.splitlines()) > 1:
            self.breach(f"the title must be one line of text, got {title!r}; give it one")

    def own_scene(self) -> Scene:
        """The process of its own; the rule does not apply where there is none."""
        if self.scene is None:
            raise NotTriedError(f"no importable module offers it through {self.hook}, so no other process can find it")
        return self.scene


S = TypeVar("S", bound=Subject)


@dataclass(frozen=True)
class Outcome:
    """The result of one rule.

    Attributes:
        verdict: whether the plugin keeps the rule; "not applicable" where the rule was not tried.
        line: "" for a pass; else one line: what is wrong, where, and the remedy, or why the rule was not tried.
        cause: the rule whose failure is the reason that this one was not tried, or "".
    """

    verdict: Literal["pass", "fail", "not applicable"]
    line: str = ""
    cause: str = ""


@dataclass(frozen=True)
class Rule(Generic[S]):
    """A rule: `test` raises PluginError for a breach and NotTriedError where it does not apply.

    Args:
        test: its name, without underscores in front, is the rule's.
        needs: names of rules, separated by spaces; where one of them failed, this one is not tried, since it would
            only say the same again.
        seconds: the time after which a process that tries it counts as hanging.
        apart: whether it is tried in another process than the rules before it.
    """

    test: Callable[[S], None]
    needs: str = ""
    seconds: float = 600
    apart: bool = False

    @property
    def name(self) -> str:
        return self.test.__name__.lstrip("_")

    def blocked(self, known: Mapping[str, Outcome]) -> Outcome | None:
        """The outcome of a rule that is not tried because one that it needs failed."""
        for name in self.needs.split():
            other = known.get(name)
            if other is not None and (other.verdict == "fail" or other.cause):
                cause = other.cause or name
                return Outcome("not applicable", f"not tried, since rule '{cause}' failed", cause)
        return None

    def outcome(self, subject: S) -> Outcome:
        """Try the rule."""
        try:
            self.test(subject)
        except NotTriedError as error:
            return Outcome("not applicable", one_line(error))
        except PluginError as error:
            return Outcome("fail", one_line(error))
        except BaseException as error:  # a plugin may raise anything, sys.exit included
            if isinstance(error, KeyboardInterrupt) and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
                raise
            said = one_line(error) if isinstance(error, BenchboxError) else one_line(f"{type(error).__name__}: {error}")
            return Outcome("fail", one_line(f"{subject.who}: a call raised {said}, which nothing asked for; "
                                            f"mend it{subject.place(error)}"))
        return Outcome("pass")


@dataclass(frozen=True)
class Check:
    """One rule for one plugin: a callable without arguments that raises PluginError if the plugin breaks the rule.

    Attributes:
        checked: the id of the codec, metric, data set, report or curve.
        name: the name of the rule, e.g. ``"deterministic"``; pytest shows both in the name of the test.
        outcome: tries the rule, once, and returns its `Outcome`.
    """

    checked: str
    name: str
    outcome: Callable[[], Outcome]

    def __call__(self) -> None:
        outcome = self.outcome()
        if outcome.verdict == "fail":
            raise PluginError(f"rule '{self.name}': {outcome.line}")

    @property
    def __name__(self) -> str:  # pytest takes the parameter's id from it
        return f"{self.checked}-{self.name}"


def _plugin_of(item: Any, hook: Any) -> str:
    """The name of the module or top package that the class of `item` is defined in; where that is the core, of the
    function `hook` that gives it."""
    module = type(item).__module__
    if module.partition(".")[0] == "benchbox" and hook is not None:
        module = str(hook.__module__)
    return module.rpartition(".")[2] if module.startswith("tests.") else module.partition(".")[0]


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
