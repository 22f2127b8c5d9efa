"""A second process that only decodes, so that a codec that keeps the picture anywhere but in its stream is found out.

It is forked when the process has one thread, has seen no picture and opened no codec, and opens codecs on its own. What
`encode` leaves on an object or in a module never reaches it; what `encode` leaves in files is hidden from it.
"""

from __future__ import annotations

import contextlib
import json
import os
import sys
import tempfile
from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from multiprocessing import Pipe
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any, Self

import numpy as np

from benchbox.codec.given import given_picture
from benchbox.errors import PluginError
from benchbox.image import Image
from benchbox.processes import adopt_orphans, end_descendants
from benchbox.registry import Registry
from benchbox.work.call import call, reason_of
from benchbox.work.view import View, now
from benchbox.work.worker import Worker
from benchbox.written import WrittenFiles, hidden


class SecondDecoder:
    """The process, as the worker sees it; made by `start`.

    Attributes:
        broken: whether it has ended; it cannot be started again here.
        folder: its folder for temporary files.
    """

    def __init__(self, connection: Connection, folder: str) -> None:
        self.broken = False
        self._since: int | None = None
        self._trusted: set[tuple[str, str, str]] = set()
        self.folder = folder
        self._connection = connection
        self._apart = Path(os.environ.get("TMPDIR", "")).name.startswith("benchbox-worker-")
        self._written = WrittenFiles()

    @classmethod
    def start(cls, closed: Iterable[int], load: Callable[[], Registry]) -> Self:
        """Fork it; it closes the file descriptors `closed` and gets its plugins from `load`. It is no child of this
        process, so that this one's children are those that codecs started."""
        ours, theirs = Pipe()
        folder = tempfile.mkdtemp(prefix="benchbox-second-")  # the guard of this process deletes it
        child = os.fork()
        if child == 0:
            with contextlib.suppress(BaseException):
                if os.fork() == 0:
                    ours.close()
                    for descriptor in closed:
                        os.close(descriptor)
                    _serve(theirs, folder, load)
            os._exit(0)
        theirs.close()
        os.waitpid(child, 0)
        return cls(ours, folder)

    def begin(self) -> None:
        """A job begins: files that were left before count no more."""
        self._written.forget()
        self._since = None

    def encoding(self) -> AbstractContextManager[None]:
        """Encode inside it what is then to be decoded."""
        if self._since is None:
            self._since = now()
        return self._written.noting()

    def decode(self, codec: str, options: str, device: str, data: bytes) -> Image:
        """The picture that the codec decodes `data` to over there, without the files that `encoding` left. Those that
        programs and libraries left are looked for until the codec has once been right without them.

        Raises:
            PluginError: it could not be decoded; the message says why.
        """
        since = None if (codec, options, device) in self._trusted else self._since
        with hidden(self._written.paths, os.environ.get("TMPDIR") if self._apart else None, self.folder):
            return self._decode([codec, options, device, since], data)

    def trust(self, codec: str, options: str, device: str) -> None:
        """What `decode` gave for this codec was right."""
        self._trusted.add((codec, options, device))

    def _decode(self, asked: list[Any], data: bytes) -> Image:
        try:
            self._connection.send_bytes(json.dumps(asked).encode())
            self._connection.send_bytes(data)
            answer = json.loads(self._connection.recv_bytes())
            if "reason" not in answer:
                values = np.frombuffer(self._connection.recv_bytes(), answer["dtype"])
                return values.reshape(answer["shape"])
        except (OSError, EOFError):
            self.broken = True
            raise PluginError("the process ended") from None
        raise PluginError(answer["reason"])


def _own_folder(kind: type) -> list[Path]:
    """The folder of the file that a codec's class is written in, where it may keep what it likes."""
    file = getattr(sys.modules.get(kind.__module__), "__file__", None)
    return [Path(file).parent] if file else []


def _serve(connection: Connection, folder: str, load: Callable[[], Registry]) -> None:
    adopt_orphans()
    os.environ["TMPDIR"] = tempfile.tempdir = folder
    view = View(Path(folder))  # while this process has one thread
    worker = Worker(load())
    while True:
        codec, options, device, since = json.loads(connection.recv_bytes())
        data = connection.recv_bytes()
        answer: dict[str, Any]
        pixels: Image | None = None
        try:
            files = view.since(since, _own_folder(type(worker.registry.codec(codec))))
            opened = worker.codec(codec, options, device)  # what this writes stays in sight
            with view.without(files):
                pixels = given_picture(opened, call(codec, opened.decode, data), codec)
            answer = {"dtype": pixels.dtype.str, "shape": list(pixels.shape)}
        except Exception as error:  # a codec may raise anything
            answer = {"reason": reason_of(error)}
        end_descendants(frozenset(worker.kept_processes))
        connection.send_bytes(json.dumps(answer).encode())
        if pixels is not None:
            connection.send_bytes(pixels.data.cast("B"))
