"""The process that forks a child for each plugin that is tried, watches it, and says how it ended.

It reads one request a line from standard input (see `benchbox.testing.helper`) and answers with the outcomes.
"""

from __future__ import annotations

import gc
import json
import math
import os
import re
import select
import signal
import sys
import time
from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from typing import Any

from benchbox.processes import adopt_orphans, die_with_parent, end_descendants
from benchbox.testing import child
from benchbox.testing.check import Outcome, Rule
from benchbox.written import hidden

START_SECONDS = 120.0
"""How long the import of a plugin may take before it counts as hanging."""

NOTICE_SECONDS = 5.0
"""How long a rule is tried before whoever waits is told, on standard error, for what and how long."""


def main() -> None:
    """Answer requests until standard input ends."""
    die_with_parent()
    adopt_orphans()
    gc.freeze()  # what is loaded here is not looked through when a child collects garbage
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the process that asks
    for line in sys.stdin.buffer:
        found = _served(json.loads(line))
        sys.stdout.write(json.dumps({name: asdict(outcome) for name, outcome in found.items()}) + "\n")
        sys.stdout.flush()
        end_descendants()


def _served(asked: Mapping[str, Any]) -> dict[str, Outcome]:
    """The outcomes of all rules; those that are `apart` come last, in another child than the others."""
    rules = child.rules_of(asked["origin"]["hook"])
    known: dict[str, Outcome] = {}
    for apart in (False, True):
        todo = [rule for rule in rules if rule.apart == apart]
        while todo:
            with hidden(child.written(asked["folder"]) if apart else ()):
                known |= _Watch(asked, todo, known).outcomes()
            todo = [rule for rule in todo if rule.name not in known]
    return {rule.name: known[rule.name] for rule in rules}


class _Watch:
    """One child and the rules that it tries, until it has tried them or ends."""

    def __init__(self, asked: Mapping[str, Any], todo: Sequence[Rule[Any]], known: Mapping[str, Outcome]) -> None:
        self._asked = asked
        self._todo = todo
        self._found: dict[str, Outcome] = {}
        self._rule = ""  # the rule that is being tried
        self._wait(START_SECONDS)
        self._stack = Path(asked["folder"], f"stack-{time.monotonic_ns()}")
        self._from_child, into = os.pipe()
        self._pid = os.fork()
        if self._pid == 0:
            die_with_parent()
            os.close(self._from_child)
            child.run(asked, [rule.name for rule in todo], known, into, self._stack)
        os.close(into)

    def outcomes(self) -> dict[str, Outcome]:
        """The outcomes of the rules that were tried; at least of one."""
        status = None if self._listen() else self._ended()
        hanging = status is None
        if hanging:
            os.kill(self._pid, signal.SIGUSR1)  # by which it notes where it is
            time.sleep(0.3)
            os.kill(self._pid, signal.SIGKILL)
            os.waitpid(self._pid, 0)
        with suppress(OSError):
            os.killpg(self._pid, signal.SIGKILL)
        os.close(self._from_child)
        self._judge(hanging, status or 0)
        return self._found

    def _ended(self) -> int | None:
        """The exit status; None where the child goes on without saying anything until a rule takes too long."""
        while time.monotonic() < self._deadline:
            pid, status = os.waitpid(self._pid, os.WNOHANG)
            if pid:
                return os.waitstatus_to_exitcode(status)
            time.sleep(0.002)
        return None

    def _listen(self) -> bool:
        """Take in what the child says until its end, or until a rule takes too long: True."""
        data = b""
        while True:
            until = min(self._deadline, self._notice)
            if not select.select([self._from_child], [], [], max(0.0, until - time.monotonic()))[0]:
                if until == self._deadline:
                    return True
                self._tell()
                continue
            some = os.read(self._from_child, 1 << 16)
            if not some:
                return False
            *lines, data = (data + some).split(b"\n")
            for line in lines:
                self._hear(json.loads(line))

    def _hear(self, said: Mapping[str, Any]) -> None:
        if "fault" in said:
            self._fail(said["fault"])
        elif "start" in said:
            self._rule = said["start"]
            self._wait(said["seconds"])
        else:
            self._found[said["end"]] = Outcome(**said["outcome"])
            self._rule = ""

    def _wait(self, seconds: float) -> None:
        """From now on, wait `seconds` before the child counts as hanging."""
        self._allowed = seconds
        self._deadline = time.monotonic() + seconds
        self._notice = time.monotonic() + NOTICE_SECONDS

    def _tell(self) -> None:
        """Say what is waited for, once."""
        self._notice = math.inf
        what = f"rule '{self._rule}'" if self._rule else "its import"
        sys.stderr.write(f"{self._asked['who']}: {what} has taken {NOTICE_SECONDS:g} s so far and is ended after "
                         f"{self._allowed:g} s\n")
        sys.stderr.flush()

    def _judge(self, hanging: bool, status: int) -> None:
        """The outcome of the rule at which the child ended, if it did not end well."""
        if len(self._found) == len(self._todo):
            return
        when = f"while rule '{self._rule}' was tried" if self._rule else "when it was imported in a new process"
        if hanging:
            self._fail(f"it did not return within {self._allowed:g} s {when}; no call may wait for ever{self._place()}")
        elif status == child.PIPE_CLOSED:
            self._fail(f"it closed file descriptors that are not its own {when}; close what you opened "
                       f"({Path(self._asked['origin']['file']).name})")
        elif status < 0:
            self._fail(f"it crashed {when}: the process ended by {signal.Signals(-status).name}; raise an error "
                       f"instead{self._place()}")
        else:
            self._fail(f"it ended the process {when}, with exit status {status}; raise an error instead of "
                       f"os._exit{self._place()}")

    def _fail(self, sentence: str) -> None:
        """Fail the rule that is being tried; where the import failed, all others are not tried."""
        first = self._rule or self._todo[0].name
        if first in self._found:
            return
        self._found[first] = Outcome("fail", f"{self._asked['who']}: {sentence}")
        if not self._rule:
            for rule in self._todo[1:]:
                self._found[rule.name] = Outcome("not applicable", f"not tried, since rule '{first}' failed", first)

    def _place(self) -> str:
        """``" (FILE:LINE)"``, the deepest line in the plugin's own files of the stack that the child left."""
        top = self._asked["origin"]["module"].partition(".")[0]
        files = {self._asked["origin"]["file"]}
        try:
            text = self._stack.read_text(errors="replace")
        except OSError:
            return ""
        for file, line in re.findall(r'^  File "(.+)", line (\d+)', text, flags=re.MULTILINE):
            if file in files or top in Path(file).with_suffix("").parts:
                return f" ({Path(file).name}:{line})"
        return ""
