"""A real HTTP server with real faults, and small files for it to serve."""

from __future__ import annotations

import hashlib
import io
import tarfile
import threading
import time
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import benchbox_datasets
import numpy as np
import pytest
from benchbox_datasets.download import Patience
from benchbox_datasets.manifest import Manifest
from PIL import Image as PillowImage

from benchbox import DatasetInfo

QUICK = Patience(tries=3, pause_s=0.0, timeout_s=5.0)


def quiet(name: str, done: int, total: int) -> None:
    pass


def sha(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def one_line(error: BaseException) -> str:
    text = str(error)
    assert text
    assert text.isprintable(), repr(text)
    return text


def png(seed: int, width: int = 17, height: int = 9) -> bytes:
    pixels = np.random.default_rng(seed).integers(0, 256, (height, width, 3), dtype=np.uint8)
    file = io.BytesIO()
    PillowImage.fromarray(pixels).save(file, "PNG")
    return file.getvalue()


def infos() -> dict[str, DatasetInfo]:
    return {info.id: info for info in benchbox_datasets.benchbox_datasets()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder of data sets."""
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path / "data home"))
    return tmp_path / "data home"


# --- a real server with real faults -----------------------------------------------------------------------------------


@dataclass
class Page:
    """One address of the server: its data and its faults.

    Each request uses up one of `statuses` (error codes), `cuts` (bytes before the connection ends) and `stalls`
    (seconds of silence after 1000 bytes).
    """

    data: bytes
    ranges: bool = True
    length: bool = True
    tag: str | None = '"v1"'
    kind: str = "application/octet-stream"
    cuts: list[int] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)
    stalls: list[float] = field(default_factory=list)
    range_shift: int = 0


@dataclass
class Site:
    address: str
    pages: dict[str, Page] = field(default_factory=dict)
    asked: list[tuple[str, str | None]] = field(default_factory=list)


class Handler(BaseHTTPRequestHandler):
    site: Site

    def log_message(self, format: str, *args: Any) -> None:
        pass

    def do_GET(self) -> None:
        wanted = self.headers.get("Range")
        self.site.asked.append((self.path, wanted))
        page = self.site.pages.get(self.path)
        if page is None:
            self.send_error(404)
            return
        if page.statuses:
            self.send_error(page.statuses.pop(0))
            return
        start = int(wanted.removeprefix("bytes=").removesuffix("-")) if wanted and page.ranges else 0
        condition = self.headers.get("If-Range")
        if condition and condition != page.tag:
            start = 0
        if start and start >= len(page.data):
            self.send_response(416)
            self.send_header("Content-Range", f"bytes */{len(page.data)}")
            self.end_headers()
            return
        self.send_response(206 if start else 200)
        if start:
            shifted = start + page.range_shift
            self.send_header("Content-Range", f"bytes {shifted}-{len(page.data) - 1}/{len(page.data)}")
        self.send_header("Content-Type", page.kind)
        if page.length:
            self.send_header("Content-Length", str(len(page.data) - start))
        if page.tag:
            self.send_header("ETag", page.tag)
        self.end_headers()
        body = page.data[start:]
        if page.stalls:
            self.wfile.write(body[:1000])
            time.sleep(page.stalls.pop())
            return
        self.wfile.write(body[: page.cuts.pop(0)] if page.cuts else body)
        self.close_connection = True


@pytest.fixture
def site(monkeypatch: pytest.MonkeyPatch) -> Iterator[Site]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)

    class Server(ThreadingHTTPServer):
        def handle_error(self, request: Any, client_address: Any) -> None:
            pass  # clients that hang up are part of the tests

    class Bound(Handler):
        pass

    with Server(("127.0.0.1", 0), Bound) as server:
        Bound.site = Site(f"http://127.0.0.1:{server.server_address[1]}")
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield Bound.site
        server.shutdown()
        thread.join()


def listed(site: Site, files: dict[str, bytes], **more: Any) -> Manifest:
    """A manifest of `files`, each with an address at `site` and all checksums; adds the pages to `site`."""
    for name, data in files.items():
        site.pages.setdefault(f"/{name}", Page(data))
    entries = [{"file": name, "bytes": len(data), "sha256": sha(data)} for name, data in files.items()]
    table = {"id": "few", "title": "a few", "files": entries, "source": {"urls": [site.address + "/{file}"]}}
    return Manifest.model_validate(table | more)


def packed(site: Site, data: bytes, name: str = "set.zip", **more: Any) -> Manifest:
    """A manifest of an archive whose files are not listed; adds the page to `site`."""
    site.pages.setdefault(f"/{name}", Page(data))
    table = {"id": "packed", "title": "packed", "select": "*.png", "archive": {"urls": [f"{site.address}/{name}"]}}
    return Manifest.model_validate(table | more)


def zipped(files: dict[str, bytes]) -> bytes:
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as opened:
        for name, data in files.items():
            opened.writestr(name, data)
    return buffer.getvalue()


def tarred(files: dict[str, bytes], mode: str = "w:gz") -> bytes:
    buffer = io.BytesIO()
    with tarfile.open(fileobj=buffer, mode=mode) as opened:  # type: ignore[call-overload]
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            opened.addfile(member, io.BytesIO(data))
    return buffer.getvalue()


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())
