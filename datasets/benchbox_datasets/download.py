"""Downloads one file over HTTP: resumes, retries, checks the file, and moves it into place only when it is whole.

During the download the bytes are in ``NAME.part``, and their address and version (ETag or Last-Modified) in
``NAME.part.tag``; a later call resumes from there. If the server has no ranges, or its file has changed since, the
download starts over (RFC 9110, sections 13.1.5 and 14).
"""

from __future__ import annotations

import http.client
import re
import socket
import time
import urllib.error
import urllib.request
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import benchbox
from benchbox.dataset import FetchProgress
from benchbox.errors import ChecksumError, DatasetError
from benchbox_datasets.storage import CHUNK, sha256_of, write_all, writing

_WORTH_ANOTHER_TRY = (408, 425, 429, 500, 502, 503, 504)


@dataclass(frozen=True)
class Patience:
    """How long to try.

    Attributes:
        tries: number of attempts in a row without a new byte after which an address is given up.
        pause_s: wait after the first failure, in seconds; doubles with each further one.
        timeout_s: longest silence of the server, in seconds.
        max_bytes: longest file that is taken if its size is not known.
    """

    tries: int = 4
    pause_s: float = 1.0
    timeout_s: float = 30.0
    max_bytes: int = 16 << 30


@dataclass(frozen=True)
class Wanted:
    """A file to download.

    Attributes:
        urls: its addresses, in order of preference.
        target: where to put it, in an existing folder.
        bytes: its size, or None if unknown.
        sha256: its SHA-256 (hex), or None if unknown.
        remedy: what else the user can do, as the end of each error message.
    """

    urls: Sequence[str]
    target: Path
    bytes: int | None
    sha256: str | None
    remedy: str

    @property
    def part(self) -> Path:
        return self.target.with_name(self.target.name + ".part")

    @property
    def tag(self) -> Path:
        return self.target.with_name(self.target.name + ".part.tag")


class _Interrupted(Exception):  # noqa: N818 - a state of the download, not seen outside this module
    """This attempt ended early; another may resume it."""


class _Refused(Exception):  # noqa: N818 - likewise
    """This address will not give the file."""


def download(wanted: Wanted, progress: FetchProgress, patience: Patience) -> str:
    """Download the file into its place and return its SHA-256 (hex). `progress` is called after each chunk.

    Raises:
        ChecksumError: the size or checksum differs from the known one; the download was removed.
        DatasetError: no address serves the file, or the disk is full; what has come is kept for the next call.
    """
    failures = []
    wrong: ChecksumError | None = None
    for url in wanted.urls:
        try:
            return _bring(wanted, url, progress, patience)
        except _Refused as refusal:
            failures.append(f"{url}: {refusal}")
        except ChecksumError as error:
            wrong = error
    raise wrong or DatasetError("; ".join(failures) + f"; {wanted.remedy}")


def _bring(wanted: Wanted, url: str, progress: FetchProgress, patience: Patience) -> str:
    went_on = _size(wanted.part) > 0
    _persist(wanted, url, progress, patience)
    try:
        return _finish(wanted)
    except ChecksumError:
        if not went_on:
            raise
    _persist(wanted, url, progress, patience)  # an earlier call may have left bytes of another version
    return _finish(wanted)


def _persist(wanted: Wanted, url: str, progress: FetchProgress, patience: Patience) -> None:
    """Repeat attempts until the part file holds the whole file."""
    idle = 0
    while True:
        before = _size(wanted.part)
        try:
            _attempt(wanted, url, progress, patience)
            return
        except _Interrupted as interruption:
            idle = 0 if _size(wanted.part) > before else idle + 1
            if idle >= patience.tries:
                raise _Refused(f"{interruption} ({idle} tries; {_size(wanted.part)} bytes are kept)") from interruption
        time.sleep(patience.pause_s * 2 ** max(idle - 1, 0))


def _attempt(wanted: Wanted, url: str, progress: FetchProgress, patience: Patience) -> None:
    start = _size(wanted.part)
    if wanted.bytes is not None and start >= wanted.bytes:
        if start == wanted.bytes:
            return
        _forget(wanted)
        start = 0
    headers = {"User-Agent": f"benchbox/{benchbox.__version__}", "Accept-Encoding": "identity"}
    tag = _read_tag(wanted, url)
    if start and (tag or wanted.sha256):  # with neither, bytes of two versions could be joined unnoticed
        headers["Range"] = f"bytes={start}-"
        headers |= {"If-Range": tag} if tag else {}
    request = urllib.request.Request(url, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=patience.timeout_s) as answer:
            _receive(wanted, url, answer, progress, patience)
    except urllib.error.HTTPError as error:
        error.close()
        _judge(wanted, error, start)
    except (OSError, http.client.HTTPException, ValueError) as error:  # ValueError: a redirection to an invalid address
        reason = getattr(error, "reason", None) or error
        if isinstance(reason, socket.gaierror) and reason.errno == socket.EAI_NONAME:  # no network, or no host
            raise _Refused(reason.strerror) from error
        raise _Interrupted((str(reason).splitlines() or [type(error).__name__])[0]) from error


def _judge(wanted: Wanted, error: urllib.error.HTTPError, start: int) -> None:
    """Return if the part file is whole already, else raise: _Interrupted if another try is worth it, or _Refused."""
    if error.code == 416:
        if error.headers.get("Content-Range", "") == f"bytes */{start}":
            return
        _forget(wanted)
        raise _Interrupted("the server's file is shorter than the part that came before") from error
    answer = f"the server answers {error.code} {error.reason}"
    raise _Interrupted(answer) if error.code in _WORTH_ANOTHER_TRY else _Refused(answer) from error


def _receive(
    wanted: Wanted, url: str, answer: http.client.HTTPResponse, progress: FetchProgress, patience: Patience
) -> None:
    """Append the body to the part file (status 206) or start the part file over (status 200)."""
    if answer.headers.get_content_type() == "text/html":
        raise _Refused("the server sent a web page, not the file")
    done = _size(wanted.part) if answer.status == 206 else 0
    if answer.status == 206 and _range_start(answer) != done:
        _forget(wanted)
        raise _Interrupted("the server sent a range that was not asked for")
    length = answer.headers.get("Content-Length", "")
    total = done + int(length) if length.isdecimal() else wanted.bytes or 0
    _check_size(wanted, total, total or None, patience)
    with writing(wanted.part.parent):
        wanted.tag.write_text(f"{url}\n{_tag_of(answer)}", encoding="utf-8")
        file = wanted.part.open("ab" if done else "wb", buffering=0)
    with file:
        progress(wanted.target.name, done, total)
        while chunk := answer.read(CHUNK):
            with writing(wanted.part.parent):
                write_all(file, chunk)
            done += len(chunk)
            _check_size(wanted, done, None, patience)
            progress(wanted.target.name, done, total)
    if done < total:  # http.client does not report a body that was cut off
        raise _Interrupted(f"the connection ended after {done} of {total} bytes")


def _check_size(wanted: Wanted, at_least: int, total: int | None, patience: Patience) -> None:
    """Raise as soon as it is certain that the file is too long or has another size than `wanted`."""
    size = f"{'' if total else 'at least '}{at_least} bytes"
    if wanted.bytes is not None and (at_least > wanted.bytes or (total or wanted.bytes) != wanted.bytes):
        _forget(wanted)
        raise ChecksumError(f"{wanted.target.name}: the server's file has {size}, expected "
                            f"{wanted.bytes}; the download was removed: {wanted.remedy}")
    if at_least > patience.max_bytes:
        _forget(wanted)
        raise _Refused(f"its file has {size}, the limit is {patience.max_bytes}")


def _finish(wanted: Wanted) -> str:
    """Check the part file, move it into its place, and return its SHA-256."""
    size, got = _size(wanted.part), sha256_of(wanted.part)
    problem = ""
    if wanted.bytes is not None and size != wanted.bytes:
        problem = f"got {size} bytes, expected {wanted.bytes}"
    elif wanted.sha256 is not None and got != wanted.sha256:
        problem = f"SHA-256 is {got}, expected {wanted.sha256}"
    if problem:
        _forget(wanted)
        raise ChecksumError(f"{wanted.target.name}: {problem}; the download was removed: {wanted.remedy}")
    with writing(wanted.target.parent):
        wanted.part.replace(wanted.target)
        wanted.tag.unlink(missing_ok=True)
    return got


def _forget(wanted: Wanted) -> None:
    with writing(wanted.part.parent):
        wanted.part.unlink(missing_ok=True)
        wanted.tag.unlink(missing_ok=True)


def _size(path: Path) -> int:
    try:
        return path.stat().st_size
    except OSError:
        return 0


def _read_tag(wanted: Wanted, url: str) -> str:
    """The version of the part file if it came from this address, else ``""``."""
    try:
        origin, _, tag = wanted.tag.read_text(encoding="utf-8").partition("\n")
    except (OSError, ValueError):
        return ""
    return tag if origin == url and tag.isprintable() and tag.isascii() else ""


def _tag_of(answer: http.client.HTTPResponse) -> str:
    """The file's version for If-Range: a strong ETag, else its date, else ``""`` (RFC 9110, section 13.1.5)."""
    etag = answer.headers.get("ETag", "")
    return str(etag if etag and not etag.startswith("W/") else answer.headers.get("Last-Modified", ""))


def _range_start(answer: http.client.HTTPResponse) -> int | None:
    match = re.match(r"bytes (\d+)-", answer.headers.get("Content-Range", ""))
    return int(match[1]) if match else None
