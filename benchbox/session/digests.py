"""Pixel digests of a plan's samples: from the manifest, from an earlier reading, or by reading the picture now."""

from __future__ import annotations

import hashlib
import random
import re
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from itertools import islice
from typing import TypeAlias, TypeVar

from benchbox import image, machine
from benchbox.dataset import FileSample, Sample
from benchbox.errors import BenchboxError, UnsupportedImageError, one_line
from benchbox.guard import answered, exit_forbidden, worked
from benchbox.plan import Resolved
from benchbox.session.progress import Progress
from benchbox.store import Store

T = TypeVar("T")

MOST_VERIFIED = 100
"""Pictures of a data set, drawn anew in each run, whose stamps are not taken at their word. A data set that is made
anew changes most of its pictures, so that one of them is among these."""

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
        notes: the reader's notes on the samples that have any.
        fresh_notes: notes taken just now, by stamp; for `WritableStore.keep_notes`.
        fresh: digests computed just now, by the stamp of their sample; for `WritableStore.keep_digests`.
    """

    known: Mapping[Place, str]
    unreadable: Mapping[Place, Unreadable]
    fresh: Mapping[str, str]
    notes: Mapping[Place, tuple[str, ...]] = field(default_factory=dict)
    fresh_notes: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

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
    unreadable: dict[Place, Unreadable] = {}
    unknown: dict[Place, Sample] = {}
    for dataset in resolved.datasets:
        for sample in dataset.samples:
            declared = _declared(sample)
            if isinstance(declared, str):
                known[dataset.id, sample.id] = declared
            elif declared is not None:
                unreadable[dataset.id, sample.id] = declared
            else:
                unknown[dataset.id, sample.id] = sample
    stamps = {place: stamp_of(place[0], sample) for place, sample in unknown.items()}
    earlier = store.known_digests(stamp for stamp in stamps.values() if stamp)
    believed = {place: earlier[stamp] for place, stamp in stamps.items() if stamp in earlier}
    liars = _liars({place: unknown[place] for place in believed}, believed)
    for name, liar in liars.items():
        progress.say(f"{name}: the stamp of {liar} is that of another picture, so its pictures are read in every "
                     "run; a stamp must change whenever the pixels may have changed")
    stamps = {place: None if place[0] in liars else stamp for place, stamp in stamps.items()}
    known |= {place: digest for place, digest in believed.items() if place[0] not in liars}
    to_read = {place: sample for place, sample in unknown.items() if place not in known}
    if len(to_read) > 100:
        progress.say(f"hashing the pixels of {len(to_read)} pictures (once; later runs reuse the digests)")
    fresh: dict[str, str] = {}
    for place, digest in _threaded(to_read, read_digest):
        stamp = stamps[place]
        if isinstance(digest, Unreadable):
            unreadable[place] = digest
            continue
        known[place] = digest
        if stamp and stamp == stamp_of(place[0], to_read[place]):  # unchanged since before it was read
            fresh[stamp] = digest
    readable = {(d.id, s.id): s for d in resolved.datasets for s in d.samples if (d.id, s.id) in known}
    stamps |= {place: None if place[0] in liars else stamp_of(place[0], sample)
               for place, sample in readable.items() if place not in stamps}  # fmt: skip
    return Digests(known, unreadable, fresh, *_notes(readable, stamps, store))


def _notes(
    samples: Mapping[Place, Sample], stamps: Mapping[Place, str | None], store: Store
) -> tuple[dict[Place, tuple[str, ...]], dict[str, tuple[str, ...]]]:
    """The reader's notes on samples, and by stamp those that the store lacks. `stamps` are those of the samples before
    they were read, None where it does not count."""
    earlier = store.known_notes(stamp for stamp in stamps.values() if stamp)
    found = {place: earlier[stamp] for place in samples if (stamp := stamps[place]) in earlier}
    fresh = {}
    for place, notes in _threaded({place: s for place, s in samples.items() if place not in found}, _notes_of):
        found[place] = notes
        stamp = stamps[place]
        if stamp and stamp == stamp_of(place[0], samples[place]):
            fresh[stamp] = notes
    return {place: notes for place, notes in found.items() if notes}, fresh


def _notes_of(sample: Sample) -> tuple[str, ...]:
    try:
        return tuple(one_line(note) for note in answered(sample.notes))
    except (BenchboxError, TypeError):  # a third party's sample may give anything; its pixels matter more
        return ()


def _threaded(samples: Mapping[Place, Sample], work: Callable[[Sample], T]) -> Iterator[tuple[Place, T]]:
    items, cores = iter(samples.items()), machine.cores()
    with exit_forbidden(), ThreadPoolExecutor(cores) as pool:  # here, since its threads cannot forbid it
        while batch := list(islice(items, 4 * cores)):
            yield from zip((place for place, _ in batch), pool.map(work, (s for _, s in batch)), strict=True)


def read_digest(sample: Sample) -> str | Unreadable:
    """The digest of the pixels as they are now."""
    try:
        return image.digest(image.check(worked(sample.load), sample.id))
    except UnsupportedImageError as error:
        return Unreadable("unsupported", one_line(error))
    except BenchboxError as error:
        return Unreadable("failed", one_line(error))


def _liars(samples: Mapping[Place, Sample], believed: Mapping[Place, str]) -> dict[str, str]:
    """Data set -> a sample whose stamp is the one under which another picture is known. Stamps of files are the core's
    own; of any others, up to `MOST_VERIFIED` a data set are held against the pixels, where these can be read now."""
    foreign: dict[str, list[Place]] = {}
    for place, sample in samples.items():
        if not _is_file(sample):
            foreign.setdefault(place[0], []).append(place)
    drawn = random.Random()
    asked = [place for places in foreign.values() for place in drawn.sample(places, min(len(places), MOST_VERIFIED))]
    found = _threaded({place: samples[place] for place in asked}, read_digest)
    return {place[0]: place[1] for place, digest in found
            if not isinstance(digest, Unreadable) and digest != believed[place]}  # fmt: skip


def _is_file(sample: Sample) -> bool:
    return isinstance(sample, FileSample) and type(sample).stamp is FileSample.stamp


def stamp_of(dataset: str, sample: Sample) -> str | None:
    """The stamp of a sample, as text that the store takes; None where it has none or cannot say, so that its pixels are
    read. That of a third party's kind of sample is its own within its data set only."""
    try:  # a plugin's code is guarded, which takes as long again as a file's stamp
        stamp = sample.stamp() if _is_file(sample) else answered(sample.stamp)
    except Exception:  # a file's path may be anything, too
        return None
    if not isinstance(stamp, str):
        return None
    whole = stamp if _is_file(sample) else "|".join([dataset, sample.id, stamp])
    return whole.encode("utf-8", "backslashreplace").decode()


def _declared(sample: Sample) -> str | Unreadable | None:
    """The digest that its manifest promises; None where it promises none."""
    declared: object
    if isinstance(sample, FileSample) and type(sample).sha256 is FileSample.sha256 and "known_sha256" in vars(sample):
        declared = sample.known_sha256  # none of a plugin's code is called
    else:
        try:
            declared = answered(sample.sha256)
        except BenchboxError as error:
            return Unreadable("failed", one_line(error))
    if declared is None or (isinstance(declared, str) and re.fullmatch("[0-9a-f]{64}", declared)):
        return declared
    return Unreadable("failed", f"{sample.id}: sha256 must give 64 hexadecimal digits or None, got {declared!r:.80}")
