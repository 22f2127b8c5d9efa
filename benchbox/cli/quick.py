"""The verdicts that ``benchbox run --quick`` shows while points come in."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbox.curves import Change, CodecChange, compare_codecs
from benchbox.dataset import public_name
from benchbox.metric import Metric
from benchbox.store import MARK, Store
from benchbox.store.frame import frame

MOST_LINES = 12
"""Verdicts that are shown at a time."""


def verdicts(store: Store, run: str, metrics: Sequence[Metric]) -> list[str]:
    """A line for each codec and metric of `run` that has a BD-rate by now.

    If there is ``NAME~1``, which the run was before a codec changed, its changed codecs are compared with that; else
    all codecs with the run's own anchor: jpeg, or its first lossy codec.
    """
    now = frame(store, run, metrics)
    former = f"{run}{MARK}1"
    if store.former_folder(former) is not None:
        before = frame(store, former, metrics)
        known = set(before["label"])
        pairs = [(label, label) for label in _lossy(now) if label in known]
        found = compare_codecs(before, now, metrics, pairs)
        if not any(_moved(codec) for codec in found):
            some = any(codec.points.compared for codec in found)
            return [f"no point {'has other bytes than in' if some else 'can be compared with'} {former} so far"]
        found = [codec for codec in found if _moved(codec)]
        lines = [f"{codec.after}, {public_name(codec.dataset)}: {len(codec.points.broken)} points went through in "
                 f"{former} and fail now" for codec in found if codec.points.broken]  # fmt: skip
        against = former
    else:
        labels, lines = _lossy(now), []
        against = next((label for label in labels if label == "jpeg"), labels[0] if labels else "")
        found = compare_codecs(now, now, metrics, [(against, label) for label in labels if label != against])
    lines += [_line(codec, change, against) for codec in found for change in codec.changes if change.n]
    return [*lines[:MOST_LINES], *([f"and {len(lines) - MOST_LINES} more"] if len(lines) > MOST_LINES else [])]


def _moved(codec: CodecChange) -> bool:
    """True if a point measured so far differs from the earlier one, or the runs ask for different qualities."""
    points = codec.points
    return bool(points.changed or points.decoded or points.broken or not points.asked)


def _lossy(table: pd.DataFrame) -> list[str]:
    return list(dict.fromkeys(table["label"][table["quality"].notna()].astype(str)))


def _line(codec: CodecChange, change: Change, against: str) -> str:
    head = f"{codec.after} against {against}, {public_name(codec.dataset)}, {change.metric}"
    if change.interval is None:
        return f"{head}: {change.bd_rate:+.2f} %, {change.verdict}: {change.reason}"
    low, high = change.interval
    return f"{head}: {change.bd_rate:+.2f} % ({low:+.2f} .. {high:+.2f} %), {change.verdict}, {change.n} pictures"
