"""A forked process that imports one plugin and tries rules on an object of it, one after the other."""

from __future__ import annotations

import faulthandler
import json
import os
import signal
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, NoReturn

from benchbox.errors import one_line
from benchbox.processes import adopt_orphans
from benchbox.testing.check import Outcome, Rule, Scene, Subject
from benchbox.testing.codecs import CODEC_RULES
from benchbox.testing.datasets import DATASET_RULES, DatasetSubject
from benchbox.testing.metrics import METRIC_RULES, MetricSubject
from benchbox.testing.origin import Origin
from benchbox.testing.references import REFERENCE_RULES, ReferenceSubject
from benchbox.testing.reports import REPORT_RULES, ReportSubject
from benchbox.testing.subject import CodecSubject
from benchbox.testing.surroundings import kept, watched
from benchbox.written import WrittenFiles

PIPE_CLOSED = 91
"""Exit status of a child whose way to say something was closed."""

_KINDS: Mapping[str, tuple[Callable[..., Subject], tuple[Rule[Any], ...]]] = {
    "benchbox_codecs": (CodecSubject.of, CODEC_RULES),
    "benchbox_metrics": (MetricSubject.of, METRIC_RULES),
    "benchbox_datasets": (DatasetSubject.of, DATASET_RULES),
    "benchbox_reports": (ReportSubject.of, REPORT_RULES),
    "benchbox_references": (ReferenceSubject.of, REFERENCE_RULES),
}


def rules_of(hook: str) -> tuple[Rule[Any], ...]:
    """The rules for what a hook gives."""
    return _KINDS[hook][1]


def written(folder: str) -> list[str]:
    """The files that encoding wrote in the child before."""
    try:
        paths: list[str] = json.loads(Path(folder, "written.json").read_text())
    except OSError:
        return []
    return paths


def run(
    asked: Mapping[str, Any], names: Sequence[str], known: Mapping[str, Outcome], pipe: int, stack: Path
) -> NoReturn:
    """Try the rules `names`; say through `pipe` which one is tried and what its outcome is. Ends this process."""
    leave = os._exit
    worker = _Child(asked, pipe, stack, leave)
    try:
        worker.try_all(names, dict(known))
    except BaseException as error:
        worker.say({"fault": f"{asked['who']}: the trial itself failed by {type(error).__name__}: {one_line(error)}"})
    leave(0)


@dataclass
class _Child:
    asked: Mapping[str, Any]
    pipe: int
    stack: Path
    leave: Callable[[int], NoReturn]
    forks: int = 0

    def try_all(self, names: Sequence[str], known: dict[str, Outcome]) -> None:
        """Import the plugin, find its object, try the rules."""
        self._settle()
        files = WrittenFiles()
        make, rules = _KINDS[self.asked["origin"]["hook"]]
        scene = self._scene()
        try:
            item = Origin(**self.asked["origin"]).item()
            if item is None:
                self.say({"fault": f"{self.asked['who']}: its hook gives another object in another process; let it "
                           "give the same each time"})  # fmt: skip
                return
            subject = make(item, self.asked["arguments"], scene)
        except BaseException as error:
            self.say({"fault": self._broken(error)})
            return
        for rule in rules:
            if rule.name in names:
                self.say({"start": rule.name, "seconds": rule.seconds})
                known[rule.name] = rule.blocked(known) or self._tried(rule, subject)
                self.say({"end": rule.name, "outcome": asdict(known[rule.name])})
        with files.noting():
            subject.leave(known)
        elsewhere = [path for path in files.paths if not path.startswith(scene.folder)]
        Path(scene.folder, "written.json").write_text(json.dumps(elsewhere))

    def _settle(self) -> None:
        """Take on the surroundings of the process that asked; what is printed goes to files of its own."""
        os.setsid()
        adopt_orphans()
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.environ.clear()
        os.environ.update(self.asked["environment"])
        temporary = tempfile.mkdtemp(dir=self.asked["folder"])
        os.environ["TMPDIR"] = tempfile.tempdir = temporary
        os.chdir(temporary)  # a plugin may have changed to the asking process's folder when it was imported there
        sys.path[:] = self.asked["path"]
        for descriptor, name in ((0, os.devnull), (1, f"{self.stack}.out"), (2, f"{self.stack}.err")):
            opened = os.open(name, os.O_RDONLY if descriptor == 0 else os.O_RDWR | os.O_CREAT | os.O_APPEND)
            os.dup2(opened, descriptor)
            os.close(opened)
        notes = self.stack.open("w")
        faulthandler.enable(notes)
        faulthandler.register(signal.SIGUSR1, notes, all_threads=False)

        def forked() -> None:
            self.forks += 1

        def noted(status: int) -> NoReturn:
            faulthandler.dump_traceback(notes, all_threads=False)
            self.leave(status)

        os._exit = noted
        os.register_at_fork(after_in_parent=forked)

    def _scene(self) -> Scene:
        """Import the plugin and note what that changed."""
        found: list[str] = []
        start, waited = time.perf_counter(), _waited()
        with watched(found):
            try:
                Origin(**self.asked["origin"]).load()
            except BaseException as error:
                self.say({"fault": self._broken(error)})
                raise
        seconds = time.perf_counter() - start - (_waited() - waited)
        os.chdir(self.asked["cwd"])
        return Scene(seconds, tuple(found), self.asked["arguments"].get("identity"), self.asked["folder"],
                     Origin(**self.asked["origin"]).function)

    def _broken(self, error: BaseException) -> str:
        own = [frame for frame in traceback.extract_tb(error.__traceback__)
               if frame.filename == self.asked["origin"]["file"]]  # fmt: skip
        place = f" ({Path(own[-1].filename).name}:{own[-1].lineno})" if own else ""
        return (f"{self.asked['who']}: importing it in a new process raised {type(error).__name__}: {one_line(error)}; "
                f"it must not depend on what was loaded before{place}")

    def _tried(self, rule: Rule[Any], subject: Subject) -> Outcome:
        """Try one rule, and put back what it changed for those after it."""
        process, before = os.getpid(), self.forks
        returned = Path(self.asked["folder"], f"returned-{process}")
        with kept():
            outcome = rule.outcome(subject)
        if os.getpid() != process:
            returned.touch()
            self.leave(0)
        if self.forks > before and not _comes(returned):
            return outcome
        if self.forks > before:
            return Outcome("fail", f"{subject.who}: it forks a process that returns from the call; end that process "
                           f"with os._exit{subject.place()}")  # fmt: skip
        return outcome

    def say(self, what: Mapping[str, Any]) -> None:
        try:
            os.write(self.pipe, json.dumps(what).encode() + b"\n")
        except OSError:
            self.leave(PIPE_CLOSED)


def _comes(file: Path) -> bool:
    """Whether a file is there within a second."""
    for _ in range(100):
        if file.exists():
            return True
        time.sleep(0.01)
    return False


def _waited() -> float:
    """Seconds that this thread has waited for a processor."""
    try:
        return int(Path("/proc/thread-self/schedstat").read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
