"""Running commands: what comes back, which errors are raised, and that nothing outlives the call."""

from __future__ import annotations

import os
import signal
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbox.errors import BenchboxError
from benchbox.program import Finished, Limit, digest, first_line, run, run_with_pipe

NAME = Path(sys.executable).name
LIMIT = Limit(1.0, "be patient")

# Starts a child, writes its process id to the file `pid`, and waits with it.
WITH_A_CHILD = """
import subprocess, sys, time
child = subprocess.Popen([sys.executable, "-IS", "-c", "import time; time.sleep(60)"])
open("pid", "w").write(str(child.pid))
time.sleep(60)
"""


def python(code: str) -> list[str]:
    return [sys.executable, "-IS", "-c", code]


def wait_for(path: Path) -> int:
    """The number that the file holds, once it does."""
    for _ in range(200):
        if path.exists() and path.read_text():
            return int(path.read_text())
        time.sleep(0.05)
    pytest.fail(f"{path} was not written")


def assert_gone(pid: int) -> None:
    for _ in range(100):
        if not Path(f"/proc/{pid}").exists() or " Z " in Path(f"/proc/{pid}/stat").read_text():
            return
        time.sleep(0.05)
    pytest.fail(f"process {pid} is still there")


def test_bytes_and_files(tmp_path: Path) -> None:
    code = "import sys; open('file', 'wb').write(sys.stdin.buffer.read()); print('out'); print('err', file=sys.stderr)"
    done = run(python(code), folder=tmp_path, data=b"\0\xff")
    assert (tmp_path / "file").read_bytes() == b"\0\xff"
    assert (done.stdout, done.stderr, done.piped) == ("out\n", "err\n", b"")


def test_output_that_is_no_utf8_is_replaced() -> None:
    assert run(python("import sys; sys.stdout.buffer.write(b'a\\xff')")).stdout == "a\N{REPLACEMENT CHARACTER}"


def test_a_pipe_of_its_own_holds_the_result_alone() -> None:
    size = 1 << 20  # more than any pipe buffers, in both directions
    code = "import os, sys; print('noise'); os.write(1, b'more'); f = open(int(sys.argv[1]), 'wb')\n" \
           "f.write(sys.stdin.buffer.read()[::-1]); f.close(); print('warning', file=sys.stderr)"
    data = bytes(range(256)) * (size // 256)
    done = run_with_pipe(lambda pipe: [*python(code), str(pipe)], data)
    assert done.piped == data[::-1]
    assert (done.stdout, done.stderr) == ("", "warning\n")


@pytest.mark.parametrize(("code", "message"), [
    ("import sys; print('first', file=sys.stderr); sys.exit('disk full')", "ended with status 1: disk full"),
    ("import sys; print('out of straw'); sys.exit(3)", "ended with status 3: out of straw"),
    ("import sys; sys.exit(4)", "ended with status 4"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "was ended by SIGSEGV"),
    ("import os, signal; os.kill(os.getpid(), signal.SIGRTMIN + 3)", f"was ended by signal {signal.SIGRTMIN + 3}"),
])  # fmt: skip
def test_a_command_that_fails_is_one_line(code: str, message: str) -> None:
    with pytest.raises(BenchboxError) as caught:
        run(python(code))
    assert str(caught.value) == f"{NAME} {message}"
    with pytest.raises(BenchboxError):
        run_with_pipe(lambda pipe: python(code), b"")


def test_a_command_that_cannot_be_started(tmp_path: Path) -> None:
    with pytest.raises(BenchboxError, match=r"^absent cannot be started: No such file or directory; install it again$"):
        run([str(tmp_path / "absent")])
    open_before = len(os.listdir("/proc/self/fd"))
    with pytest.raises(BenchboxError, match="cannot be started"):
        run_with_pipe(lambda pipe: [str(tmp_path / "absent")], b"")
    assert len(os.listdir("/proc/self/fd")) == open_before


@pytest.mark.parametrize("call", [
    lambda command: run(command, limit=LIMIT),
    lambda command: run_with_pipe(lambda pipe: command, b"", LIMIT),
], ids=["run", "run_with_pipe"])  # fmt: skip
def test_the_time_limit_ends_a_command_and_its_children(tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
                                                        call: Callable[[list[str]], Finished]) -> None:
    monkeypatch.chdir(tmp_path)
    start = time.monotonic()
    with pytest.raises(BenchboxError, match=rf"^{NAME} took longer than 1 s; be patient$"):
        call(python(WITH_A_CHILD))
    assert time.monotonic() - start < 30
    assert_gone(wait_for(tmp_path / "pid"))


def test_ctrl_c_ends_a_command_and_its_children(tmp_path: Path) -> None:
    child: list[int] = []

    def interrupt() -> None:
        child.append(wait_for(tmp_path / "pid"))
        os.kill(os.getpid(), signal.SIGINT)

    thread = threading.Thread(target=interrupt)
    thread.start()
    with pytest.raises(KeyboardInterrupt):
        run(python(WITH_A_CHILD), folder=tmp_path, limit=Limit(60, "-"))
    thread.join()
    assert_gone(child[0])


def test_the_first_line_of_a_version_command_is_asked_once_for_each_stamp(tmp_path: Path) -> None:
    file = tmp_path / "version"
    file.write_text("\n  1.2 beta\nmore\n")
    command = tuple(python(f"print(open({str(file)!r}).read())"))
    assert first_line(command, "a") == "1.2 beta"
    file.write_text("1.3")
    assert first_line(command, "a") == "1.2 beta"
    assert first_line(command, "b") == "1.3"
    assert first_line(tuple(python("import sys; print('on stderr', file=sys.stderr)")), "a") == "on stderr"
    assert first_line(tuple(python("pass")), "a") == ""


def test_a_digest_follows_the_file(tmp_path: Path) -> None:
    file = tmp_path / "program"
    file.write_bytes(b"abc")
    known = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # FIPS 180-2, appendix B.1
    assert digest(file) == digest(str(file)) == known
    file.write_bytes(b"abcd")
    assert digest(file) != known
