"""The bundled data sets against a real HTTP server on this machine, real archives and real pictures."""

from __future__ import annotations

import hashlib
import io
import json
import os
import pickle
import re
import resource
import shutil
import socketserver
import stat
import subprocess
import sys
import tarfile
import tempfile
import threading
import time
import tomllib
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.parse import quote

import benchbox_datasets
import numpy as np
import pytest
from benchbox_datasets import archive, describe, manifest, storage
from benchbox_datasets.download import Patience, Wanted, download
from benchbox_datasets.fetch import fetch
from benchbox_datasets.folder import FolderInfo, readable
from benchbox_datasets.info import BUNDLED, ManifestInfo, OwnManifestInfo, bundled
from benchbox_datasets.manifest import Manifest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage

from benchbox import Dataset, DatasetInfo, FileSample, image, registry
from benchbox.errors import BenchboxError, ChecksumError, DatasetError, ImageError, UnknownIdError

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
    """What the server gives at one address. `cuts` and `statuses` are used up, one a request."""

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
            pass  # a client that hangs up is no news

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
    """A manifest of `files`, each with an address at `site`, all sums known; the pages are made too."""
    for name, data in files.items():
        site.pages.setdefault(f"/{name}", Page(data))
    entries = [{"file": name, "bytes": len(data), "sha256": sha(data)} for name, data in files.items()]
    table = {"id": "few", "title": "a few", "files": entries, "source": {"urls": [site.address + "/{file}"]}}
    return Manifest.model_validate(table | more)


def packed(site: Site, data: bytes, name: str = "set.zip", **more: Any) -> Manifest:
    """A manifest of an archive whose files are not listed."""
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


# --- samples ----------------------------------------------------------------------------------------------------------


def test_samples_need_no_network_and_keep_their_promises() -> None:
    data = infos()["samples"].open("")
    assert [sample.id for sample in data.samples] == ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"]
    shapes = [sample.load().shape for sample in data.samples]
    assert shapes == [(512, 512, 3), (300, 451, 3), (400, 600, 3), (427, 640, 3)]
    for sample in data.samples[:3]:
        assert sample.sha256() == image.digest(sample.load())
    assert data.samples[3].sha256() is None  # a JPEG's pixels are the decoder's
    assert any("rocket.jpg" in note and "JPEG" in note for note in data.notes)
    assert any("CC0" in note for note in data.notes)
    assert infos()["samples"].missing() is None


def test_listing_and_opening_load_neither_skimage_nor_a_network_library() -> None:
    heavy = ["skimage", "pooch", "urllib.request", "http.client", "tarfile", "PIL.Image", "imagecodecs"]
    program = (
        "import sys, benchbox_datasets\n"
        "infos = {i.id: i for i in benchbox_datasets.benchbox_datasets()}\n"
        "[i.missing() for i in infos.values()]\n"
        "infos['samples'].open('')\n"
        f"print(sorted(set({heavy}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_samples_cannot_be_fetched() -> None:
    with pytest.raises(DatasetError, match="nothing to fetch"):
        infos()["samples"].fetch(None, quiet)


def test_the_registry_finds_all() -> None:
    found = registry.load()
    assert {"samples", "folder", "manifest", *BUNDLED} <= set(found.datasets)
    assert len(found.dataset("samples").samples) == 4
    with pytest.raises(UnknownIdError, match="folder:PATH"):
        found.dataset("folder")


# --- folders ----------------------------------------------------------------------------------------------------------


def opened(folder: Path) -> Dataset:
    return FolderInfo().open(str(folder))


def ids(folder: Path) -> list[str]:
    return [sample.id for sample in opened(folder).samples]


def test_a_folder_is_listed_recursively_sorted_hidden_passed_over(tmp_path: Path) -> None:
    names = ["b.png", "a/z.JPG", "a/b/c.webp", ".hidden.png", ".git/x.png", "notes.txt", "Z.tif", "a b/ü 'q\" é.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png(1))
    assert ids(tmp_path) == ["Z.tif", "a b/ü 'q\" é.png", "a/b/c.webp", "a/z.JPG", "b.png"]
    for sample in opened(tmp_path).samples:
        assert sample.load().shape == (9, 17, 3)
        assert sample.sha256() is None
        assert sample.stamp() is not None
        assert pickle.loads(pickle.dumps(sample)).load().shape == (9, 17, 3)


def test_odd_bytes_in_names_give_printable_ids(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"two\nlines.png", b"tab\t.png", b"-rf.png", b"%s{}.png", "日本.png".encode()):
        with suppress(OSError), open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:  # some take UTF-8 names only
            file.write(png(2))
    found = opened(tmp_path).samples
    assert len(found) >= 5
    for sample in found:
        assert sample.id.isprintable()
        sample.id.encode()
        assert sample.load().shape == (9, 17, 3)
        str(sample.stamp()).encode()
    assert "two\\nlines.png" in ids(tmp_path)
    for sample in found:
        assert isinstance(sample, FileSample)
        sample.path.write_bytes(b"no picture")
        with pytest.raises(ImageError) as caught:
            sample.load()
        str(caught.value).encode()


@given(st.text(alphabet=st.characters(), max_size=20))
def test_readable_is_printable_and_leaves_printable_text_alone(text: str) -> None:
    line = readable(text)
    assert line.isprintable()
    line.encode()
    if text.isprintable():
        assert line == text


def test_links_make_no_loops_and_no_doubles(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "one.png").write_bytes(png(1))
    (tmp_path / "outside").mkdir()
    root = tmp_path / "set"
    root.mkdir()
    (root / "deep").mkdir()
    (root / "deep" / "two.png").write_bytes(png(2))
    (root / "deep" / "up").symlink_to(root)
    (root / "deep" / "self").symlink_to(root / "deep" / "self")
    (root / "again").symlink_to(root / "deep")
    (root / "zz").symlink_to(root / "deep")
    (root / "linked").symlink_to(tmp_path / "real")
    (root / "link.png").symlink_to(tmp_path / "real" / "one.png")
    (root / "broken.png").symlink_to(tmp_path / "gone.png")
    assert ids(root) == ["deep/two.png", "link.png", "linked/one.png"]
    assert any("broken.png" in note for note in opened(root).notes)
    (tmp_path / "way in").symlink_to(root)
    assert len(ids(tmp_path / "way in")) == 3


def test_a_pipe_is_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "a.png").write_bytes(png(1))
    assert ids(tmp_path) == ["a.png"]
    assert any("pipe.png" in note for note in opened(tmp_path).notes)


def test_undecodable_pictures_are_samples_that_fail_when_loaded(odd: Path) -> None:
    samples = {sample.id: sample for sample in opened(odd).samples}
    assert {"empty.png", "text_named.png", "trunc50.png", "cmyk.jpg", "pngsuite/pngsuite__basn2c08.png"} <= set(samples)
    for name in ("empty.png", "text_named.png", "trunc_header20.jpg"):
        with pytest.raises(ImageError, match=name):
            samples[name].load()


@pytest.mark.parametrize("name", ["gone", "file.png", "empty", "nul\0", "~nobody-of-that-name/x", "", "a" * 5000])
def test_a_folder_that_will_not_do_says_what_to_do(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture")
    (tmp_path / "file.png").write_bytes(png(1))
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(DatasetError) as caught:
        FolderInfo().open(name if name[:1] in ("~", "") else str(tmp_path / name))
    assert re.search(r"name another folder|write folder:|put some there", one_line(caught.value))


def test_folder_ids_do_not_depend_on_how_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(png(1))
    monkeypatch.chdir(tmp_path)
    for argument in ("a", "./a/", "a/../a", str(tmp_path / "a")):
        data = FolderInfo().open(argument)
        assert [sample.id for sample in data.samples] == ["x.png"]
        assert data.id == f"folder:{argument}"
        first = data.samples[0]
        assert isinstance(first, FileSample)
        assert first.path.is_absolute()


# --- Kodak ------------------------------------------------------------------------------------------------------------


def test_kodak_from_disk_pixels_checked(kodak: Path, home: Path) -> None:
    info = infos()["kodak"]
    assert "benchbox fetch kodak --from DIR" in str(info.missing())
    with pytest.raises(DatasetError, match="benchbox fetch kodak"):
        info.open("")
    seen: list[tuple[str, int, int]] = []
    paths = info.fetch(kodak, lambda *step: seen.append(step))
    assert [path.name for path in paths] == [f"kodim{n:02d}.png" for n in range(1, 25)]
    assert {name for name, _, _ in seen} == {path.name for path in paths}
    assert info.missing() is None
    data = info.open("")
    assert len(data.samples) == 24
    assert any("half resolution" in note for note in data.notes)
    for sample in data.samples:
        pixels = sample.load()
        assert pixels.shape in ((512, 768, 3), (768, 512, 3))
        assert sample.sha256() == image.digest(pixels)


def test_the_kodak_manifest_is_the_shared_table(kodak: Path) -> None:
    rows = [line.split(",") for line in (kodak / "SHA256.csv").read_text().split()[1:]]
    entries = bundled("kodak").files
    assert [(row[0], int(row[1]), row[4]) for row in rows] == [(e.file, e.bytes, e.sha256) for e in entries]


def test_kodak_with_one_damaged_file_says_which_and_keeps_the_rest(kodak: Path, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "mine" / "deep"
    shutil.copytree(kodak, source)
    os.chmod(source, 0o755)
    bad = source / "kodim07.png"
    bad.chmod(0o644)
    data = bytearray(bad.read_bytes())
    data[-20] ^= 1
    bad.write_bytes(data)
    info = infos()["kodak"]
    with pytest.raises(ChecksumError) as caught:
        info.fetch(source.parent, quiet)
    text = one_line(caught.value)
    assert "kodim07.png" in text
    assert sha(bytes(data)) in text
    assert str(bundled("kodak").files[6].sha256) in text
    assert "1 more" not in str(info.missing())
    assert "kodim07.png is missing" in str(info.missing())
    (source / "second").mkdir()
    shutil.copy(kodak / "kodim07.png", source / "second")  # of two with one name the right one is taken
    assert len(info.fetch(source.parent, quiet)) == 24
    assert info.missing() is None


def test_a_damaged_file_in_place_is_seen_and_mended(kodak: Path, home: Path) -> None:
    info = infos()["kodak"]
    info.fetch(kodak, quiet)
    hurt, cut = home / "kodak" / "kodim03.png", home / "kodak" / "kodim04.png"
    before = (home / "kodak" / "kodim05.png").stat()
    whole = hurt.read_bytes()
    hurt.write_bytes(b"x" + whole[1:])
    cut.write_bytes(cut.read_bytes()[:1000])
    assert "kodim04.png has 1000 bytes, not 637432" in str(info.missing())
    info.fetch(kodak, quiet)
    assert hurt.read_bytes() == whole
    assert info.missing() is None
    after = (home / "kodak" / "kodim05.png").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


# --- bundled manifests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["samples", *BUNDLED])
def test_bundled_manifests_say_what_a_report_needs(name: str) -> None:
    found = bundled(name)
    assert found.id == name
    assert found.licence
    assert found.homepage
    assert found.notes
    assert found.count == {"samples": 4, "kodak": 24, "tecnick": 100, "clic2020-professional-valid": 41,
                           "clic2020-professional-test": 250, "clic2020-mobile-valid": 61,
                           "clic2020-mobile-test": 178}[name]  # fmt: skip
    assert all(entry.sha256 and (entry.pixels_sha256 or entry.file == "rocket.jpg") for entry in found.files)


def test_ids_are_unique_and_titles_are_there() -> None:
    found = benchbox_datasets.benchbox_datasets()
    assert len({info.id for info in found}) == len(found) == 9
    assert all(info.title for info in found)


# --- downloads --------------------------------------------------------------------------------------------------------

BODY = np.random.default_rng(5).bytes(2_500_000)  # more than two chunks


def bring(site: Site, folder: Path, page: Page, known: bool = True, **more: Any) -> str:
    site.pages["/f.bin"] = page
    wanted = Wanted(
        urls=more.pop("urls", [f"{site.address}/f.bin"]),
        target=folder / "f.bin",
        bytes=more.pop("size", len(BODY) if known else None),
        sha256=more.pop("sha256", sha(BODY) if known else None),
        remedy="do something",
    )
    return download(wanted, more.pop("progress", quiet), more.pop("patience", QUICK))


def leftovers(folder: Path) -> list[str]:
    return sorted(path.name for path in folder.iterdir())


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_plain_download(site: Site, tmp_path: Path, known: bool, length: bool) -> None:
    steps: list[tuple[str, int, int]] = []
    got = bring(site, tmp_path, Page(BODY, length=length), known, progress=lambda *step: steps.append(step))
    assert got == sha(BODY)
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert leftovers(tmp_path) == ["f.bin"]
    assert steps[0] == ("f.bin", 0, len(BODY) if known or length else 0)
    assert steps[-1][1] == len(BODY)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


@pytest.mark.parametrize("known", [True, False])
def test_a_connection_cut_midway_is_gone_on_with(site: Site, tmp_path: Path, known: bool) -> None:
    bring(site, tmp_path, Page(BODY, cuts=[1_200_000, 0, 700_000]), known)
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert [asked for _, asked in site.asked] == [None, "bytes=1200000-", "bytes=1200000-", "bytes=1900000-"]


def test_a_server_without_ranges_starts_again(site: Site, tmp_path: Path) -> None:
    bring(site, tmp_path, Page(BODY, ranges=False, cuts=[1_200_000]))
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert len(site.asked) == 2


def test_a_server_that_sends_another_range_starts_again(site: Site, tmp_path: Path) -> None:
    bring(site, tmp_path, Page(BODY, range_shift=7, cuts=[1_200_000]))
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert [asked for _, asked in site.asked] == [None, "bytes=1200000-", None]


@pytest.mark.parametrize("known", [True, False])
def test_an_interrupted_download_is_resumed_by_the_next_call(site: Site, tmp_path: Path, known: bool) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(site, tmp_path, Page(BODY), known, progress=stop)
    kept = (tmp_path / "f.bin.part").stat().st_size
    assert 0 < kept < len(BODY)
    assert not (tmp_path / "f.bin").exists()
    site.asked.clear()
    assert bring(site, tmp_path, Page(BODY), known) == sha(BODY)
    assert site.asked == [("/f.bin", f"bytes={kept}-")]
    assert leftovers(tmp_path) == ["f.bin"]


def test_a_file_that_changed_since_is_read_from_the_start(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        bring(site, tmp_path, Page(b"old" + BODY, tag='"old"', cuts=[1_000_000, 0, 0, 0]), known=False)
    assert (tmp_path / "f.bin.part").stat().st_size == 1_000_000
    assert bring(site, tmp_path, Page(BODY, tag='"new"'), known=False) == sha(BODY)


def test_what_came_without_a_version_is_joined_only_where_the_sum_is_known(site: Site, tmp_path: Path) -> None:
    for known in (False, True):
        (tmp_path / "f.bin.part").write_bytes(b"?" * 1000)
        site.asked.clear()
        assert bring(site, tmp_path, Page(BODY, tag=None), known) == sha(BODY)  # known: wrong at first, then anew
        assert [asked for _, asked in site.asked] == (["bytes=1000-", None] if known else [None])


def test_a_part_that_is_whole_already_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(BODY)
    assert bring(site, tmp_path, Page(BODY)) == sha(BODY)
    assert site.asked == []
    with pytest.raises(KeyboardInterrupt):
        bring(site, tmp_path, Page(BODY), known=False, progress=_stop_at(len(BODY)))
    assert (tmp_path / "f.bin.part").stat().st_size == len(BODY)
    assert bring(site, tmp_path, Page(BODY), known=False) == sha(BODY)  # the server answers 416
    assert site.asked[-1] == ("/f.bin", f"bytes={len(BODY)}-")


def _stop_at(size: int) -> Callable[[str, int, int], None]:
    def stop(name: str, done: int, total: int) -> None:
        if done >= size:
            raise KeyboardInterrupt

    return stop


def test_wrong_contents_name_file_expected_got_and_remedy(site: Site, tmp_path: Path) -> None:
    wrong = bytes(len(BODY))
    with pytest.raises(ChecksumError) as caught:
        bring(site, tmp_path, Page(wrong))
    text = one_line(caught.value)
    assert text.startswith("f.bin: ")
    assert sha(wrong) in text
    assert sha(BODY) in text
    assert "do something" in text
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("data", [BODY + b"x", BODY[:-1]])
def test_a_wrong_size_is_refused(site: Site, tmp_path: Path, data: bytes, length: bool) -> None:
    with pytest.raises((ChecksumError, DatasetError)) as caught:
        bring(site, tmp_path, Page(data, length=length))
    one_line(caught.value)
    assert not (tmp_path / "f.bin").exists()
    if length or len(data) > len(BODY):
        assert isinstance(caught.value, ChecksumError)
        assert str(len(BODY)) in str(caught.value)


def test_no_more_is_read_than_the_bound(site: Site, tmp_path: Path) -> None:
    for length in (True, False):
        with pytest.raises(DatasetError, match="the bound is 1000000"):
            bring(site, tmp_path, Page(BODY, length=length), known=False, patience=Patience(1, 0, 5, 1_000_000))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_not_asked_twice(site: Site, tmp_path: Path, status: int) -> None:
    with pytest.raises(DatasetError) as caught:
        bring(site, tmp_path, Page(BODY, statuses=[status] * 9))
    text = one_line(caught.value)
    assert f"{site.address}/f.bin" in text
    assert str(status) in text
    assert "do something" in text
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path, status: int) -> None:
    assert bring(site, tmp_path, Page(BODY, statuses=[status, status])) == sha(BODY)
    (tmp_path / "f.bin").unlink()
    with pytest.raises(DatasetError, match=f"{status}.*3 tries"):
        bring(site, tmp_path, Page(BODY, statuses=[status] * 9))


def test_a_web_page_is_not_taken_for_the_file(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a web page"):
        bring(site, tmp_path, Page(b"<html>choose a mirror</html>", kind="text/html; charset=utf-8"), known=False)
    assert leftovers(tmp_path) == []


def test_the_second_address_is_tried(site: Site, tmp_path: Path) -> None:
    site.pages["/wrong"] = Page(bytes(len(BODY)), tag='"w"')
    urls = [f"{site.address}/gone", f"{site.address}/wrong", f"{site.address}/f.bin"]
    assert bring(site, tmp_path, Page(BODY), urls=urls) == sha(BODY)
    assert [path for path, _ in site.asked] == ["/gone", "/wrong", "/f.bin"]


def test_no_server_at_all(tmp_path: Path, site: Site) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), None) as unused:  # type: ignore[arg-type]
        port = unused.server_address[1]
    with pytest.raises(DatasetError, match=r"refused.*3 tries.*do something"):
        bring(site, tmp_path, Page(BODY), urls=[f"http://127.0.0.1:{port}/f.bin"])
    with pytest.raises(DatasetError, match=r"benchbox\.invalid.*do something") as caught:  # RFC 2606: no such name ever
        bring(site, tmp_path, Page(BODY), urls=["http://benchbox.invalid/f.bin"])
    one_line(caught.value)


def test_a_silent_server_is_not_waited_on(site: Site, tmp_path: Path) -> None:
    assert bring(site, tmp_path, Page(BODY, stalls=[0.6]), patience=Patience(3, 0.0, 0.2)) == sha(BODY)
    assert [asked for _, asked in site.asked] in ([None, None], [None, "bytes=1000-"])


def test_a_full_disk_is_one_clear_line_and_keeps_what_there_is(site: Site, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "f.bin.part").symlink_to("/dev/full")
    with pytest.raises(DatasetError, match=r"no room to write in .*make room, or set BENCHBOX_DATA") as caught:
        bring(site, tmp_path, Page(BODY))
    one_line(caught.value)
    assert len(site.asked) == 1


def test_a_bound_on_file_size_is_seen_as_a_full_disk(site: Site, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(DatasetError, match="no room to write"):
            bring(site, tmp_path, Page(BODY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "f.bin.part").stat().st_size == 1_500_000
    assert bring(site, tmp_path, Page(BODY)) == sha(BODY)
    assert site.asked[-1][1] == "bytes=1500000-"


# --- fetching sets ----------------------------------------------------------------------------------------------------

FEW = {"a.png": png(1), "sub folder/b é.png": png(2), "c.png": png(3)}


def test_files_come_one_by_one_and_only_what_is_lacking(site: Site, tmp_path: Path) -> None:
    few = listed(site, FEW)
    for name in FEW:
        site.pages[f"/{quote(name)}"] = Page(FEW[name])
    folder = tmp_path / "few"
    paths = fetch(few, folder, None, quiet, QUICK)
    assert [path.relative_to(folder).as_posix() for path in paths] == list(FEW)
    assert [path.read_bytes() for path in paths] == list(FEW.values())
    assert not (folder / storage.LOCK_NAME).exists()
    site.asked.clear()
    assert fetch(few, folder, None, quiet, QUICK) == paths
    assert site.asked == []
    (folder / "c.png").write_bytes(b"hurt")
    fetch(few, folder, None, quiet, QUICK)
    assert [path for path, _ in site.asked] == ["/c.png"]


def test_a_missing_page_names_the_address_and_the_way_out(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)}, homepage="https://example.org/few")
    del site.pages["/b.png"]
    with pytest.raises(DatasetError) as caught:
        fetch(few, tmp_path / "few", None, quiet, QUICK)
    text = one_line(caught.value)
    assert "/b.png" in text
    assert "404" in text
    assert "https://example.org/few" in text
    assert "benchbox fetch few --from DIR" in text
    assert (tmp_path / "few" / "a.png").exists()


@pytest.mark.parametrize("pack", [zipped, tarred, partial(tarred, mode="w:xz"), partial(tarred, mode="w")])
def test_an_archive_whose_sums_nobody_knows_is_recorded_and_checked_later(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    files = {"set/valid/b.png": png(1), "set/valid/a.png": png(2), "set/readme.txt": b"no picture",
             "__MACOSX/set/valid/._a.png": b"fork", "__MACOSX/set/valid/x.png": b"fork"}  # fmt: skip
    found = packed(site, pack(files), count=2)
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path))
    info = ManifestInfo(id="packed", title="packed", manifest=found)
    assert "benchbox fetch packed" in str(info.missing())
    paths = fetch(found, info.folder(), None, quiet, QUICK)
    assert [path.name for path in paths] == ["a.png", "b.png"]
    assert leftovers(info.folder()) == ["a.png", "b.png", storage.LOCK_NAME]
    lock = json.loads((info.folder() / storage.LOCK_NAME).read_text())
    assert lock["archive"]["sha256"] == sha(site.pages["/set.zip"].data)
    assert [entry["sha256"] for entry in lock["files"]] == [sha(png(2)), sha(png(1))]
    assert info.missing() is None
    assert [sample.id for sample in info.open("").samples] == ["a.png", "b.png"]
    site.asked.clear()
    fetch(found, info.folder(), None, quiet, QUICK)
    assert site.asked == []

    (info.folder() / "a.png").unlink()
    assert "a.png is missing" in str(info.missing())
    files["set/valid/a.png"] = png(9)
    good = site.pages["/set.zip"]
    site.pages["/set.zip"] = Page(pack(files))
    with pytest.raises(ChecksumError, match=storage.LOCK_NAME) as caught:
        fetch(found, info.folder(), None, quiet, QUICK)
    assert sha(good.data) in str(caught.value) or str(len(good.data)) in str(caught.value)
    site.pages["/set.zip"] = good
    fetch(found, info.folder(), None, quiet, QUICK)
    assert info.missing() is None


def test_listed_files_without_sums_are_recorded_and_checked_later(site: Site, tmp_path: Path) -> None:
    known = listed(site, {"a.png": png(1), "b.png": png(2)})
    bare = known.model_copy(update={"files": tuple(manifest.FileEntry(file=e.file) for e in known.files)})
    paths = fetch(bare, tmp_path, None, quiet, QUICK)
    lock = storage.read_lock(tmp_path)
    assert lock is not None
    assert {entry.file: entry.sha256 for entry in lock.files} == {"a.png": sha(png(1)), "b.png": sha(png(2))}
    site.asked.clear()
    assert fetch(bare, tmp_path, None, quiet, QUICK) == paths
    assert site.asked == []
    paths[1].unlink()
    site.pages["/b.png"] = Page(png(7))
    with pytest.raises(ChecksumError, match=rf"b\.png: .*remove .*{storage.LOCK_NAME}"):
        fetch(bare, tmp_path, None, quiet, QUICK)
    site.pages["/b.png"] = Page(png(2))
    assert fetch(bare, tmp_path, None, quiet, QUICK) == paths


def test_an_archive_with_another_count_is_not_recorded(site: Site, tmp_path: Path) -> None:
    found = packed(site, zipped({"a.png": png(1)}), count=2)
    with pytest.raises(DatasetError, match=r"holds 1 files.*has 2"):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []


def test_an_archive_with_a_known_sum_is_checked_before_it_is_unpacked(site: Site, tmp_path: Path) -> None:
    data = zipped({"a.png": png(1)})
    urls = [f"{site.address}/set.zip"]
    found = packed(site, zipped({"a.png": png(2)}), archive={"urls": urls, "sha256": sha(data)})
    with pytest.raises(ChecksumError):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []
    site.pages["/set.zip"] = Page(data)
    assert fetch(found, tmp_path, None, quiet, QUICK)[0].read_bytes() == png(1)


def test_what_is_no_archive_is_said_and_not_kept(site: Site, tmp_path: Path) -> None:
    found = packed(site, b"Please log in")
    with pytest.raises(DatasetError, match="neither a zip nor a tar"):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []


def test_a_folder_on_disk_without_known_sums(site: Site, home: Path, tmp_path: Path) -> None:
    found = packed(site, b"", count=2)
    mine = tmp_path / "mine"
    (mine / "x").mkdir(parents=True)
    (mine / "x" / "b.png").write_bytes(png(1))
    with pytest.raises(DatasetError, match=re.escape(r"holds 1 files called *.png, but packed has 2")):
        fetch(found, home / "packed", mine, quiet, QUICK)
    (mine / "a.png").write_bytes(png(2))
    (mine / ".hidden.png").write_bytes(png(3))
    (mine / "notes.txt").write_text("x")
    fetch(found, home / "packed", mine, quiet, QUICK)
    data = ManifestInfo(id="packed", title="packed", manifest=found).open("")
    assert [sample.id for sample in data.samples] == ["a.png", "b.png"]
    assert any("sums were recorded" in note for note in data.notes)
    (home / "packed" / "a.png").write_bytes(png(4))
    with pytest.raises(ChecksumError):
        data.samples[0].load()
    assert site.asked == []
    (mine / "x" / "a.png").write_bytes(png(5))
    with pytest.raises(DatasetError, match="one name and differ"):
        fetch(found, home / "other", mine, quiet, QUICK)


@pytest.mark.parametrize("inside", [False, True])
def test_an_archive_on_disk(site: Site, tmp_path: Path, inside: bool) -> None:
    data = zipped({"deep/a.png": png(1), "deep/b.png": png(2)})
    urls = [f"{site.address}/set.zip"]
    found = packed(site, b"", count=2, archive={"urls": urls, "sha256": sha(data)})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "set.zip").write_bytes(data)
    given_path = mine if inside else mine / "set.zip"
    paths = fetch(found, tmp_path / "to", given_path, quiet, QUICK)
    assert [path.read_bytes() for path in paths] == [png(1), png(2)]
    assert (mine / "set.zip").read_bytes() == data
    (mine / "set.zip").write_bytes(zipped({"deep/a.png": png(1), "deep/b.png": png(3)}))
    with pytest.raises(ChecksumError, match="expected"):
        fetch(found, tmp_path / "to2", given_path, quiet, QUICK)


def test_listed_files_out_of_any_archive(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)})
    path = tmp_path / "whatever.tar.gz"
    path.write_bytes(tarred({"./x/a.png": png(1), "./x/b.png": png(2), "./x/c.png": png(3)}))
    assert [p.name for p in fetch(few, tmp_path / "few", path, quiet, QUICK)] == ["a.png", "b.png"]
    assert leftovers(tmp_path / "few") == ["a.png", "b.png"]
    assert site.asked == []


def test_a_source_that_will_not_do(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)})
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "empty").mkdir()
    for name, problem in (("gone", "does not exist"), ("text", "neither a folder nor"), ("empty", "lacks 2 of the 2")):
        with pytest.raises(DatasetError, match=problem) as caught:
            fetch(few, tmp_path / "few", tmp_path / name, quiet, QUICK)
        assert name in one_line(caught.value)
        assert "--from DIR" in str(caught.value)


def test_the_source_is_left_as_it_is(kodak: Path, home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for n in (1, 2):
        shutil.copy(kodak / f"kodim{n:02d}.png", mine)
    before = {path.name: path.stat().st_mtime_ns for path in mine.iterdir()}
    with pytest.raises(DatasetError, match="lacks 22 of the 24 files of kodak"):
        infos()["kodak"].fetch(mine, quiet)
    assert {path.name: path.stat().st_mtime_ns for path in mine.iterdir()} == before
    assert "(kodim03.png is missing; " in str(infos()["kodak"].missing())


def test_only_one_fetch_at_a_time(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1)})
    problems: list[DatasetError] = []

    def again(name: str, done: int, total: int) -> None:
        if not problems:
            with pytest.raises(DatasetError, match="another fetch of few is under way") as caught:
                fetch(few, tmp_path, None, quiet, QUICK)
            problems.append(caught.value)

    fetch(few, tmp_path, None, again, QUICK)
    assert len(problems) == 1


def test_what_a_killed_fetch_left_is_cleared(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".unpack-dead").mkdir()
    (tmp_path / ".unpack-dead" / "x.png").write_bytes(b"x")
    fetch(packed(site, zipped({"a.png": png(1)})), tmp_path, None, quiet, QUICK)
    assert set(leftovers(tmp_path)) == {"a.png", storage.LOCK_NAME}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"id": "x"}', '{"id": "x", "origin": "y", "files": [{"file": "../x"}]}', "[" * 100_000]
)
def test_a_damaged_lock_says_what_to_do(site: Site, home: Path, text: str) -> None:
    info = ManifestInfo(id="packed", title="packed", manifest=packed(site, b""))
    info.folder().mkdir(parents=True)
    (info.folder() / storage.LOCK_NAME).write_text(text)
    with pytest.raises(DatasetError, match="remove it and fetch the data set again"):
        info.open("")
    assert storage.LOCK_NAME in str(info.missing())


@pytest.mark.parametrize("place", ["a file/data", "/proc/benchbox", "/dev/null/data"])
def test_a_folder_that_cannot_be_written(
    kodak: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "a file").write_text("x")
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path / place))
    with pytest.raises(DatasetError, match=r"cannot write in .*set BENCHBOX_DATA") as caught:
        infos()["kodak"].fetch(kodak, quiet)
    one_line(caught.value)
    assert "benchbox fetch kodak" in str(infos()["kodak"].missing())


def test_a_read_only_folder(site: Site) -> None:
    few = listed(site, {"a.png": png(1)})
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may write everywhere
        with pytest.raises(DatasetError, match=r"cannot write in .*Permission denied.*set BENCHBOX_DATA") as caught:
            fetch(few, folder, None, quiet, QUICK)
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)
    one_line(caught.value)


def test_the_data_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BENCHBOX_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert storage.data_home() == tmp_path / ".cache" / "benchbox" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert storage.data_home() == tmp_path / ".cache" / "benchbox" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert storage.data_home() == tmp_path / "xdg" / "benchbox" / "datasets"
    monkeypatch.setenv("BENCHBOX_DATA", "~/pictures")
    assert storage.data_home() == tmp_path / "pictures"


# --- archives from strangers ------------------------------------------------------------------------------------------


def everything(name: str) -> bool:
    return True


def evil_zip(path: Path, name: str, mode: int = 0, data: bytes = b"x") -> None:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("fine.png", b"fine")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        opened.writestr(info, data)


def evil_tar(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    with tarfile.open(path, "w:gz") as opened:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        opened.addfile(member, io.BytesIO())


@pytest.mark.parametrize(
    "name", ["../up.png", "a/../../up.png", "/abs.png", "..\\up.png", "C:\\abs.png", "a/..", "a//b", "a/./b"]
)
@pytest.mark.parametrize("make", [evil_zip, evil_tar])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, make: Callable[..., None], name: str) -> None:
    make(tmp_path / "evil", name)
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(DatasetError, match="nothing was taken") as caught:
        archive.unpack(tmp_path / "evil", into, everything)
    one_line(caught.value)
    assert {path.name for path in tmp_path.rglob("*")} - {"fine.png"} == {"deep", "evil", "into"}
    assert not Path("/abs.png").exists()


@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"9"]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes) -> None:
    evil_tar(tmp_path / "evil.tar.gz", "picture.png", kind, "/etc/passwd")
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="is a link or a device"):
        archive.unpack(tmp_path / "evil.tar.gz", tmp_path / "into", everything)
    assert leftovers(tmp_path / "into") == []


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    evil_zip(tmp_path / "evil.zip", "picture.png", mode | 0o777, b"/etc/passwd")
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="is a link or a device"):
        archive.unpack(tmp_path / "evil.zip", tmp_path / "into", everything)
    assert leftovers(tmp_path / "into") == ["fine.png"]


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, suffix: str) -> None:
    files = {"bomb.png": bytes(20_000_000), "other.txt": bytes(20_000_000)}
    path = tmp_path / f"bomb.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed_zip:
            for name, data in files.items():
                packed_zip.writestr(name, data)
    else:
        path.write_bytes(tarred(files))
    assert path.stat().st_size < 100_000
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="unpacks to more than 10 MB"):
        archive.unpack(path, tmp_path / "into", everything, archive.Limits(bytes=10_000_000))
    assert leftovers(tmp_path / "into") == []
    archive.unpack(path, tmp_path / "into", lambda name: name == "bomb.png", archive.Limits(bytes=45_000_000))
    assert leftovers(tmp_path / "into") == ["bomb.png"]


def test_a_zip_that_lies_about_sizes_writes_no_more_than_it_said(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(5_000_000))
    data = path.read_bytes()
    assert data.count((5_000_000).to_bytes(4, "little")) == 2
    path.write_bytes(data.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="damaged"):
        archive.unpack(path, tmp_path / "into", everything)
    assert (tmp_path / "into" / "a.png").stat().st_size <= 1000


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        (tmp_path / "packed").write_bytes(pack({f"{n}.txt": b"" for n in range(50)}))
        into = tmp_path / pack.__name__
        into.mkdir()
        with pytest.raises(DatasetError, match="more than 20 members"):
            archive.unpack(tmp_path / "packed", into, everything, archive.Limits(members=20))
        assert len(leftovers(into)) == 20


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_and_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    for names in (["a.png", "a.png"], ["a", "a/b.png"]):
        for make in ("zip", "tar"):
            path = tmp_path / f"twice.{make}"
            if make == "zip":
                with zipfile.ZipFile(path, "w") as opened:
                    for name in names:
                        opened.writestr(name, b"x")
            else:
                with tarfile.open(path, "w") as opened_tar:
                    for name in names:
                        opened_tar.addfile(tarfile.TarInfo(name), io.BytesIO())
            shutil.rmtree(tmp_path / "into")
            (tmp_path / "into").mkdir()
            with pytest.raises(DatasetError, match="twice"):
                archive.unpack(path, tmp_path / "into", everything)


@given(cut=st.integers(0, 2000), flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), max_size=4),
       kind=st.sampled_from(["zip", "tar.gz", "tar.xz", "tar"]))  # fmt: skip
def test_damaged_archives_raise_dataset_errors_only(
    cut: int, flips: list[tuple[int, int]], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = {"a/one.png": png(1), "two.png": png(2)}
    whole = zipped(files) if kind == "zip" else tarred(files, {"tar": "w"}.get(kind, "w:" + kind[4:]))
    data = bytearray(whole[: len(whole) - cut])
    for place, bits in flips:
        if place < len(data):
            data[place] ^= bits
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "x").write_bytes(data)
    (folder / "into").mkdir()
    archive.is_archive(folder / "x")
    try:
        archive.unpack(folder / "x", folder / "into", everything)
    except DatasetError as error:
        one_line(error)
    finally:
        assert {path.name for path in folder.iterdir()} == {"x", "into"}
        shutil.rmtree(folder)


def test_an_encrypted_zip_is_said_to_be_so(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.png": png(1)}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of local header and directory
        data[data.index(signature) + offset] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DatasetError, match="encrypted; unpack it yourself"):
        archive.unpack(tmp_path / "x.zip", tmp_path, everything)


# --- manifests --------------------------------------------------------------------------------------------------------

GOOD = {"id": "mine", "title": "Mine", "files": [{"file": "a.png", "sha256": "0" * 64}]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"titel": "x"}, "unknown key titel; did you mean 'title'"),
        ({"files": [{"file": "a.png", "sha265": "0" * 64}]}, r"unknown key files\[0\].sha265; did you mean 'sha256'"),
        ({"files": [{"file": "a.png", "sha256": "0" * 63}]}, r"files\[0\].sha256: a SHA-256 sum has 64"),
        ({"files": [{"file": "a.png", "sha256": "A" * 64}]}, "lower-case"),
        ({"files": [{"file": "../a.png"}]}, r"files\[0\].file: '../a.png' leads out of the folder"),
        ({"files": [{"file": "/a.png"}]}, "is an absolute path"),
        ({"files": [{"file": "a.png"}, {"file": "a.png"}]}, "'a.png' is listed twice"),
        ({"files": [{"file": "a.png", "bytes": "12"}]}, r"files\[0\].bytes: Input should be a valid integer"),
        ({"files": [{"file": "a.png", "bytes": True}]}, r"files\[0\].bytes"),
        ({"files": [{"file": "a.png", "bytes": -1}]}, r"files\[0\].bytes"),
        ({"count": 2}, "count is 2, but 1 files are listed"),
        ({"id": "Bad Id"}, "id: "),
        ({"id": "../x"}, "id: "),
        ({"files": []}, "it names no files"),
        ({"select": "*.png"}, "select is for sets whose files are not listed"),
        ({"source": {"urls": ["http://example.org/a.png"]}}, "write {file} in it"),
        ({"source": {"urls": []}}, "source.urls"),
        ({"source": {"urls": ["file:///etc/{file}"]}}, "no http or https address"),
        ({"source": {"urls": ["https://example.org/{file}"]}, "archive": {"urls": ["https://a.b/c"]}}, "keep the one"),
        ({"homepage": "javascript:alert(1)"}, "no http or https address"),
        ({"title": ""}, "title: "),
    ],
)
def test_a_bad_manifest_names_place_key_and_problem(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(DatasetError, match=problem) as caught:
        manifest.validate(Manifest, GOOD | change, "mine.toml")
    assert one_line(caught.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"id =", b"\xff\xfe", b"a = [" * 5000, b"a = " + b"9" * 10_000, b"= 1", b"id = 1\nid = 2", b"\0",
        b"[files]\nfile = 1", b"a = 1979-05-27T07:32:00Z", b"id = 'x'\ntitle = 'y'\nselect = 'a/b'",
        b'id = "x\\u0000"', b"x" * (33 << 20),
    ],
)  # fmt: skip
def test_bad_toml_is_one_line(text: bytes) -> None:
    with pytest.raises(DatasetError) as caught:
        manifest.parse(text, "mine.toml")
    assert one_line(caught.value).startswith("mine.toml: ")
    assert len(str(caught.value)) < 500


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_give_a_manifest_or_one_line(text: bytes) -> None:
    try:
        manifest.parse(text, "mine.toml")
    except DatasetError as error:
        one_line(error)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["0" * 64, "a"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["file", "bytes", "sha256", "urls", "note", "x"]), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Manifest.model_fields, "idd", "\n"]), VALUES), st.booleans())
def test_any_table_gives_a_manifest_or_one_line(table: dict[str, Any], based: bool) -> None:
    try:
        found = manifest.validate(Manifest, (GOOD | table) if based else table, "mine.toml")
    except DatasetError as error:
        one_line(error)
    else:
        assert not any(manifest.unsafe_name(entry.file) for entry in found.files)


@given(st.text(max_size=12) | st.from_regex(r"[a.\\/:~]{0,8}", fullmatch=True))
def test_a_name_that_passes_stays_below_its_folder(name: str) -> None:
    if manifest.unsafe_name(name) is None:
        root = "/base/folder"
        assert os.path.normpath(os.path.join(root, name)).startswith(root + "/")


@given(names=st.lists(st.text(min_size=1, max_size=8).filter(lambda n: manifest.unsafe_name(n) is None), unique=True,
                      min_size=1, max_size=5), title=st.text(min_size=1, max_size=30))  # fmt: skip
def test_quoted_text_comes_back_from_toml(names: list[str], title: str) -> None:
    text = f"id = 'x'\ntitle = {describe._quoted(title)}\n"
    text += "".join(f"[[files]]\nfile = {describe._quoted(name)}\n" for name in names)
    found = manifest.parse(text.encode(), "x")
    assert found.title == title
    assert [entry.file for entry in found.files] == names


def own(folder: Path) -> str:
    (folder / "sub").mkdir()
    (folder / "b 'é\".png").write_bytes(png(1))
    (folder / "sub" / "a.png").write_bytes(png(2))
    (folder / "broken.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("x")
    done = subprocess.run([sys.executable, "-m", "benchbox_datasets", str(folder)], capture_output=True, check=True)
    (folder / "manifest.toml").write_bytes(done.stdout)
    return done.stdout.decode()


def test_a_manifest_of_ones_own(tmp_path: Path) -> None:
    table = tomllib.loads(own(tmp_path))
    assert [entry["file"] for entry in table["files"]] == ["b 'é\".png", "broken.jpg", "sub/a.png"]
    data = OwnManifestInfo().open(str(tmp_path / "manifest.toml"))
    assert data.id == f"manifest:{tmp_path / 'manifest.toml'}"
    assert [sample.id for sample in data.samples] == ["b 'é\".png", "broken.jpg", "sub/a.png"]
    first, broken, last = data.samples
    assert first.sha256() == image.digest(first.load())
    assert last.load().shape == (9, 17, 3)
    assert broken.sha256() is None
    with pytest.raises(ImageError):
        broken.load()
    assert any("cannot be decoded" in note for note in data.notes)
    assert pickle.loads(pickle.dumps(data)) == data


def test_own_files_that_are_not_as_the_manifest_says(tmp_path: Path) -> None:
    own(tmp_path)
    path = tmp_path / "manifest.toml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("pixels_")))
    data = OwnManifestInfo().open(str(path))
    (tmp_path / "sub" / "a.png").write_bytes(png(2)[:-1] + b"x")
    with pytest.raises(ChecksumError, match=r"a\.png: SHA-256 is .*, expected .*; replace the file"):
        data.samples[2].load()
    (tmp_path / "sub" / "a.png").unlink()
    with pytest.raises(BenchboxError, match=r"a\.png"):
        data.samples[2].load()
    with pytest.raises(DatasetError, match=r"sub/a\.png is missing") as caught:
        OwnManifestInfo().open(str(path))
    one_line(caught.value)


def test_own_manifests_that_will_not_do(tmp_path: Path) -> None:
    (tmp_path / "select.toml").write_text("id='x'\ntitle='x'\nselect='*.png'\n")
    for name in ("gone.toml", ".", "select.toml", "nul\0"):
        with pytest.raises(DatasetError) as caught:
            OwnManifestInfo().open(str(tmp_path / name))
        assert "manifest" in str(caught.value)


def test_describing_says_what_is_wrong(tmp_path: Path) -> None:
    def run(*arguments: str) -> tuple[int, str]:
        command = [sys.executable, "-m", "benchbox_datasets", *arguments]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert done.stdout == ""
        return done.returncode, done.stderr

    assert run()[0] == 2
    assert run("--help")[0] == 2
    code, text = run(str(tmp_path))
    assert code == 1
    assert "holds no pictures" in text
    (tmp_path / "two\nlines.png").write_bytes(png(1))
    code, text = run(str(tmp_path))
    assert code == 1
    assert text.count("\n") == 1
    assert "rename the file" in text
