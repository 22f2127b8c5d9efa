"""Python's cyclic garbage collector, held back while millions of objects that form no cycles come and go."""

from __future__ import annotations

import contextlib
import gc
from collections.abc import Iterator

THRESHOLDS = (100_000, 20, 50)
"""Objects between collections of the youngest generation, and collections of each before one of the next. Python's own
(700, 10, 10) take a third of the time in which a million rows are read. The collector is not stopped: figures are full
of cycles."""


@contextlib.contextmanager
def rarely_collected() -> Iterator[None]:
    """Collect rarely inside; as before afterwards."""
    before = gc.get_threshold()
    gc.set_threshold(*THRESHOLDS)
    try:
        yield
    finally:
        gc.set_threshold(*before)
