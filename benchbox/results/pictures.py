"""The pictures behind the rows of a run: decoded from kept streams, and as they are in their data sets."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cached_property
from typing import TYPE_CHECKING, Any

from benchbox import image
from benchbox.dataset import Sample
from benchbox.errors import DatasetError
from benchbox.guard import worked
from benchbox.image import Image
from benchbox.registry import Registry
from benchbox.store import Streams
from benchbox.work import Worker, decode_row

if TYPE_CHECKING:
    import pandas as pd

_NEEDED = ("dataset", "sample", "sample_sha256", "codec", "options", "device", "stream_sha256")


class Pictures:
    """The pictures of a results frame, by the keys of its rows. Data sets are opened when first asked for, and once.

    Args:
        frame: the rows.
        registry: the plugins.
        streams: the kept streams; None for a published folder, which has none.
    """

    def __init__(self, frame: pd.DataFrame, registry: Registry, streams: Streams | None) -> None:
        self._frame = frame
        self._registry = registry
        self._streams = streams
        self._worker = Worker(registry)
        self._samples: dict[str, Mapping[str, Sample]] = {}

    def decoded(self, key: str) -> Image:
        """The decoded picture of a row. Raises BenchboxError where its stream is gone or cannot be decoded."""
        assert self._streams is not None
        return decode_row(self._worker, self._row(key), self._streams)

    def original(self, key: str) -> Image:
        """The source picture of a row. Raises DatasetError where it is gone or is another one now."""
        row = self._row(key)
        dataset, name = str(row["dataset"]), str(row["sample"])
        if dataset not in self._samples:
            self._samples[dataset] = {sample.id: sample for sample in self._registry.dataset(dataset).samples}
        sample = self._samples[dataset].get(name)
        if sample is None:
            raise DatasetError(f"data set {dataset} no longer has the sample '{name}'")
        pixels = image.check(worked(sample.load), name)
        if image.digest(pixels) != row["sample_sha256"]:
            raise DatasetError(f"data set {dataset}: the picture '{name}' is not the one that was measured; run the plan "
                               "again")
        return pixels

    def _row(self, key: str) -> Mapping[str, Any]:
        import pyarrow.compute as pc

        place = pc.index(self._keys, key).as_py()
        if place < 0:
            raise KeyError(key)
        return {name: self._frame[name].iloc[place] for name in _NEEDED}

    @cached_property
    def _keys(self) -> Any:
        """The keys as an Arrow array, in which one is found without a Python object for each of a million."""
        import pyarrow as pa

        return pa.array(self._frame["key"])
