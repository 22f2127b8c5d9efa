"""Pixel digests of a plan's samples: from the manifest, from an earlier reading, or by reading the picture now."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice
from typing import TypeAlias

from benchbox import image
from benchbox.dataset import Sample
from benchbox.errors import ImageError, UnsupportedImageError
from benchbox.plan import Resolved
from benchbox.session.progress import Progress
from benchbox.store import Store

Place: TypeAlias = tuple[str, str]
"""(data set id, sample id)"""


@dataclass(frozen=True)
class Unreadable:
    """A picture that cannot be read and so reaches no codec: the `status` of its rows, and the reason."""

    status: str
    reason: str


@dataclass(frozen=True)
class Digests:
    """Pixel digests of a plan's samples.

    Attributes:
        known: the pixel digest of each sample that can be read.
        unreadable: the samples that cannot be read.
        fresh: digests computed just now, by the stamp of their sample; for `WritableStore.keep_digests`.
    """

    known: Mapping[Place, str]
    unreadable: Mapping[Place, Unreadable]
    fresh: Mapping[str, str]

    @property
    def substitutes(self) -> dict[Place, str]:
        """Substitute digests for the keys of pictures that cannot be read."""
        return {place: "unreadable " + hashlib.sha256("\n".join([*place, why.reason]).encode()).hexdigest()
                for place, why in self.unreadable.items()}  # fmt: skip

    @property
    def all(self) -> dict[Place, str]:
        """A digest or its substitute for every sample."""
        return {**self.known, **self.substitutes}


def digests(resolved: Resolved, store: Store, progress: Progress) -> Digests:
    """The digests of all samples of a plan. Writes nothing.

    Pictures are decoded in threads (the decoders release the interpreter lock), a few at a time, and then freed.
    """
    known: dict[Place, str] = {}
    unknown: dict[Place, Sample] = {}
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            declared = sample.sha256()
            if declared is not None:
                known[dataset.id, sample.id] = declared
            else:
                unknown[dataset.id, sample.id] = sample
    stamps = {place: sample.stamp() for place, sample in unknown.items()}
    earlier = store.known_digests(stamp for stamp in stamps.values() if stamp)
    known |= {place: earlier[stamp] for place, stamp in stamps.items() if stamp in earlier}
    to_read = {place: sample for place, sample in unknown.items() if place not in known}
    if len(to_read) > 100:
        progress.say(f"hashing the pixels of {len(to_read)} pictures (once; later runs reuse the digests)")
    unreadable: dict[Place, Unreadable] = {}
    fresh: dict[str, str] = {}
    for place, digest in _read(to_read):
        stamp = stamps[place]
        if isinstance(digest, Unreadable):
            unreadable[place] = digest
            continue
        known[place] = digest
        if stamp:
            fresh[stamp] = digest
    return Digests(known, unreadable, fresh)


def _read(samples: Mapping[Place, Sample]) -> Iterator[tuple[Place, str | Unreadable]]:
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
