"""Unpacks zip and tar archives from strangers: nothing outside the folder, no links, no devices, bounded size.

An archive with one forbidden member is refused as a whole: no honest packer made it. Tar members pass tarfile's data
filter (PEP 706) first. Stricter rules, the same for zip, follow: no link at all, no absolute path, no odd path.
"""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import stat
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, cast

from benchbox.errors import DatasetError
from benchbox_datasets.manifest import unsafe_name
from benchbox_datasets.storage import CHUNK, write_all, writing

HEADER_BYTES = 256 << 10
"""Bytes that the headers of one tar member may have: long names and pax records of honest packers are far shorter."""

DIRECTORY_BYTES = 64 << 20
"""Bytes that the central directory of a zip may have."""

_SPECIAL = "is a link or a device"
_ZIP_TAIL = 22 + 65535 + 76
"""Bytes at the end of a zip that its end record, with comment and zip64 records, may take."""
_COMPRESSIONS: tuple[tuple[bytes, Callable[..., IO[bytes]]], ...] = (
    (b"\x1f\x8b", cast(Callable[..., IO[bytes]], gzip.open)),
    (b"BZh", cast(Callable[..., IO[bytes]], bz2.open)),
    (b"\xfd7zXZ\0", cast(Callable[..., IO[bytes]], lzma.open)),
    (b"\x5d\0\0", cast(Callable[..., IO[bytes]], lzma.open)),
)
"""First bytes of a compressed tar -> what opens it."""


@dataclass(frozen=True)
class Limits:
    """Bounds of one archive: number of members, and unpacked bytes (in a tar also of members that are skipped)."""

    members: int = 100_000
    bytes: int = 16 << 30


def unpack(archive: Path, into: Path, wanted: Callable[[str], bool], limits: Limits | None = None) -> None:
    """Write the members of `archive` for whose path `wanted` is true below the folder `into`, under their paths.

    Raises:
        DatasetError: the file is not a zip or tar, is damaged or encrypted, has a member that leads out of the folder
            or is a link or a device, or exceeds `limits`; or the disk is full. Members written before that remain, so
            unpack into a fresh folder.
    """
    limits = limits or Limits()
    with _damage(archive):
        if _is_tar(archive):  # asked first: a tar may end in a zip
            _unpack_tar(archive, into, wanted, limits)
            return
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, into, wanted, limits)
            return
    raise DatasetError(f"{archive}: neither a zip nor a tar archive; download it again")


def is_archive(path: Path) -> bool:
    """Whether `path` is a zip or tar archive, by its contents."""
    try:
        return path.is_file() and (zipfile.is_zipfile(path) or _is_tar(path))
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return False


def _is_tar(path: Path) -> bool:
    try:
        with _open_tar(path):
            return True
    except tarfile.TarError:
        return False
    except DatasetError:  # its first header is too long; `unpack` says so
        return True


def _unpack_zip(archive: Path, into: Path, wanted: Callable[[str], bool], limits: Limits) -> None:
    directory = _Budget(archive, Limits(max(limits.members, Limits.members)))
    for _ in _directory_entries(archive):  # counted before zipfile makes an object of each
        directory.member()
    budget = _Budget(archive, limits)
    with zipfile.ZipFile(archive) as opened:
        for info in opened.infolist():
            budget.member()
            kind = stat.S_IFMT(info.external_attr >> 16)  # zero if the packer stored no Unix mode
            special = kind not in (0, stat.S_IFREG, stat.S_IFDIR)
            _refuse(archive, info.filename, _SPECIAL if special else unsafe_name(info.filename.removesuffix("/")))
            if info.is_dir() or not wanted(info.filename):
                continue
            if info.flag_bits & 1:
                raise DatasetError(f"{archive}: {info.filename!r} is encrypted; unpack it yourself and give the folder")
            with opened.open(info) as stream:
                budget.take(info.file_size)
                _write(archive, stream, info.file_size, into / info.filename, into)


def _unpack_tar(archive: Path, into: Path, wanted: Callable[[str], bool], limits: Limits) -> None:
    if not hasattr(tarfile, "data_filter"):
        raise DatasetError(f"{archive}: Python before 3.11.4 cannot check the members of a tar; update it, or unpack "
                           "the tar yourself and give the folder")
    budget = _Budget(archive, limits)
    with _open_tar(archive) as (opened, metered):
        for member in opened:
            budget.member()
            metered.left = HEADER_BYTES
            name = member.name.removeprefix("./") or "."
            if member.isdir() and name == ".":
                continue
            _refuse(archive, name, _problem(member, name, into))
            budget.take(member.size)  # a tar is decompressed up to the next member even where nothing is written
            stream = opened.extractfile(member) if wanted(name) else None
            if stream is not None:
                metered.left = member.size + CHUNK
                with stream:
                    _write(archive, stream, member.size, into / name, into)
                metered.left = HEADER_BYTES


class _Metered:
    """A decompressed tar that refuses to hand out more than `left` bytes. tarfile believes the sizes in headers (names,
    pax records, maps of sparse files) and reads that much into memory before it says what the member is."""

    def __init__(self, archive: Path, file: IO[bytes]) -> None:
        self.left = HEADER_BYTES
        self._archive = archive
        self._file = file

    def read(self, size: int) -> bytes:
        if size > self.left:
            raise DatasetError(f"{self._archive}: the header of a member has more than {HEADER_BYTES >> 10} KiB; "
                               "nothing was taken: get the archive elsewhere")
        data = self._file.read(size)
        self.left -= len(data)
        return data

    def seek(self, place: int) -> int:
        return self._file.seek(place)

    def tell(self) -> int:
        return self._file.tell()


@contextmanager
def _open_tar(archive: Path) -> Iterator[tuple[tarfile.TarFile, _Metered]]:
    """The opened tar, whose first header is read, and the meter on what it reads."""
    with archive.open("rb") as file:
        magic = file.read(6)
    opener = next((opener for start, opener in _COMPRESSIONS if magic.startswith(start)), open)
    with opener(archive, "rb") as stream:
        metered = _Metered(archive, stream)
        with tarfile.open(fileobj=cast(IO[bytes], metered), mode="r:") as opened:
            yield opened, metered


def _directory_entries(archive: Path) -> Iterator[int]:
    """The place of each entry of a zip's central directory, found where zipfile looks for it (APPNOTE.TXT, 4.3)."""
    with archive.open("rb") as file:
        length = file.seek(0, io.SEEK_END)
        start = max(0, length - _ZIP_TAIL)
        file.seek(start)
        tail = file.read()
        end = tail.rfind(b"PK\5\6")
        if end < 0 or len(tail) < end + 22:
            return
        (size,) = struct.unpack_from("<L", tail, end + 12)
        last = end
        if end >= 76 and tail[end - 20 : end - 16] == b"PK\6\7" and tail[end - 76 : end - 72] == b"PK\6\6":
            (size,) = struct.unpack_from("<Q", tail, end - 76 + 40)
            last = end - 76
        if size > DIRECTORY_BYTES:
            raise DatasetError(f"{archive}: its list of members has more than {DIRECTORY_BYTES >> 20} MiB; if you "
                               "trust it, unpack it yourself and give the folder")
        file.seek(max(0, start + last - size))
        directory = file.read(size)
    place = 0
    while directory[place : place + 4] == b"PK\1\2" and place + 46 <= len(directory):
        yield place
        place += 46 + sum(struct.unpack_from("<3H", directory, place + 28))


def _problem(member: tarfile.TarInfo, name: str, into: Path) -> str | None:
    """Why a tar member called `name` must not be unpacked into `into`, or None."""
    try:
        tarfile.data_filter(member, str(into))
    except (tarfile.OutsideDestinationError, tarfile.AbsolutePathError):
        return unsafe_name(name) or "leads out of the folder"
    except tarfile.FilterError:
        return _SPECIAL
    return unsafe_name(name) if member.isreg() or member.isdir() else _SPECIAL


class _Budget:
    """Counts members and bytes of one archive against its limits."""

    def __init__(self, archive: Path, limits: Limits) -> None:
        self._archive = archive
        self._limits = limits
        self._members = 0
        self._bytes = 0

    def member(self) -> None:
        self._members += 1
        if self._members > self._limits.members:
            raise DatasetError(f"{self._archive}: more than {self._limits.members} members; if you trust it, "
                               "unpack it yourself and give the folder")

    def take(self, count: int) -> None:
        self._bytes += count
        if self._bytes > self._limits.bytes:
            raise DatasetError(f"{self._archive}: unpacks to more than {self._limits.bytes / 1e6:.0f} MB; if you "
                               "trust it, unpack it yourself and give the folder")


def _refuse(archive: Path, name: str, problem: str | None) -> None:
    if problem:
        raise DatasetError(f"{archive}: its member {name!r} {problem}; nothing was taken: get the archive elsewhere")


def _write(archive: Path, stream: IO[bytes], size: int, path: Path, into: Path) -> None:
    with writing(into):
        try:
            path.parent.mkdir(parents=True, exist_ok=True)
            file = path.open("xb", buffering=0)  # never over what another member wrote
        except (FileExistsError, NotADirectoryError) as error:
            name, how = _taken(path, into)
            raise DatasetError(f"{archive}: holds {name!r} {how}; get the archive elsewhere") from error
    left = size
    with file:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            with writing(into):
                write_all(file, chunk)
    if left:
        raise EOFError(f"{path.name} ends {left} bytes early")


def _taken(path: Path, into: Path) -> tuple[str, str]:
    """(the member in the way of `path`, what is wrong with it)."""
    way = next((above for above in path.parents if above.is_file()), path)
    both = way != path or path.is_dir()
    return way.relative_to(into).as_posix(), "both as a file and as a folder" if both else "twice"


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
        NotImplementedError, MemoryError, struct.error,
    ) as error:  # fmt: skip
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DatasetError(f"{archive}: damaged ({reason}); download it again") from error
