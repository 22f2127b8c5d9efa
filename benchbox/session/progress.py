"""Progress of a run: a live bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import html
import sys
import time
from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

NOTEBOOK_EVERY = 0.2
"""Seconds between two updates of a notebook's bar."""


class Progress(Protocol):
    """Is called at each step of a run."""

    def say(self, message: str) -> None:
        """Show one line to the user."""

    def begin(self, total: int, label: str) -> None:
        """A stage of `total` steps begins."""

    def step(self, status: str) -> None:
        """One step is finished; `status` is "ok" or the kind of failure."""

    def end(self) -> None:
        """The stage has ended or was interrupted."""


class Silent:
    """Shows nothing."""

    def say(self, message: str) -> None:
        return

    def begin(self, total: int, label: str) -> None:
        return

    def step(self, status: str) -> None:
        return

    def end(self) -> None:
        return


class Bar:
    """A live bar with rate, time left and failures so far. The bar's clock starts with the first finished step: what
    comes before it, as the start of the workers, comes once."""

    def __init__(self) -> None:
        self._bar: Any = None
        self._bad: Counter[str] = Counter()

    def say(self, message: str) -> None:
        print(message, file=sys.stderr)

    def begin(self, total: int, label: str) -> None:
        from tqdm import tqdm

        self._bad.clear()
        self._bar = tqdm(total=total, desc=label, unit=" points", dynamic_ncols=True, smoothing=0.1)

    def step(self, status: str) -> None:
        if self._bar.n == 0:
            self._bar.unpause()
        if status != "ok":
            self._bad[status] += 1
            self._bar.set_postfix_str(", ".join(f"{n} {name}" for name, n in self._bad.items()), refresh=False)
        self._bar.update()

    def end(self) -> None:
        if self._bar is not None:
            self._bar.close()
            self._bar = None


class Lines:
    """Plain lines, at most one every few seconds, for logs. Rate and time left count from the first finished step: what
    comes before it, as the start of the workers, comes once."""

    def __init__(self, every: float = 5.0) -> None:
        self._every = every
        self._total = self._done = self._bad = 0
        self._label = ""
        self._start = self._first = self._last = 0.0

    def say(self, message: str) -> None:
        print(message, file=sys.stderr, flush=True)

    def begin(self, total: int, label: str) -> None:
        self._total, self._label, self._done, self._bad = total, label, 0, 0
        self._start = self._first = self._last = time.monotonic()

    def step(self, status: str) -> None:
        self._done += 1
        self._bad += status != "ok"
        now = time.monotonic()
        self._first = now if self._done == 1 else self._first
        if now - self._last >= self._every or self._done == self._total:
            self._last = now
            bad = f", {self._bad} not ok" if self._bad else ""
            self.say(f"{self._label}: {self._done}/{self._total} points{self._pace(now)}{bad}")

    def _pace(self, now: float) -> str:
        """Rate and time left, which the first step alone does not tell: the start of the workers is in it."""
        if self._done == 1 < self._total:
            return ""
        steps, since = (self._done - 1, self._first) if self._done > 1 else (1, self._start)
        rate = steps / max(now - since, 1e-9)
        return f", {rate:.1f}/s, {(self._total - self._done) / rate:.0f} s left"

    def end(self) -> None:
        return


class Notebook:
    """A bar in the output of a notebook's cell; what is said is printed there."""

    def __init__(self, display: Callable[..., Any]) -> None:
        self._display = display
        self._handle: Any = None
        self._total = self._done = self._bad = 0
        self._label = ""
        self._last = 0.0

    def say(self, message: str) -> None:
        print(message)

    def begin(self, total: int, label: str) -> None:
        self._total, self._label, self._done, self._bad, self._last = total, label, 0, 0, 0.0
        self._handle = self._display(_Html(self._text()), display_id=True)

    def step(self, status: str) -> None:
        self._done += 1
        self._bad += status != "ok"
        now = time.monotonic()
        if now - self._last >= NOTEBOOK_EVERY or self._done == self._total:
            self._last = now
            self._update()

    def end(self) -> None:
        self._update()
        self._handle = None

    def _update(self) -> None:
        if self._handle is not None:
            self._handle.update(_Html(self._text()))

    def _text(self) -> str:
        bad = f", {self._bad} not ok" if self._bad else ""
        return (f'<label>{html.escape(self._label)}: {self._done} of {self._total} points{bad} '
                f'<progress value="{self._done}" max="{max(self._total, 1)}"></progress></label>')


class _Html:
    """HTML that a notebook displays."""

    def __init__(self, text: str) -> None:
        self._text = text

    def _repr_html_(self) -> str:
        return self._text


def for_python() -> Progress:
    """A bar if this is a notebook, else nothing: a script says what it wants to show."""
    shell = getattr(sys.modules.get("IPython"), "get_ipython", lambda: None)()
    if shell is None or not hasattr(shell, "kernel"):
        return Silent()
    return Notebook(sys.modules["IPython"].display.display)


def for_terminal() -> Progress:
    """A bar if standard error is a terminal, else plain lines."""
    if sys.stderr is None:  # closed by whoever started this process
        return Silent()
    return Bar() if sys.stderr.isatty() else Lines()
