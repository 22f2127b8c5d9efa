"""The pictures that two results frames share, and the rows of one codec on them.

Pictures are paired by the digest of their pixels, since the same folder has another path on another machine and a
picture may have changed under its name. A picture of which nothing is measured yet has no digest and is paired by its
name; so is every picture of a table of an earlier release without digests.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

import pandas as pd

from benchbox.metric import Metric

BEFORE, AFTER = "before", "after"
"""Labels of the two sides in the rows of `paired_rows`."""

_TEXTS = ("sample", "codec", "status", "reason", "null_reasons", "stream_sha256", "pixels_sha256", "timing", "host")
_NUMBERS = ("quality", "bpp", "bytes", "batch", "threads", "encode_s", "decode_s")

Pictures: TypeAlias = Mapping[str, str]
"""sample -> what identifies it"""


@dataclass(frozen=True)
class Shared:
    """The pictures of one data set that two frames share.

    Attributes:
        dataset: its name in the later frame; `earlier`: its name in the earlier one, None if no data set shares any.
        pairs: sample of the earlier frame -> the same picture's sample in the later one.
        only_before, only_after: samples that the other frame lacks.
    """

    dataset: str
    earlier: str | None
    pairs: Mapping[str, str]
    only_before: tuple[str, ...]
    only_after: tuple[str, ...]


def shared_pictures(before: pd.DataFrame, after: pd.DataFrame) -> list[Shared]:
    """For each data set of `after` the pictures that it shares with the data set of `before` of the same name, else
    with the one that has most of its pictures."""
    named = any(bool(frame["sample_sha256"].isna().all()) for frame in (before, after))
    earlier, later = _pictures(before, named), _pictures(after, named)
    found = []
    for dataset, pictures in later.items():
        matches = {name: _pairs(others, pictures) for name, others in earlier.items()}
        most = max(matches, key=lambda name: (name == dataset, len(matches[name])), default=None)
        if most is None or not matches[most]:
            found.append(Shared(dataset, None, {}, (), tuple(pictures)))
            continue
        pairs = matches[most]
        found.append(Shared(
            dataset, most, pairs, tuple(name for name in earlier[most] if name not in pairs),
            tuple(name for name in pictures if name not in set(pairs.values())),
        ))  # fmt: skip
    return found


def paired_rows(
    before: pd.DataFrame, after: pd.DataFrame, shared: Shared, labels: tuple[str, str], metrics: Sequence[Metric]
) -> pd.DataFrame:
    """The rows of two codecs, labelled `BEFORE` and `AFTER`, on the pictures that both frames have, under the later
    frame's names. `labels` are those in the earlier and in the later frame."""
    names = {name: name for name in shared.pairs.values()}
    sides = ((before, shared.earlier, labels[0], BEFORE, shared.pairs),
             (after, shared.dataset, labels[1], AFTER, names))  # fmt: skip
    parts = []
    for frame, dataset, label, side, new in sides:
        own = frame[((frame["dataset"] == dataset) & (frame["label"] == label)).to_numpy(dtype=bool)]
        own = own[own["sample"].isin(list(new)).to_numpy(dtype=bool)]
        columns = {name: own[name].astype(object).where(own[name].notna(), None).tolist() for name in _TEXTS}
        table = pd.DataFrame(columns, columns=list(_TEXTS), dtype=object)
        for name in (*_NUMBERS, *(metric.column for metric in metrics)):
            table[name] = own[name].to_numpy(dtype=float, na_value=float("nan"))
        parts.append(table.assign(sample=[new[str(name)] for name in table["sample"]], dataset=shared.dataset,
                                  label=side))  # fmt: skip
    return pd.concat([part for part in parts if len(part)] or parts[:1], ignore_index=True)


def _pictures(frame: pd.DataFrame, named: bool) -> Mapping[str, Pictures]:
    """Data set -> its pictures, by the digest of their pixels, or by name if `named`; "" for a picture of which nothing
    is measured."""
    found: dict[str, dict[str, str]] = {str(dataset): {} for dataset in frame["dataset"].drop_duplicates()}
    rows = frame.drop_duplicates(["dataset", "sample", "sample_sha256"])
    for dataset, sample, digest in zip(rows["dataset"], rows["sample"], rows["sample_sha256"], strict=True):
        known = str(sample) if named else "" if pd.isna(digest) else str(digest)
        found[str(dataset)][str(sample)] = known or found[str(dataset)].get(str(sample), "")
    return found


def _pairs(before: Pictures, after: Pictures) -> dict[str, str]:
    """Sample before -> sample after of the same picture, each once, those of the same name first; then those that are
    not measured on one side and have the name of one on the other."""
    pairs = {name: name for name, known in before.items() if known and after.get(name) == known}
    free: dict[str, list[str]] = {}
    for name, known in after.items():
        if known and name not in pairs:
            free.setdefault(known, []).append(name)
    for name, known in before.items():
        if name not in pairs and free.get(known):
            pairs[name] = free[known].pop(0)
    taken = set(pairs.values())
    return pairs | {name: name for name, known in before.items() if name not in pairs and name not in taken
                    and name in after and not (known and after[name])}
