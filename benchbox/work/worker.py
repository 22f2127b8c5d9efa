"""What a process keeps between jobs, and the scoring of a decoded picture against its source.

Every metric gets pictures of its own, so that one that writes into them spoils nothing for others.
"""

from __future__ import annotations

import contextlib
import json
import math
from collections import OrderedDict
from collections.abc import Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol

import numpy as np

from benchbox import image as pixel
from benchbox.codec import Codec
from benchbox.dataset import FileSample, Sample
from benchbox.errors import BenchboxError, ChecksumError, DatasetError, ImageError, NotApplicable
from benchbox.guard import breach
from benchbox.image import Image
from benchbox.metric import Metric, Prepared, Scorer
from benchbox.plan import SampleName
from benchbox.processes import descendants
from benchbox.registry import Registry
from benchbox.store import UNSCORED
from benchbox.work.call import call, reason_of
from benchbox.work.unwritable import unwritable

ROUNDING = 1e-6
"""The most by which a score may leave the range that its metric declares, relative to the end where that is above 1."""


class Elsewhere(Protocol):
    """Another process that only decodes; see `benchbox.work.second`."""

    def begin(self) -> None:
        """A job begins."""

    def encoding(self) -> AbstractContextManager[None]:
        """Encode inside it what is then to be decoded."""

    def decode(self, codec: str, options: str, device: str, data: bytes) -> Image:
        """The picture that the codec of that id, options and device decodes `data` to; else PluginError."""

    def trust(self, codec: str, options: str, device: str) -> None:
        """What `decode` gave for that codec was right."""


class Worker:
    """What a process keeps between jobs: its registry, the codecs and metrics last used, the picture last read.

    Attributes:
        registry: the plugins.
        elsewhere: None where no other process is at hand.
        scorers: metrics that are opened already, by id.
        kept_processes: ids of the processes that codecs started while they were opened.
    """

    OPEN_CODECS = 8
    """Codecs kept open at once: jobs of one picture visit every codec in turn, and opening one may load a model."""

    def __init__(
        self, registry: Registry, elsewhere: Elsewhere | None = None, scorers: Mapping[str, Scorer] | None = None
    ) -> None:
        self.registry = registry
        self.elsewhere = elsewhere
        self.kept_processes: set[int] = set()
        self._codecs: OrderedDict[tuple[str, str, str], Codec] = OrderedDict()
        self._warm: dict[tuple[str, str, str], set[tuple[Any, ...]]] = {}
        self._scorers: dict[str, Scorer] = dict(scorers or {})
        self._source: tuple[str, Source] | None = None
        self._datasets: dict[str, Mapping[str, Sample]] = {}

    def codec(self, codec: str, options: str, device: str) -> Codec:
        """The opened codec of that id, options (canonical JSON) and device. Processes that it starts while it opens
        are added to `kept_processes`: they may work for it as long as this process lives."""
        key = (codec, options, device)
        if key not in self._codecs:
            info = self.registry.codec(codec)
            before = set(descendants())
            opened: Codec = call(codec, info.open, info.parse_options(json.loads(options)), device)
            if not (callable(getattr(opened, "encode", None)) and callable(getattr(opened, "decode", None))):
                raise breach(info.open, f"open gave {type(opened).__name__}; it must give a Codec", codec)
            self._codecs[key] = opened
            self.kept_processes |= set(descendants()) - before
            if len(self._codecs) > self.OPEN_CODECS:
                closed, oldest = self._codecs.popitem(last=False)
                self._warm.pop(closed, None)
                with contextlib.suppress(Exception):  # its own fault, which must not cost the codec that is opened
                    call(closed[0], oldest.close)
        self._codecs.move_to_end(key)
        return self._codecs[key]

    def is_new_to(self, codec: str, options: str, device: str, pixels: Image) -> bool:
        """Whether the opened codec is asked this for the first time of pictures of this shape and dtype: what it sets
        up for such pictures on first use is still to come."""
        known = self._warm.setdefault((codec, options, device), set())
        kind = (*pixels.shape, pixels.dtype)
        if kind in known:
            return False
        known.add(kind)
        return True

    def scorer(self, metric: Metric) -> Scorer:
        """The opened metric."""
        if metric.id not in self._scorers:
            scorer = call(metric.id, metric.open, "cpu")
            if not callable(getattr(scorer, "prepare", None)):
                raise breach(metric.open, f"open gave {type(scorer).__name__}; it must give a Scorer", metric.id)
            self._scorers[metric.id] = scorer
        return self._scorers[metric.id]

    def source(self, name: SampleName, sha256: str) -> Source:
        """The picture called `name`, checked against its planned digest.

        Raises:
            ChecksumError: its pixels are not those that were planned.
            DatasetError: the data set has no such sample here.
        """
        if self._source is None or self._source[0] != sha256:
            self._source = None  # let the last picture go before the next is read
            self._source = sha256, Source(self._pixels(name, sha256), self)
        return self._source[1]

    def _pixels(self, name: SampleName, sha256: str) -> Image:
        if name.path is not None:
            with contextlib.suppress(ImageError):  # it is read again with every check, which tells what is wrong
                pixels = call(name.sample, pixel.read_unchecked, name.path)
                if pixel.digest(pixels) == sha256:
                    return pixels
        pixels = pixel.check(call(name.sample, self._sample(name).load), name.sample)
        if pixel.digest(pixels) != sha256:
            raise ChecksumError(f"{name.sample}: its pixels are not those that were planned; the file has changed "
                                "or is not the one its manifest names")
        return pixels

    def _sample(self, name: SampleName) -> Sample:
        if name.path is not None:
            return FileSample(name.sample, name.path)
        if name.dataset not in self._datasets:
            opened = call(name.dataset, self.registry.dataset, name.dataset)
            self._datasets[name.dataset] = {sample.id: sample for sample in opened.samples}
        if name.sample not in self._datasets[name.dataset]:
            raise DatasetError(f"data set {name.dataset} has no sample '{name.sample}' here; run the plan again")
        return self._datasets[name.dataset][name.sample]


class Source:
    """A source picture and, for each metric asked, its prepared reference sides (two for a picture with alpha).

    Attributes:
        pixels: for benchbox itself, in memory that nothing can write to; plugins get a `copy`.
    """

    def __init__(self, pixels: Image, owner: Worker) -> None:
        self.pixels = unwritable(pixels)
        self._owner = owner
        self._prepared: dict[str, list[Prepared] | NotApplicable] = {}

    def copy(self) -> Image:
        """The pixels for one call into a plugin, read-only as far as numpy can see to it."""
        return _copy(self.pixels)

    def score(self, metric: Metric, sides: Sequence[Image]) -> list[Any]:
        """[version, value or None, reason] of the `sides_of` a decoded picture, of which the worse value counts. A
        metric that fails costs this value; the reason names metric, method, file and line."""
        try:
            return [metric.version, self._value(metric, sides), ""]
        except NotApplicable as reason:
            return [metric.version, None, reason_of(reason)]
        except Exception as error:  # a metric may raise anything
            return [metric.version, None, f"{UNSCORED}{reason_of(error)}"]

    def _value(self, metric: Metric, sides: Sequence[Image]) -> float:
        scorer = self._owner.scorer(metric)
        values = []
        for prepared, side in zip(self._prepare(metric, scorer), sides, strict=True):
            given = _copy(side)
            values.append(_number(metric, prepared, call(metric.id, prepared.score, given)))
            if not pixel.same(given, side):
                raise breach(prepared.score, "score writes into the decoded picture; let it work on a copy", metric.id)
        value = min(values) if metric.better == "higher" else max(values)
        if not math.isfinite(value):
            raise NotApplicable(f"the metric gave {value}")
        return value

    def _prepare(self, metric: Metric, scorer: Scorer) -> list[Prepared]:
        if metric.id not in self._prepared:
            try:
                sides = [_copy(side) for side in sides_of(self.pixels)]
                self._prepared[metric.id] = [_prepared(metric, scorer, side) for side in sides]
            except NotApplicable as reason:
                self._prepared[metric.id] = reason
        prepared = self._prepared[metric.id]
        if isinstance(prepared, NotApplicable):
            raise prepared
        return prepared


def _prepared(metric: Metric, scorer: Scorer, side: Image) -> Prepared:
    prepared = call(metric.id, scorer.prepare, side)
    if not callable(getattr(prepared, "score", None)):
        said = f"prepare gave {type(prepared).__name__}; it must give a Prepared"
        raise breach(scorer.prepare, said, metric.id)
    return prepared


def _number(metric: Metric, prepared: Prepared, value: Any) -> float:
    real = not (isinstance(value, np.ndarray | np.generic) and np.iscomplexobj(value))  # numpy drops the other part
    try:
        if real and not isinstance(value, str | bytes | bytearray | bool | np.bool_):
            return _in_range(metric, prepared, float(value))
    except BenchboxError:
        raise
    except Exception:  # its kind may raise anything
        real = False
    raise breach(prepared.score, f"score gave {type(value).__name__}; it must give a number", metric.id)


def _in_range(metric: Metric, prepared: Prepared, value: float) -> float:
    """`value`, unless it lies outside the range that the metric declares by more than rounding."""
    for end, side, name in ((metric.lowest, -1, "below the lowest"), (metric.highest, 1, "above the highest")):
        if end is not None and side * (value - end) > ROUNDING * max(1.0, abs(end)):
            raise breach(prepared.score, f"score gave {value:g}, which is {name} that the metric declares, {end:g}; "
                         "correct the score, or what is declared", metric.id)
    return value


def _copy(pixels: Image) -> Image:
    copy = pixels.copy()
    copy.setflags(write=False)
    return copy


def sides_of(pixels: Image) -> list[Image]:
    """The pictures that metrics see: the picture itself, or one with alpha over black and over white."""
    if pixels.shape[2] < 4:
        return [pixels]
    return [pixel.composite(pixels, background) for background in (0, pixel.peak(pixels))]
