"""A fixed share of a run's jobs, for machines that never talk to each other: ``3/16`` is the third of sixteen."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Self

from benchbox.errors import PlanError, one_line

MOST_SHARDS = 1_000_000


@dataclass(frozen=True)
class Shard:
    """One of `count` shares of a run, the `number`-th from 1 on."""

    number: int
    count: int

    @classmethod
    def parse(cls, text: str) -> Self:
        """The shard that a text such as ``"3/16"`` means. Raises PlanError that quotes `text`."""
        found = re.fullmatch(r"([0-9]{1,7})/([0-9]{1,7})", text)
        number, count = (int(found[1]), int(found[2])) if found else (0, 0)
        if not 1 <= number <= count <= MOST_SHARDS:
            raise PlanError(f"shard '{one_line(text, 40)}': write NUMBER/COUNT with NUMBER from 1 to COUNT, as 3/16 "
                            "for the third of sixteen shares")
        return cls(number, count)

    def deal(self, groups: Iterable[Iterable[str]]) -> set[str]:
        """This shard's share of all keys, which come in `groups`; one that comes again counts once.

        Each group is sorted and dealt out like cards, and the next goes on where the last one ended. So shards differ
        by one key at most, in each group and in all, and depend on the keys alone.
        """
        mine: set[str] = set()
        dealt: set[str] = set()
        for group in groups:
            for key in sorted(set(group) - dealt):
                if len(dealt) % self.count == self.number - 1:
                    mine.add(key)
                dealt.add(key)
        return mine

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"
