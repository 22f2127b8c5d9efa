"""The state of a worker process between jobs, and the scoring of a decoded picture against its source."""

from __future__ import annotations

import json
import math
from collections import OrderedDict
from typing import Any

from benchbox import image as pixel
from benchbox.codec import Codec
from benchbox.dataset import Sample
from benchbox.errors import ChecksumError, NotApplicable
from benchbox.image import Image
from benchbox.metric import Metric, Prepared, Scorer
from benchbox.registry import Registry


class Worker:
    """The state of a process between jobs: its registry, open codecs and metrics, and the picture last read."""

    OPEN_CODECS = 8
    """Codecs kept open at once: jobs of one picture visit every codec in turn, and opening one may load a model."""

    def __init__(self, registry: Registry) -> None:
        self.registry = registry
        self._codecs: OrderedDict[tuple[str, str, str], Codec] = OrderedDict()
        self._scorers: dict[str, tuple[Metric, Scorer]] = {}
        self._source: tuple[str, Source] | None = None

    def codec(self, codec: str, options: str, device: str) -> Codec:
        """The open codec with that id, options (canonical JSON) and device."""
        key = (codec, options, device)
        if key not in self._codecs:
            info = self.registry.codec(codec)
            self._codecs[key] = info.open(info.parse_options(json.loads(options)), device)
            if len(self._codecs) > self.OPEN_CODECS:
                self._codecs.popitem(last=False)[1].close()
        self._codecs.move_to_end(key)
        return self._codecs[key]

    def scorer(self, metric: str) -> tuple[Metric, Scorer]:
        """The open metric with that id."""
        if metric not in self._scorers:
            info = self.registry.metric(metric)
            self._scorers[metric] = info, info.open("cpu")
        return self._scorers[metric]

    def source(self, sample: Sample, sha256: str) -> Source:
        """The picture of `sample`, with its pixels checked against the digest `sha256`.

        Raises:
            ChecksumError: the pixels have another digest.
        """
        if self._source is None or self._source[0] != sha256:
            self._source = None  # free the last picture before reading the next
            pixels = sample.load()
            if pixel.digest(pixels) != sha256:
                raise ChecksumError(f"{sample.id}: its pixels have changed since the run was planned, or differ from "
                                    "those that the manifest names; run again, or fetch the data set anew")
            pixels.setflags(write=False)
            self._source = sha256, Source(pixels, self)
        return self._source[1]


class Source:
    """A source picture and its prepared reference for each metric used (two references for a picture with alpha)."""

    def __init__(self, pixels: Image, owner: Worker) -> None:
        self.pixels = pixels
        self._owner = owner
        self._prepared: dict[str, list[Prepared] | NotApplicable] = {}

    def _sides(self, pixels: Image) -> list[Image]:
        if pixels.shape[2] < 4:
            return [pixels]
        return [pixel.composite(pixels, background) for background in (0, pixel.peak(pixels))]

    def scores(self, decoded: Image, metrics: tuple[str, ...]) -> dict[str, list[Any]]:
        """metric -> [version, value or None, reason]. Alpha is composited over black and over white; the worse value
        counts."""
        sides = self._sides(decoded)
        return {name: self._score(name, sides) for name in metrics}

    def _score(self, name: str, sides: list[Image]) -> list[Any]:
        metric, scorer = self._owner.scorer(name)
        try:
            values = [p.score(side) for p, side in zip(self._prepare(name, scorer), sides, strict=True)]
        except NotApplicable as reason:
            return [metric.version, None, str(reason)]
        value = float(min(values) if metric.better == "higher" else max(values))
        if not math.isfinite(value):
            return [metric.version, None, f"the metric gave {value}"]
        return [metric.version, value, ""]

    def _prepare(self, name: str, scorer: Scorer) -> list[Prepared]:
        if name not in self._prepared:
            try:
                self._prepared[name] = [scorer.prepare(side) for side in self._sides(self.pixels)]
            except NotApplicable as reason:
                self._prepared[name] = reason
        prepared = self._prepared[name]
        if isinstance(prepared, NotApplicable):
            raise prepared
        return prepared
