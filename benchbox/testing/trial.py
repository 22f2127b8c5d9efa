"""A plugin is put to its rules, each at most once: in a process of its own where one can find it, else in this one."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from functools import cached_property, partial
from typing import Generic

from benchbox.testing.check import Check, Outcome, Rule, S
from benchbox.testing.helper import helper
from benchbox.testing.origin import Origin


class Trial(Generic[S]):
    """A subject and its rules, in the order in which they are tried."""

    def __init__(self, subject: S, rules: Sequence[Rule[S]]) -> None:
        self._subject = subject
        self._rules = {rule.name: rule for rule in rules}
        self._known: dict[str, Outcome] = {}

    def checks(self) -> list[Check]:
        """One check for each rule."""
        return [Check(self._subject.id, name, partial(self.outcome, name)) for name in self._rules]

    def outcome(self, name: str) -> Outcome:
        """The outcome of one rule. Another process tries all rules at once, this one those that are asked for."""
        if name not in self._known and self._origin is not None:
            with tempfile.TemporaryDirectory(prefix="benchbox-check-", ignore_cleanup_errors=True) as folder:
                arguments = self._subject.arguments(folder)
                self._known = helper().outcomes(self._origin, self._subject.who, arguments, folder)
        if name not in self._known:
            rule = self._rules[name]
            for needed in rule.needs.split():
                self.outcome(needed)
            self._known[name] = rule.blocked(self._known) or rule.outcome(self._subject)
        return self._known[name]

    @cached_property
    def _origin(self) -> Origin | None:
        return Origin.of(self._subject.item, self._subject.hook)
