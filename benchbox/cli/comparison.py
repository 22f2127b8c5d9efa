"""A comparison of two runs as text for the terminal, as Markdown for a pull request, and as JSON."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict
from typing import Any

from benchbox.cli.gate import Gate
from benchbox.curves import Change, CodecChange, Uncompared
from benchbox.dataset import public_name
from benchbox.errors import one_line

MOST_PICTURES = 3
"""Pictures that are named as having gained or lost most, and points as being broken."""

_HEAD = ("codec", "data set", "metric", "BD-rate", "95 % interval", "BD-metric", "pictures", "verdict")

_Escape = Callable[[str], str]


def as_text(names: tuple[str, str], found: Sequence[CodecChange], left: Uncompared, gate: Gate) -> str:
    """Lines for the terminal. `names` are those of the two runs."""
    rows = [_HEAD, *(_row(codec, change, one_line) for codec in found for change in codec.changes)]
    widths = [max(len(row[place]) for row in rows) for place in range(len(_HEAD))]
    lines = ["  ".join(word.ljust(width) for word, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    remarks = [*map(one_line, left.lines()), *(line for codec in found for line in _remarks(codec, one_line))]
    return "\n".join([f"{one_line(names[0])} -> {one_line(names[1])}", *lines, "", *remarks, *_speeds(found, one_line),
                      *gate.lines])  # fmt: skip


def as_markdown(names: tuple[str, str], found: Sequence[CodecChange], left: Uncompared, gate: Gate) -> str:
    """A table and a list for a pull request."""
    rows = [_HEAD, ("---",) * len(_HEAD)]
    rows += [_row(codec, change, _escaped) for codec in found for change in codec.changes]
    remarks = [*map(_escaped, left.lines()), *(line for codec in found for line in _remarks(codec, _escaped))]
    table = [f"| {' | '.join(row)} |" for row in rows]
    points = [f"- {line}" for line in (*remarks, *_speeds(found, _escaped), *map(_escaped, gate.lines))]
    return "\n".join([f"### {_escaped(names[0])} -> {_escaped(names[1])}", "", *table, "", *points])


def as_json(names: tuple[str, str], found: Sequence[CodecChange], left: Uncompared, gate: Gate) -> str:
    """Everything as one JSON object: every picture, and every point that changed its bytes."""
    whole = {"before": names[0], "after": names[1], "codecs": [_values(codec) for codec in found],
             "uncompared": asdict(left), "gate": asdict(gate)}  # fmt: skip
    return json.dumps(whole, indent=1, allow_nan=False)


def _values(codec: CodecChange) -> dict[str, Any]:
    return {
        "dataset": public_name(codec.dataset), "before": codec.before, "after": codec.after,
        "identity_before": codec.identities[0], "identity_after": codec.identities[1],
        "pictures": len(codec.shared.pairs), "only_before": codec.shared.only_before,
        "only_after": codec.shared.only_after, "points": asdict(codec.points),
        "metrics": [asdict(change) for change in codec.changes],
    }  # fmt: skip


def _row(codec: CodecChange, change: Change, shown: _Escape) -> tuple[str, ...]:
    interval = "" if change.interval is None else f"{_signed(change.interval[0])} .. {_signed(change.interval[1])} %"
    return (
        _name(codec, shown), shown(public_name(codec.dataset)), shown(change.metric),
        "" if change.bd_rate is None else f"{_signed(change.bd_rate)} %", interval,
        "" if change.bd_metric is None else f"{_signed(change.bd_metric, 3)} {change.unit}".rstrip(), str(change.n),
        change.verdict,
    )  # fmt: skip


def _signed(value: float, digits: int = 2) -> str:
    """A number with its sign; what rounds to zero is +0."""
    return f"{round(value, digits) + 0.0:+.{digits}f}"


def _name(codec: CodecChange, shown: _Escape) -> str:
    return shown(codec.after if codec.before == codec.after else f"{codec.before} -> {codec.after}")


def _remarks(codec: CodecChange, shown: _Escape) -> Iterator[str]:
    """Sentences on one codec on one data set: what the table has no room for."""
    name = f"{_name(codec, shown)}, {shown(public_name(codec.dataset))}"
    old, new = codec.identities
    if codec.before == codec.after and old != new and old and new:
        yield f"{name}: was '{shown(old)}', is '{shown(new)}'"
    points = codec.points
    if codec.one_codec and points.compared:
        yield f"{name}: {len(points.changed)} of {points.compared} points changed their bytes"
    elif codec.one_codec:
        yield f"{name}: no point went through in both runs"
    if points.decoded and codec.one_codec:
        yield f"{name}: {points.decoded} of {points.compared} points kept their bytes and decode to other pixels"
    if any(points.unpaired) and codec.one_codec:
        old_alone, new_alone = points.unpaired
        yield (f"{name}: {old_alone} points of before and {new_alone} of after have no partner; the other run has none "
               "of their quality on their picture")
    for change in codec.changes:
        if change.reason and change.verdict != "same":
            yield f"{name}, {change.metric}: {shown(change.reason)}"
        if change.verdict != "same":
            yield from (f"{name}, {change.metric}: {line}" for line in _extremes(change, shown))
    if points.broken:
        some = ", ".join(shown(f"{point.sample}{'' if point.quality is None else f' at {point.quality:g}'} "
                               f"({point.reason})") for point in points.broken[:MOST_PICTURES])  # fmt: skip
        yield f"{name}: {len(points.broken)} points went through before and fail now: {some}{_more(points.broken)}"
    for side, lacking in zip(("before", "after"), points.unmeasured, strict=True):
        if lacking.points:
            yield f"{name}: {side} has {lacking}; run its plan to its end"
    yield from _pictures(codec, name, shown)


def _speeds(found: Sequence[CodecChange], shown: _Escape) -> Iterator[str]:
    """The ratio of speeds of each codec that has one, then why others have none, each reason once."""
    reasons = []
    for codec in found:
        speed, name = codec.points.speed, f"{_name(codec, shown)}, {shown(public_name(codec.dataset))}"
        if speed.encode is not None and speed.decode is not None:
            yield f"{name}: encodes {speed.encode:.2f} times as fast, decodes {speed.decode:.2f} ({speed.n} points)"
        else:
            reasons.append(speed.reason)
    yield from (f"no ratio of speeds: {shown(reason)}" for reason in dict.fromkeys(reasons))


def _extremes(change: Change, shown: _Escape) -> Iterator[str]:
    """The pictures that gained and lost most by what is shown of a change, and those left out."""
    rates = list(change.pictures.items())
    gained = [item for item in rates if round(item[1], 2) < 0]
    lost = [item for item in reversed(rates) if round(item[1], 2) > 0]
    for word, all_of_them in (("gained", gained), ("lost", lost)):
        if all_of_them:
            some = ", ".join(f"{shown(sample)} {_signed(rate)} %" for sample, rate in all_of_them[:MOST_PICTURES])
            yield f"{word} most: {some}{_more(all_of_them)}"
    if change.left_out and change.n:
        sample, why = next(iter(change.left_out.items()))
        yield f"{len(change.left_out)} pictures left out: {shown(f'{sample} ({why})')}{_more(change.left_out, 1)}"


def _pictures(codec: CodecChange, name: str, shown: _Escape) -> Iterator[str]:
    for side, alone in (("before", codec.shared.only_before), ("after", codec.shared.only_after)):
        if alone and codec.shared.pairs:
            some = ", ".join(shown(sample) for sample in alone[:MOST_PICTURES])
            count = "1 picture is" if len(alone) == 1 else f"{len(alone)} pictures are"
            yield f"{name}: {count} in {side} only: {some}{_more(alone)}"


def _more(things: Any, most: int = MOST_PICTURES) -> str:
    return f" and {len(things) - most} more" if len(things) > most else ""


def _escaped(text: str) -> str:
    """`text` as Markdown that shows it as it is, whatever a codec or a picture is called."""
    return re.sub(r"([\\`*_{}\[\]<|#~@])", r"\\\1", one_line(text))
