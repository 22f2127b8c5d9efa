"""A plugin that never answers costs itself, by name and line, after its time: in the main thread and in others."""

from __future__ import annotations

import re
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from installed_plugins import Install
from small_runs import plan, rows_of
from stored import stored_results, write_reports
from waiting import until

import benchbox
from benchbox import guard, loading, registry
from benchbox.cli import listing
from benchbox.deadline import OverdueError, deadline, within
from benchbox.errors import PluginError
from benchbox.results import write

HANGS = {
    "sleeps": "import time; time.sleep(600)",
    "loops": "while True: pass",
    "waits": "import threading; threading.Event().wait()",
    "tries again and again": "import time\n        while True:\n            try: time.sleep(600)\n"
                             "            except Exception: pass",
    "waits for a program": "import subprocess; subprocess.run(['sleep', '600'])",
}  # fmt: skip
PLUGIN = """
from pathlib import Path
from benchbox import hookimpl
from benchbox.dataset import Dataset, DatasetInfo, Sample
from benchbox.report import Report

class Slow(Report):
    def render(self, results, options, out):
        {report}

class Sound(Report):
    def render(self, results, options, out):
        (out / "sound.txt").write_text("here")
        return [out / "sound.txt"]

class One(Sample):
    id = "one"
    def load(self):
        {load}
    def sha256(self):
        {sha256}
    def size(self): return None

class Info(DatasetInfo):
    def open(self, argument):
        {open}
        return Dataset("slow", "slow", (One(),))
    def missing(self):
        {missing}

@hookimpl
def benchbox_reports(): return [Slow(id="slow", title="slow"), Sound(id="sound", title="sound")]

@hookimpl
def benchbox_datasets(): return [Info(id="slow", title="slow")]
"""
SOUND = dict.fromkeys(("report", "load", "sha256", "open", "missing"), "pass")
FOLDER = Path(__file__).parent / "golden" / "published-1"


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("ANSWER_SECONDS", "WORK_SECONDS", "IMPORT_SECONDS"):
        monkeypatch.setattr(guard, name, 0.3)
    monkeypatch.setattr(write, "WORK_SECONDS", 0.3)
    monkeypatch.setattr(loading, "IMPORT_SECONDS", 0.3)


@pytest.mark.parametrize("how", HANGS)
def test_a_report_that_hangs_costs_itself_and_not_the_others(how: str, install: Install, tmp_path: Path) -> None:
    install("acme", PLUGIN.format(**SOUND | {"report": HANGS[how]}))
    known = registry.load()
    with pytest.raises(PluginError, match=r"^report slow \(plugin acme\): render did not end within 0\.\d+ s "
                                          r"\(acme\.py:\d+\); written all the same: .*sound.txt$"):  # fmt: skip
        write_reports(stored_results(FOLDER, tmp_path, known), known, ["slow", "sound"], tmp_path / "out")
    assert [path.name for path in (tmp_path / "out").iterdir()] == ["sound.txt"]
    assert signal.getsignal(signal.SIGALRM) is signal.SIG_DFL
    assert signal.getitimer(signal.ITIMER_REAL) == (0, 0)


def test_a_report_that_ends_the_process_costs_itself(install: Install, tmp_path: Path) -> None:
    body = "import os; pid = os.fork() or os._exit(0); os.waitpid(pid, 0); os._exit(3)"
    install("acme", PLUGIN.format(**SOUND | {"report": body}))
    known = registry.load()
    with pytest.raises(PluginError, match=r"render raised SystemExit: os\._exit\(3\) \(acme\.py:9\); written"):
        write_reports(stored_results(FOLDER, tmp_path, known), known, ["slow", "sound"], tmp_path / "out")


def test_a_report_that_asks_for_pictures_has_time_for_each(install: Install, tmp_path: Path) -> None:
    ask = "[(time.sleep(0.2), results.original(key)) for key in '123456']"
    body = f"import time; {ask}; (out / 'a').touch(); return [out / 'a']"
    install("acme", PLUGIN.format(**SOUND | {"report": body}))
    known = registry.load()
    results = replace(stored_results(FOLDER, tmp_path, known), original=lambda key: np.zeros((8, 8, 1), np.uint8))
    assert [file.name for file in write_reports(results, known, ["slow"], tmp_path / "out")] == ["a"]


@pytest.mark.parametrize("method", ["missing", "open", "sha256", "load"])
def test_a_data_set_that_hangs_is_named(method: str, install: Install, tmp_path: Path) -> None:
    install("acme", PLUGIN.format(**SOUND | {method: HANGS["sleeps"]}))
    line = rf"(slow|one) \(plugin acme\): {method} did not end within 0.3 s"
    if method == "missing":
        (row,) = [row for row in listing.datasets(registry.load()) if row.startswith("slow")]
        assert "at fault: slow (plugin acme): missing did not end within 0.3 s (acme.py:" in row
    elif method == "open":
        with pytest.raises(PluginError, match=line):
            benchbox.run(plan(tmp_path, {"id": "jpeg"}, dataset="slow"), workspace=tmp_path / "runs", reports=[])
    else:
        asked = plan(tmp_path, {"id": "jpeg", "qualities": [50]}, dataset="slow")
        frame = benchbox.run(asked, workspace=tmp_path / "runs", reports=[])
        (row,) = rows_of(frame)
        assert row.status == "failed"
        assert re.match(line, row.reason)


def test_an_import_that_hangs_costs_the_plugin(install: Install) -> None:
    install("acme", "import time\ntime.sleep(600)")
    (plugin,) = [plugin for plugin in registry.load().plugins if plugin.name == "acme"]
    assert plugin.failure == "its import did not end within 0.3 s; mend it, or remove the plugin (acme.py:2)"


def test_other_threads_have_the_limit_too() -> None:
    def wait(seconds: float) -> str:
        time.sleep(seconds)
        return "done"

    def ask(seconds: float) -> str:
        try:
            return within(0.2, lambda: wait(seconds))
        except OverdueError as error:
            return str(error)

    with ThreadPoolExecutor(4) as pool:
        assert list(pool.map(ask, [0, 600, 0, 600])) == ["done", "did not end within 0.2 s"] * 2
        with pytest.raises(ZeroDivisionError):
            pool.submit(within, 0.2, lambda: 1 // 0).result()


def test_an_alarm_of_somebody_else_is_kept() -> None:
    rung: list[int] = []
    before = signal.signal(signal.SIGALRM, lambda number, frame: rung.append(number))
    try:
        signal.setitimer(signal.ITIMER_REAL, 2.0)
        with deadline(100):
            with pytest.raises(OverdueError), deadline(0.05):
                time.sleep(600)
            time.sleep(0.01)
        assert 0 < signal.getitimer(signal.ITIMER_REAL)[0] <= 1.95
        until(lambda: rung == [signal.SIGALRM], "the alarm")
    finally:
        signal.signal(signal.SIGALRM, before)
