"""The published curves that a report draws with those of a run: looked up by id, or read from files."""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from pathlib import Path, PurePosixPath

from benchbox.errors import UnknownIdError, UsageError, did_you_mean
from benchbox.guard import answered, worked
from benchbox.metric import Metric
from benchbox.reference import PicturePoints, Reference, ReferenceFormat
from benchbox.registry import Registry

MOST_BPP = 1000
"""Bits a pixel that no codec of pictures needs: raw RGBA of 16 bits has 64."""
MOST_HEADER = 2**20
"""Bytes of a stream's head, of which a picture of few pixels has many to the pixel."""
MOST_SCORE = 1e6
"""Magnitude of a score beyond which a metric without bounds of its own does not go."""


def find_references(names: Sequence[str], datasets: Collection[str], registry: Registry) -> list[Reference]:
    """The published curves in `names` on the run's data sets: first those named by id, then those from each file.

    If the id of a curve from a file is taken, ``-2``, ``-3`` ... is appended to it.

    Args:
        names: ids of published curves, paths of files that end in a suffix of one of the registry's formats, and of
            folders with such files.
        datasets: the run's data sets as its plan names them.
        registry: the plugins that offer curves and formats.

    Raises:
        UnknownIdError: no plugin has a curve with that id on any of `datasets`.
        UsageError: no format can read a file; the message names the file, the problem and the remedy.
    """
    if not names:
        return []
    formats = registry.reference_formats()
    names = [file for name in names for file in _inside(name, formats)]
    files = {name: readers for name in names if (readers := _readers(name, formats))}
    curves = _published([name for name in names if name not in files], datasets, registry)
    read = [curve for name in names if name in files for curve in _read(Path(name), files[name], datasets)]
    for curve in read:
        if fault := _fault(curve, registry.metrics):
            raise UsageError(f"{curve.source.partition(';')[0]}: {curve.title}: {fault}")
    for curve in _gathered(read):
        curves.append(replace(curve, id=_free(curve.id, {other.id for other in curves})))
    return curves


def _inside(name: str, formats: Sequence[ReferenceFormat]) -> list[str]:
    """The files of curves in a folder and below it, sorted; `name` itself where it is no folder's path. A word without
    a slash is an id."""
    if "/" not in name or not Path(name).is_dir():
        return [name]
    found = sorted(str(path) for path in Path(name).rglob("*") if path.is_file() and _readers(path.name, formats))
    if not found:
        raise UsageError(f"{name}: holds no file of curves; name one that does, or an id of `benchbox list references`")
    return found


def _gathered(curves: Sequence[Reference]) -> list[Reference]:
    """Curves that several files give, each for other pictures or points, as one: those of one id, data set and
    convention. Their points are numbered by rising bpp, picture by picture, where several have one quality."""
    found: dict[tuple[object, ...], list[Reference]] = {}
    for k, curve in enumerate(curves):
        apart = None if curve.pictures else k
        found.setdefault((curve.id, curve.dataset, curve.convention, curve.source, apart), []).append(curve)
    return [parts[0] if len(parts) == 1 else replace(parts[0], pictures=_united(parts)) for parts in found.values()]


def _united(parts: Sequence[Reference]) -> dict[str, PicturePoints]:
    points: dict[str, list[PicturePoints]] = {}
    for part in parts:
        for picture, own in part.pictures.items():
            points.setdefault(picture, []).append(own)
    return {picture: _joined(own) for picture, own in points.items()}


def _joined(parts: Sequence[PicturePoints]) -> PicturePoints:
    bpp = [rate for part in parts for rate in part.bpp]
    quality = [value for part in parts for value in part.quality]
    if len(set(quality)) < len(quality):
        ranks = {k: rank for rank, k in enumerate(sorted(range(len(bpp)), key=bpp.__getitem__), 1)}
        quality = [float(ranks[k]) for k in range(len(bpp))]
    names = dict.fromkeys(name for part in parts for name in part.metrics)
    metrics = {name: tuple(value for part in parts for value in part.metrics.get(name, (None,) * len(part.bpp)))
               for name in names}
    return PicturePoints(tuple(quality), tuple(bpp), metrics, parts[0].pixels)


def _published(ids: Sequence[str], datasets: Collection[str], registry: Registry) -> list[Reference]:
    """The curves with those ids on the run's data sets, in the registry's order."""
    if not ids:
        return []
    here = {name.partition(":")[0] for name in datasets}
    offered = [curve for curve in registry.references() if curve.dataset in here]
    known = {curve.id for curve in offered}
    for name in ids:
        if name not in known:
            faults = "".join(f"; {p} could not be asked: {p.failure}" for p in registry.reference_faults())
            where = " or ".join(sorted(here))
            raise UnknownIdError(f"no published curve on {where} is called '{name}'{did_you_mean(name, known)}"
                                 f" (`benchbox list references` shows {len(known)} for these data sets)"
                                 f"{faults}")
    return [curve for curve in offered if curve.id in ids]


def _readers(name: str, formats: Sequence[ReferenceFormat]) -> list[ReferenceFormat]:
    """The formats that read files with the suffix of `name`; none if `name` is an id."""
    return [form for form in formats if name.lower().endswith(form.suffixes)]


def _read(path: Path, readers: Sequence[ReferenceFormat], datasets: Collection[str]) -> Sequence[Reference]:
    """The curves in a file, from the first of `readers` that can read it; raises UsageError with all their messages."""
    problems = []
    for reader in [one for one in readers if answered(one.recognises, path)] or readers:
        try:
            return worked(reader.read_all, path, datasets)
        except UsageError as error:
            problems.append(str(error))
    raise UsageError("; ".join(problems))


def _fault(curve: Reference, metrics: Mapping[str, Metric]) -> str:
    """What cannot be in a curve that was read from a file: a rate or score outside its range, a point given twice; ""
    if there is none of it."""
    if curve.bpp and (fault := _outside(curve.bpp, curve.metrics, metrics)):
        return fault
    seen = set()
    for picture, points in curve.pictures.items():
        if fault := _outside(points.bpp, points.metrics, metrics, points.pixels):
            return f"{picture}: {fault}"
        name = PurePosixPath(picture).stem.casefold()
        twice = [quality for quality, count in Counter(points.quality).items() if count > 1]
        if twice or name in seen:
            at = f" at quality {twice[0]:g}" if twice else ""
            return f"{picture} is given twice{at}; leave one of the two out"
        seen.add(name)
    return ""


def _outside(
    bpp: Sequence[float], scores: Mapping[str, Sequence[float | None]], metrics: Mapping[str, Metric],
    pixels: int | None = None,
) -> str:  # fmt: skip
    """The first rate that no picture (of so many `pixels`) has, or score that its metric does not reach; "" if there is
    none."""
    most = MOST_BPP + (8 * MOST_HEADER // pixels if pixels else 0)
    for rate in bpp:
        if not 0 < rate <= most:
            return f"{rate:g} bpp is not within 0 .. {most}; rates are bits, not bytes, of a pixel"
    for name, values in scores.items():
        if len(values) != len(bpp):
            return f"has {len(values)} values of {name} and {len(bpp)} rates; a metric may have one column"
        if (metric := metrics.get(name)) is None:
            continue
        low = -MOST_SCORE if metric.lowest is None else metric.lowest
        high = MOST_SCORE if metric.highest is None else metric.highest
        for value in values:
            if value is not None and not low <= value <= high:
                return f"{name} is {value:g}, not within {low:g} .. {high:g}; write it as benchbox scores it"
    return ""


def _free(name: str, taken: Collection[str]) -> str:
    """The first of ``name``, ``name-2``, ``name-3`` ... that is not taken."""
    number, free = 1, name
    while free in taken:
        number += 1
        free = f"{name}-{number}"
    return free
