"""Pixel digests of a plan's samples: from the manifest, from an earlier reading, or by reading the picture now."""

from __future__ import annotations

import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

from benchbox import image
from benchbox.dataset import Sample
from benchbox.errors import ImageError, UnsupportedImageError
from benchbox.jobs import Resolved
from benchbox.progress import Progress
from benchbox.store import Store


@dataclass(frozen=True)
class Unreadable:
    """A picture that no codec will see, and why."""

    status: str
    reason: str


def digests(
    resolved: Resolved, store: Store, progress: Progress
) -> tuple[dict[tuple[str, str], str], dict[tuple[str, str], Unreadable]]:
    """(data set id, sample id) -> pixel digest, and those that cannot be read with the reason.

    Pictures are decoded in threads (the decoders release the interpreter lock), a few at a time, and not kept.
    """
    known: dict[tuple[str, str], str] = {}
    unknown: dict[tuple[str, str], Sample] = {}
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            promised = sample.sha256()
            if promised is not None:
                known[dataset.id, sample.id] = promised
            else:
                unknown[dataset.id, sample.id] = sample
    stamps = {place: sample.stamp() for place, sample in unknown.items()}
    earlier = store.known_digests(stamp for stamp in stamps.values() if stamp) if unknown else {}
    known |= {place: earlier[stamp] for place, stamp in stamps.items() if stamp in earlier}
    to_read = {place: sample for place, sample in unknown.items() if place not in known}
    bad: dict[tuple[str, str], Unreadable] = {}
    fresh: dict[str, str] = {}
    if len(to_read) > 100:
        progress.say(f"reading {len(to_read)} pictures to digest their pixels (once; remembered for later runs)")
    for place, digest in _read(to_read):
        if isinstance(digest, Unreadable):
            bad[place] = digest
            continue
        known[place] = digest
        stamp = stamps[place]
        if stamp:
            fresh[stamp] = digest
    store.keep_digests(fresh)
    return known, bad


def _read(samples: dict[tuple[str, str], Sample]) -> Iterator[tuple[tuple[str, str], str | Unreadable]]:
    items = iter(samples.items())
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        while batch := list(islice(items, 4 * (os.cpu_count() or 1))):
            yield from zip((place for place, _ in batch), pool.map(_digest, (s for _, s in batch)), strict=True)


def _digest(sample: Sample) -> str | Unreadable:
    try:
        return image.digest(sample.load())
    except UnsupportedImageError as error:
        return Unreadable("unsupported", str(error))
    except ImageError as error:
        return Unreadable("failed", str(error))
    except Exception as error:  # a third party's sample may raise anything
        return Unreadable("failed", f"{type(error).__name__}: {error}")
