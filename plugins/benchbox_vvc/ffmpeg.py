"""Runs the ffmpeg of imageio-ffmpeg on bytes: raw samples in, a VVC stream out, and back."""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence

from benchbox import program
from benchbox.errors import BenchboxError, CodecError

_RAW = ("-f", "rawvideo", "-pix_fmt", "yuv420p10le")  # libvvenc accepts nothing else


def executable() -> str:
    """The path of ffmpeg. Raises ImportError without imageio-ffmpeg, RuntimeError if that finds none."""
    import imageio_ffmpeg

    return str(imageio_ffmpeg.get_ffmpeg_exe())


@functools.cache
def versions(path: str) -> str | None:
    """``"ffmpeg 9.0 libvvenc 1.15.0"`` of the ffmpeg at `path`, found by encoding a picture; None without libvvenc."""
    command = [path, "-nostdin", "-loglevel", "debug", "-f", "lavfi", "-i", "color=size=64x64", "-frames:v", "1",
               "-pix_fmt", "yuv420p10le", "-c:v", "libvvenc", "-preset", "faster", "-threads", "1",
               "-f", "null", "-"]  # fmt: skip
    try:
        log = program.run(command).stderr
    except BenchboxError:
        return None
    version, library = re.search(r"ffmpeg version (\S+)", log), re.search(r"libvvenc version: (\S+)", log)
    return f"ffmpeg {version[1]} libvvenc {library[1]}" if version and library else None


def encode(samples: bytes, width: int, height: int, preset: str, qp: int, threads: int) -> bytes:
    """The VVC stream of one 10-bit 4:2:0 picture."""
    # qpa would trade PSNR for looks by vvenc's own model. period 1 is the all-intra configuration.
    return _run([*_RAW, "-s", f"{width}x{height}", "-r", "1", "-i", "pipe:0", "-frames:v", "1", "-c:v", "libvvenc",
                 "-preset", preset, "-qp", str(qp), "-qpa", "0", "-period", "1", "-threads", str(threads),
                 "-f", "vvc"], samples)  # fmt: skip


def decode(stream: bytes, threads: int) -> bytes:
    """The samples of a VVC stream; raises CodecError if ffmpeg prints any error."""
    return _run(["-threads", str(threads), "-f", "vvc", "-i", "pipe:0", *_RAW], stream)


def _run(arguments: Sequence[str], data: bytes) -> bytes:
    """The output of one run of ffmpeg, through a pipe of its own: libvvenc prints warnings on standard output."""
    start = [executable(), "-hide_banner", "-loglevel", "error", *arguments]
    try:
        done = program.run_with_pipe(lambda pipe: [*start, f"pipe:{pipe}"], data)
    except BenchboxError as error:
        raise CodecError(str(error)) from error
    errors = done.stderr.strip().splitlines()
    if errors:
        raise CodecError(f"ffmpeg failed: {errors[-1]}")
    return done.piped
