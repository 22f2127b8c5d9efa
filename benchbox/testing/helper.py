"""A process that imports no plugin and forks one child for each plugin that is tried, so that a child starts quickly
and whatever a plugin does there, crash and hang included, costs nothing but its own rules."""

from __future__ import annotations

import atexit
import contextlib
import json
import os
import subprocess
import sys
from collections.abc import Mapping
from functools import cache
from typing import Any

from benchbox.errors import PluginError
from benchbox.testing.check import Outcome
from benchbox.testing.origin import Origin

_LIBRARIES = ("OMP", "OPENBLAS", "MKL", "NUMEXPR")
_ONE_THREAD = {f"{library}_NUM_THREADS": "1" for library in _LIBRARIES}
_START = "import json, sys; sys.path[:] = json.loads(sys.argv[1]); from benchbox.testing.serve import main; main()"


class Helper:
    """The process; made once by `helper`."""

    def __init__(self) -> None:
        # another seed of hashes than any other process has, which shows an identity that depends on the order of a set
        environment = {**os.environ, **_ONE_THREAD, "PYTHONHASHSEED": "20"}
        self._process = subprocess.Popen([sys.executable, "-c", _START, json.dumps(sys.path)], stdin=subprocess.PIPE,
                                         stdout=subprocess.PIPE, env=environment)  # fmt: skip

    def outcomes(self, origin: Origin, who: str, arguments: Mapping[str, Any], folder: str) -> dict[str, Outcome]:
        """Try all rules on the object of `origin`, called `who` in messages; `arguments` make its subject, `folder`
        takes the files of the trial.

        Raises:
            PluginError: the process itself ended.
        """
        asked = {"origin": origin.values(), "who": who, "arguments": dict(arguments), "folder": folder,
                 "path": sys.path, "cwd": os.getcwd(),
                 "environment": {**os.environ, **_ONE_THREAD}}  # fmt: skip
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        try:
            self._process.stdin.write(json.dumps(asked).encode() + b"\n")
            self._process.stdin.flush()
            answer = json.loads(self._process.stdout.readline())
        except (OSError, ValueError):
            helper.cache_clear()
            raise PluginError(f"{who}: the process that tries plugins ended; run the check again") from None
        return {name: Outcome(**outcome) for name, outcome in answer.items()}

    def close(self) -> None:
        """End the process."""
        with contextlib.suppress(OSError):
            self._process.communicate(timeout=10)


@cache
def helper() -> Helper:
    """The process of this one; it starts when it is first needed and ends with this one."""
    made = Helper()
    atexit.register(made.close)
    return made
