"""A plugin is put to its rules, each at most once."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Generic

from benchbox.testing.check import Check, Outcome, Rule, S


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
        """The outcome of one rule, after those that it needs."""
        if name not in self._known:
            rule = self._rules[name]
            for needed in rule.needs.split():
                self.outcome(needed)
            self._known[name] = rule.blocked(self._known) or rule.outcome(self._subject)
        return self._known[name]
