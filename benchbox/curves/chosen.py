"""The codecs and metrics of a comparison of two runs: those that both have, or those that were asked for."""

from __future__ import annotations

from collections.abc import Sequence

import pandas as pd

from benchbox.errors import UnknownIdError, did_you_mean
from benchbox.metric import Metric


def codec_pairs(before: pd.DataFrame, after: pd.DataFrame, wanted: Sequence[str]) -> list[tuple[str, str]]:
    """(label before, label after) of each codec to compare.

    Args:
        before, after: the results of the two runs.
        wanted: each ``"mine"`` (the same codec in both) or ``"old=new"`` (two codecs), by label or by codec id; empty:
            every label that both runs have, in the order of `after`.

    Raises:
        UnknownIdError: a run has no such codec, a codec id has several labels there, or the runs have no label in
            common.
    """
    old, new = _labels(before), _labels(after)
    if wanted:
        return list(dict.fromkeys(_pair(text, old, new) for text in wanted))
    pairs = [(label, label) for label in new if label in old]
    if not pairs:
        raise UnknownIdError(f"no codec is in both runs: before has {', '.join(old) or 'none'}, after has "
                             f"{', '.join(new) or 'none'}; name two with old=new")
    return pairs


def common_metrics(before: Sequence[Metric], after: Sequence[Metric], wanted: Sequence[str]) -> list[Metric]:
    """The metrics that both runs have, in the order of the later one; only the ids in `wanted` if there are any.

    Raises:
        UnknownIdError: one of `wanted` is not in both runs, or no metric is.
    """
    ids = {metric.id for metric in before}
    both = {metric.id: metric for metric in after if metric.id in ids}
    for name in wanted:
        if name not in both:
            choice = f"; both have {', '.join(both) or 'none'}; add it to the plan and run again"
            raise UnknownIdError(f"metric '{name}' is not in both runs{did_you_mean(name, both) or choice}")
    if not both:
        raise UnknownIdError("the two runs have no metric in common; add one to the plan and run it again")
    return [metric for name, metric in both.items() if not wanted or name in wanted]


def _labels(frame: pd.DataFrame) -> dict[str, str]:
    """label -> codec id"""
    rows = frame.drop_duplicates(["label", "codec"])
    return dict(zip(rows["label"].astype(str), rows["codec"].astype(str), strict=True))


def _pair(text: str, old: dict[str, str], new: dict[str, str]) -> tuple[str, str]:
    """The labels that `text` names. Labels may contain "=", so every way to split it is tried."""
    places = [place for place, character in enumerate(text) if character == "="]
    splits = [(text, text), *((text[:place], text[place + 1 :]) for place in places)]
    known = [(left, right) for left, right in splits if _matches(left, old) and _matches(right, new)]
    if len(known) > 1 and known[0] != (text, text):
        (one, two), (other, another) = known[:2]
        raise UnknownIdError(f"'{text}' may mean '{one}' before and '{two}' after, or '{other}' and '{another}'; name "
                             "one of them by its codec id, or give it another label")
    if known:
        left, right = known[0]
        return _label(left, old, "before"), _label(right, new, "after")
    left, right = splits[min(1, len(splits) - 1)]
    return _label(left, old, "before"), _label(right, new, "after")


def _matches(name: str, labels: dict[str, str]) -> list[str]:
    return [name] if name in labels else [label for label, codec in labels.items() if codec == name]


def _label(name: str, labels: dict[str, str], side: str) -> str:
    found = _matches(name, labels)
    if len(found) > 1:
        raise UnknownIdError(f"the run {side} has several codecs '{name}'; take one of {', '.join(found)}")
    if not found:
        choice = did_you_mean(name, labels) or f"; it has {', '.join(labels) or 'none'}"
        raise UnknownIdError(f"the run {side} has no codec '{name}'{choice}")
    return found[0]
