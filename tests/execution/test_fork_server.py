"""Plugins that leave what forked workers may not share: they are loaded, and their metrics opened, in each worker."""

from __future__ import annotations

import json
import resource
from collections.abc import Callable
from pathlib import Path

import numpy as np
import psutil
import pytest
from installed_plugins import Install
from plugin_files import TOY
from small_runs import go, plan, rows_of
from waiting import until

from benchbox import image
from benchbox.fork_server import ForkServer

SOURCE = """
import socket, threading

def opened(leave):
    class Leaves(Plain):
        def __init__(self):
            self.left = leave()
            self.pid = os.getpid()
        def prepare(self, reference):
            if self.pid != os.getpid(): raise OSError("opened in another process")
            return super().prepare(reference)
    return Leaves

def thread():
    made = threading.Thread(target=time.sleep, args=(60,), daemon=True)
    made.start()
    return made

SCORERS.update({
    "leaves-thread": opened(thread), "leaves-socket": opened(socket.socketpair),
    "leaves-child": opened(lambda: subprocess.Popen(["sleep", "60"])),
})
class AsksAProgram(Plain):
    def __init__(self):
        self.said = subprocess.run(["sh", "-c", "exit 7"]).returncode, os.system("exit 3") >> 8
    def prepare(self, reference):
        said = self.said
        class Told(Value):
            def score(self, image): return said[0] * 10.0 + said[1]
        return Told(reference)

SCORERS["asks-a-program"] = AsksAProgram
SCORERS["open-hangs"] = opened(lambda: time.sleep(600))
CODECS["sound"] = Sound
"""


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory, third: Callable[[str], None]) -> Path:
    third(SOURCE)
    folder = tmp_path_factory.mktemp("pictures")
    image.write_png(folder / "a.png", np.random.default_rng(1).integers(0, 255, (32, 40, 3)).astype(np.uint8))
    return folder


def test_a_metric_that_leaves_something_is_opened_by_each_worker(pictures: Path, tmp_path: Path) -> None:
    metrics = ["psnr", "leaves-thread", "leaves-socket", "leaves-child"]
    (row,) = rows_of(go(tmp_path, plan(pictures, {"id": "sound", "qualities": [1]}, metrics=metrics)))
    reasons = json.loads(row.null_reasons or "{}")
    assert (row.status, [reasons.get(metric) for metric in metrics[1:]]) == ("ok", [None] * 3)


def test_a_metric_hears_how_its_programs_end_where_it_is_opened(pictures: Path, tmp_path: Path) -> None:
    asked = plan(pictures, {"id": "sound", "qualities": [1]}, metrics=["asks-a-program"])
    (row,) = rows_of(go(tmp_path, asked))
    assert row.asks_a_program == 73, "the fork server reaps its guards, and nobody else's children"


def test_a_plugin_that_leaves_something_when_it_is_asked_for_its_codecs(install: Install, tmp_path: Path) -> None:
    install("acme", "import threading, time\nfrom benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs():\n"
                    "    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()\n    return []")
    (tmp_path / "pictures").mkdir()
    image.write_png(tmp_path / "pictures" / "a.png", np.zeros((32, 40, 3), np.uint8))
    (row,) = rows_of(go(tmp_path, plan(tmp_path / "pictures", {"id": "jpeg", "qualities": [50]})))
    assert row.status == "ok"


@pytest.mark.slow  # a worker may take 20 seconds to start
def test_a_metric_that_hangs_where_it_is_opened_costs_its_own_column(pictures: Path, tmp_path: Path) -> None:
    asked = plan(pictures, {"id": "sound", "qualities": [1]}, metrics=["open-hangs", "psnr"],
                 limits={"point_seconds": 3})  # fmt: skip
    (row,) = rows_of(go(tmp_path, asked))
    assert row.status == "ok"
    assert "not finished after 3 s" in json.loads(row.null_reasons)["open-hangs"]


def test_it_ends_when_it_is_told_to_while_a_plugin_is_loaded(install: Install, tmp_path: Path) -> None:
    """What refuses `os._exit` to plugins does not refuse it to the server, nor is the plugin blamed for it."""
    begun = tmp_path / "begun"
    install("acme", f"import pathlib, time\npathlib.Path({str(begun)!r}).touch()\ntime.sleep(100)")
    before = set(psutil.Process().children())
    with ForkServer() as server:
        server.start()
        (process,) = set(psutil.Process().children()) - before
        until(begun.exists, "the import of the plugin")
        process.terminate()
        until(lambda: server.ending() == (0, ""), "its end", 30)


SLOW_END = """
import os, sys, time

if "benchbox.execution.forking" in sys.modules and "pytest" not in sys.modules:
    write = os.write

    def slow(descriptor, data):
        written = write(descriptor, data)
        if data.startswith(b'{"status"'):
            os.close(descriptor)
            time.sleep(0.2)
        return written

    os.write = slow
"""


def test_the_time_of_workers_is_counted_where_their_guards_end_slowly(install: Install, tmp_path: Path) -> None:
    """The run's process has a guard's report before the guard is gone: a server that left at once would lose it, and
    with it the processor time of all that the guard waited for, of which dry runs make estimates."""
    burn = "end = time.process_time() + 2\n        while time.process_time() < end: pass\n        return Toy()"
    install("acme", TOY.replace("return Toy()", burn) + SLOW_END)
    (tmp_path / "pictures").mkdir()
    image.write_png(tmp_path / "pictures" / "a.png", np.zeros((32, 40, 3), np.uint8))

    def used() -> float:
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        return ended.ru_utime + ended.ru_stime

    before = used()
    (row,) = rows_of(go(tmp_path, plan(tmp_path / "pictures", {"id": "toy", "qualities": [2]})))
    assert row.status == "ok"
    assert used() - before > 4, "the worker opens the codec, and so does the process that decodes once more"
