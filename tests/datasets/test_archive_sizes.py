"""Sizes in an archive's headers are bounded before they are believed: a small file takes no large memory."""

from __future__ import annotations

import gzip
import io
import lzma
import struct
import tarfile
import tracemalloc
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from benchbox_datasets import archive
from dataset_server import leftovers, one_line, png

from benchbox.errors import DatasetError

MEBI = 1 << 20


def header(kind: bytes, size: int, name: str = "x", **more: object) -> bytes:
    member = tarfile.TarInfo(name)
    member.type, member.size = kind, size
    for key, value in more.items():
        setattr(member, key, value)
    return member.tobuf(tarfile.GNU_FORMAT)


def filled(kind: bytes, fill: bytes) -> Callable[[Path], None]:
    """A tar whose first header says that 300 MiB of `fill` follow; the first 30 of them do."""

    def make(path: Path) -> None:
        with gzip.open(path, "wb", 1) as file:
            file.write(header(kind, 300 * MEBI))
            for _ in range(30):
                file.write(fill * (MEBI // len(fill)))

    return make


def sparse_map(path: Path) -> None:
    """A sparse file of the pax format 1.0 whose map has a million entries (GNU tar manual, appendix D)."""
    entries = b"1000000\n" + b"1\n1\n" * 1_000_000
    pax = b"".join(_record(line) for line in (b"GNU.sparse.major=1", b"GNU.sparse.minor=0", b"GNU.sparse.realsize=9"))
    with gzip.open(path, "wb", 1) as file:
        file.write(header(b"x", len(pax)) + pax.ljust(-(-len(pax) // 512) * 512, b"\0"))
        file.write(header(b"0", len(entries), "a.png") + entries)


def _record(text: bytes) -> bytes:
    length = next(n for n in range(len(text) + 3, len(text) + 9) if len(f"{n} ") + len(text) + 1 == n)
    return f"{length} ".encode() + text + b"\n"


def sparse_headers(path: Path) -> None:
    """An old GNU sparse file whose map goes on in 40,000 extended headers."""
    first = bytearray(header(b"S", 512, "a.png"))
    first[482] = 1  # isextended
    first[148:156] = b" " * 8
    first[148:156] = f"{sum(first):06o}\0 ".encode()
    extended = (b"00000000001\0" * 42).ljust(504, b"\0") + b"\1" + bytes(7)
    with gzip.open(path, "wb", 1) as file:
        file.write(bytes(first))
        for _ in range(40):
            file.write(extended * 1000)


TARS: dict[str, Callable[[Path], None]] = {
    "pax": filled(b"x", b"\0"), "pax-global": filled(b"g", b"8 a=bcd\n"), "solaris": filled(b"X", b"\0"),
    "long-name": filled(b"L", b"a"), "long-link": filled(b"K", b"a"), "sparse-map": sparse_map,
    "sparse-headers": sparse_headers,
}  # fmt: skip


@pytest.mark.parametrize("name", list(TARS))
def test_long_headers_of_a_tar_are_refused(name: str, tmp_path: Path) -> None:
    TARS[name](tmp_path / "evil")
    into = tmp_path / "into"
    into.mkdir()
    assert archive.is_archive(tmp_path / "evil")
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match="nothing was taken: get the archive elsewhere") as caught:
            archive.unpack(tmp_path / "evil", into, lambda name: True)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert "more than 256 KiB" in one_line(caught.value)
    assert most < 30 * MEBI
    assert leftovers(into) == []


def test_long_headers_behind_a_sound_member_are_refused(tmp_path: Path) -> None:
    with lzma.open(tmp_path / "evil", "wb", preset=0) as file:
        file.write(header(b"5", 0, "./") + header(b"0", 3, "a.png") + b"abc".ljust(512, b"\0"))
        file.write(header(b"x", 200 * MEBI) + bytes(20 * MEBI))
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="header of a member has more than 256 KiB"):
        archive.unpack(tmp_path / "evil", tmp_path / "into", lambda name: True)


def test_names_of_honest_packers_are_no_bombs(tmp_path: Path) -> None:
    """Hundreds of members with pax records and long names, none of them near the bound."""
    names = [f"{'ü' * 30}/{'n' * 120}-{number}.png" for number in range(600)]
    for kind in (tarfile.PAX_FORMAT, tarfile.GNU_FORMAT):
        with tarfile.open(tmp_path / "fine", "w:gz", format=kind, compresslevel=1) as opened:
            for name in names:
                member = tarfile.TarInfo(name)
                member.size = 2000
                opened.addfile(member, io.BytesIO(bytes(2000)))
        into = tmp_path / f"into{kind}"
        into.mkdir()
        archive.unpack(tmp_path / "fine", into, lambda name: True)
        assert len(list(into.rglob("*.png"))) == 600


def zip_with(entries: int, name: str, path: Path) -> None:
    """A zip of one file whose directory lists it `entries` times, and says that it lists one."""
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr(name, png(1))
    data = path.read_bytes()
    place = data.index(b"PK\1\2")
    end = data.index(b"PK\5\6")
    directory = data[place:end] * entries
    ending = struct.pack("<4s4H2LH", b"PK\5\6", 0, 0, 1, 1, len(directory), place, 0)
    path.write_bytes(data[:place] + directory + ending)


@pytest.mark.parametrize(("entries", "name", "said"), [
    (100_001, "a.png", "more than 100000 members"),
    (5000, "a" * 20_000 + ".png", "list of members has more than 64 MiB"),
])  # fmt: skip
def test_long_directories_of_a_zip_are_refused(entries: int, name: str, said: str, tmp_path: Path) -> None:
    zip_with(entries, name, tmp_path / "evil.zip")
    (tmp_path / "into").mkdir()
    tracemalloc.start()
    try:
        with pytest.raises(DatasetError, match=f"{said}; if you trust it, unpack it yourself and give the folder"):
            archive.unpack(tmp_path / "evil.zip", tmp_path / "into", lambda name: True)
        most = tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()
    assert most < 30 * MEBI
    assert leftovers(tmp_path / "into") == []
