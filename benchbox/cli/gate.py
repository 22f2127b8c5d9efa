"""The gate of a comparison in continuous integration: which exit code it ends with, and why."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from benchbox.curves import Change, CodecChange, Uncompared
from benchbox.errors import one_line

WORSE, UNDECIDABLE = 1, 3


@dataclass(frozen=True)
class Gate:
    """The outcome: `code` is 0 if the change passes, `WORSE` if a codec got worse by more than what is allowed or
    fails on points where it did not, `UNDECIDABLE` if something cannot be judged; `lines` say why."""

    code: int
    lines: tuple[str, ...]


def open_gate() -> Gate:
    """A gate that lets everything through."""
    return Gate(0, ())


def judged(found: Sequence[CodecChange], left: Uncompared, most: float) -> Gate:
    """A gate that fails where the lower end of an interval lies above `most` percent of bits."""
    worse = [line for codec in found for line in _worse(codec, most)]
    unclear = [f"not decided: {_place(codec, change)}: {one_line(change.reason)}"
               for codec in found for change in codec.changes if not change.decided]  # fmt: skip
    unclear += [f"not decided: {one_line(codec.after)}: after has {codec.points.unmeasured[1]}"
                for codec in found if codec.points.unmeasured[1].points]  # fmt: skip
    unclear += [f"not decided: {one_line(line)}" for line in left.lines()]
    code = WORSE if worse else UNDECIDABLE if unclear else 0
    return Gate(code, (*worse, *unclear, *([f"passed: no interval lies above {most:+g} %"] if not code else [])))


def _worse(codec: CodecChange, most: float) -> Iterator[str]:
    for change in codec.changes:
        if change.interval is not None and change.interval[0] > most:
            least = f"{change.interval[0]:+.2f} %"
            yield f"failed: {_place(codec, change)}: worse by at least {least}; at most {most:+g} % is allowed"
    if codec.points.broken:
        yield f"failed: {one_line(codec.after)}: {len(codec.points.broken)} points that went through before fail now"


def _place(codec: CodecChange, change: Change) -> str:
    return f"{one_line(codec.after)}, {change.metric}"
