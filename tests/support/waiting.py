"""Waits for what comes sooner or later, however busy the machine is."""

from __future__ import annotations

import time
from collections.abc import Callable


def until(condition: Callable[[], object], what: str, seconds: float = 600) -> None:
    """Wait until `condition` holds; fail where it does not in `seconds`, saying that it was waited for `what`."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, f"waited in vain for {what}"
        time.sleep(0.05)
