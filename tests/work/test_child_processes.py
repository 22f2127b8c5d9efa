"""Processor time and peak memory count what a codec leaves to other processes, short-lived or kept, and theirs."""

from __future__ import annotations

import json
import subprocess
import sys
import time
from collections.abc import Iterator

import numpy as np
import pytest

from benchbox.codec import Codec
from benchbox.image import Image
from benchbox.plan import Timing
from benchbox.work.clock import repeated, timed

WORK = "import time; b = bytearray({size}); e = time.process_time() + {seconds}\nwhile time.process_time() < e: pass"
WITHIN = "import subprocess, sys; subprocess.run([sys.executable, '-c', sys.argv[1]], check=True)"
SERVER = """
import sys
for line in sys.stdin:
    exec(line.replace("|", chr(10)))
    print("done", flush=True)
"""


def work(seconds: float = 0.3, size: int = 0) -> str:
    return WORK.format(seconds=seconds, size=size)


@pytest.fixture
def server() -> Iterator[subprocess.Popen[str]]:
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", SERVER], stdin=pipe, stdout=pipe, text=True) as one:
        yield one


def ask(server: subprocess.Popen[str], task: str) -> None:
    assert server.stdin is not None
    assert server.stdout is not None
    server.stdin.write(task.replace("\n", "|") + "\n")
    server.stdin.flush()
    assert server.stdout.readline() == "done\n"


def test_seconds_of_a_process_that_ends() -> None:
    _, clock = timed("it", lambda: subprocess.run([sys.executable, "-c", work()], check=True))
    assert 0.28 < clock.cpu < clock.wall + 0.2


def test_seconds_of_a_process_of_a_process() -> None:
    _, clock = timed("it", lambda: subprocess.run([sys.executable, "-c", WITHIN, work()], check=True))
    assert clock.cpu > 0.28


def test_seconds_of_a_process_that_lives_on(server: subprocess.Popen[str]) -> None:
    ask(server, work(0.5))  # before: not counted
    _, clock = timed("it", lambda: ask(server, work()))
    assert 0.25 < clock.cpu < 0.48


def test_a_process_that_lived_before_and_ends_within_counts_once(server: subprocess.Popen[str]) -> None:
    ask(server, work(0.5))

    def end() -> None:
        assert server.stdin is not None
        server.stdin.close()
        server.wait()

    _, clock = timed("it", end)
    assert clock.cpu < 0.3


def test_our_own_seconds_stay() -> None:
    def spin() -> None:
        until = time.process_time() + 0.2
        while time.process_time() < until:
            pass

    _, clock = timed("it", spin)
    assert 0.19 < clock.cpu < 0.4


class Outside(Codec):
    """Encodes in a process that takes 200 MB."""

    def encode(self, image: Image, quality: float | None) -> bytes:
        subprocess.run([sys.executable, "-c", work(0.15, 200 << 20)], check=True)
        return image.tobytes()

    def decode(self, data: bytes) -> Image:
        return np.frombuffer(data, np.uint8).reshape(8, 8, 1)


class Inside(Outside):
    """Encodes in this process."""

    def encode(self, image: Image, quality: float | None) -> bytes:
        return image.tobytes()


def peaks() -> dict[str, dict[str, object]]:
    pixels = np.zeros((8, 8, 1), np.uint8)
    return {kind.__name__: repeated("it", kind(), pixels, None, [pixels.tobytes()], Timing(repeats=2))
            for kind in (Inside, Outside)}  # fmt: skip


def test_peak_memory_counts_the_process_that_encodes() -> None:
    """In a process of its own: children of the test run, as a browser, are no codec's."""
    done = subprocess.run([sys.executable, __file__], capture_output=True, text=True, check=True)
    found = json.loads(done.stdout)
    if found["Inside"]["peak_bytes"] is None:
        pytest.skip("this system does not tell the memory of a process")
    more = found["Outside"]["peak_bytes"] - found["Inside"]["peak_bytes"]
    assert 150 << 20 < more < 400 << 20
    assert min(found["Outside"]["encode_cpu_s"]) > 0.14
    assert max(found["Outside"]["decode_cpu_s"]) < 0.1


if __name__ == "__main__":
    print(json.dumps(peaks()))
