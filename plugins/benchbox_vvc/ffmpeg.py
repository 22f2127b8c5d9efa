"""Running the ffmpeg of imageio-ffmpeg on bytes: raw samples in, a VVC stream out, and back."""

from __future__ import annotations

import functools
import os
import re
import subprocess
import threading
from collections.abc import Sequence

from benchbox.errors import CodecError

_RAW = ("-f", "rawvideo", "-pix_fmt", "yuv420p10le")  # libvvenc takes nothing else


def executable() -> str:
    """Path of ffmpeg. Raises ImportError without imageio-ffmpeg, RuntimeError if that finds none."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def versions(path: str) -> str | None:
    """``"ffmpeg 9.0 libvvenc 1.15.0"`` of the ffmpeg at `path`, found by coding a picture; None without libvvenc."""
    command = [path, "-nostdin", "-loglevel", "debug", "-f", "lavfi", "-i", "color=size=64x64", "-frames:v", "1",
               "-pix_fmt", "yuv420p10le", "-c:v", "libvvenc", "-preset", "faster", "-f", "null", "-"]  # fmt: skip
    try:
        done = subprocess.run(command, capture_output=True, check=False, stdin=subprocess.DEVNULL)
    except OSError:
        return None
    log = done.stderr.decode(errors="replace")
    program, library = re.search(r"ffmpeg version (\S+)", log), re.search(r"libvvenc version: (\S+)", log)
    return f"ffmpeg {program[1]} libvvenc {library[1]}" if program and library and done.returncode == 0 else None


def encode(samples: bytes, width: int, height: int, preset: str, qp: int, threads: int) -> bytes:
    """The VVC stream of one 10-bit 4:2:0 picture."""
    # qpa would trade PSNR for looks by vvenc's own model. period 1 is the all-intra configuration.
    return _run([*_RAW, "-s", f"{width}x{height}", "-r", "1", "-i", "pipe:0", "-frames:v", "1", "-c:v", "libvvenc",
                 "-preset", preset, "-qp", str(qp), "-qpa", "0", "-period", "1", "-threads", str(threads),
                 "-f", "vvc"], samples)  # fmt: skip


def decode(stream: bytes, threads: int) -> bytes:
    """The samples of a VVC stream; raises CodecError if ffmpeg has anything to complain of."""
    return _run(["-threads", str(threads), "-f", "vvc", "-i", "pipe:0", *_RAW], stream)


def _run(arguments: Sequence[str], data: bytes) -> bytes:
    """Output of one run of ffmpeg. It goes through a pipe of its own: libvvenc prints warnings on standard output."""
    reading, writing = os.pipe()
    with os.fdopen(reading, "rb") as result:
        try:
            process = subprocess.Popen(
                [executable(), "-hide_banner", "-loglevel", "error", *arguments, f"pipe:{writing}"],
                stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, pass_fds=(writing,))
        finally:
            os.close(writing)
        output: list[bytes] = []
        reader = threading.Thread(target=lambda: output.append(result.read()), daemon=True)
        reader.start()
        with process:
            try:
                complaint = process.communicate(data)[1].decode(errors="replace").strip()
            except BaseException:
                process.kill()
                raise
        reader.join()
    if process.returncode != 0 or complaint:
        last = (complaint.splitlines() or [f"exit status {process.returncode}"])[-1]
        raise CodecError(f"ffmpeg failed: {last}")
    return output[0]
