"""Unpacks zip and tar archives from strangers: nothing outside the folder, no links, no devices, bounded size.

An archive with one forbidden member is refused as a whole: no honest packer made it. Tar members pass tarfile's data
filter (PEP 706) first. Stricter rules, the same for zip, follow: no link at all, no absolute path, no odd path.
"""

from __future__ import annotations

import lzma
import stat
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from benchbox.errors import DatasetError
from benchbox_datasets.manifest import unsafe_name
from benchbox_datasets.storage import CHUNK, write_all, writing

_SPECIAL = "is a link or a device"


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
        if tarfile.is_tarfile(archive):  # asked first: a tar may end in a zip
            _unpack_tar(archive, into, wanted, limits)
            return
        if zipfile.is_zipfile(archive):
            _unpack_zip(archive, into, wanted, limits)
            return
    raise DatasetError(f"{archive}: neither a zip nor a tar archive; download it again")


def is_archive(path: Path) -> bool:
    """Whether `path` is a zip or tar archive, by its contents."""
    try:
        return path.is_file() and (zipfile.is_zipfile(path) or tarfile.is_tarfile(path))
    except (OSError, EOFError, zlib.error, lzma.LZMAError):
        return False


def _unpack_zip(archive: Path, into: Path, wanted: Callable[[str], bool], limits: Limits) -> None:
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
    with tarfile.open(archive, "r:*") as opened:
        for member in opened:
            budget.member()
            name = member.name.removeprefix("./") or "."
            if member.isdir() and name == ".":
                continue
            _refuse(archive, name, _problem(member, name, into))
            budget.take(member.size)  # a tar is decompressed up to the next member even where nothing is written
            stream = opened.extractfile(member) if wanted(name) else None
            if stream is not None:
                with stream:
                    _write(archive, stream, member.size, into / name, into)


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
            raise DatasetError(f"{archive}: holds {path.name!r} twice; get the archive elsewhere") from error
    left = size
    with file:
        while left > 0 and (chunk := stream.read(min(CHUNK, left))):
            left -= len(chunk)
            with writing(into):
                write_all(file, chunk)
    if left:
        raise EOFError(f"{path.name} ends {left} bytes early")


@contextmanager
def _damage(archive: Path) -> Iterator[None]:
    try:
        yield
    except (
        zipfile.BadZipFile, tarfile.TarError, zlib.error, lzma.LZMAError, EOFError, OSError, ValueError, RuntimeError,
        NotImplementedError,
    ) as error:  # fmt: skip
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise DatasetError(f"{archive}: damaged ({reason}); download it again") from error
