"""Files at the edge: foreign input read by one wrapper that names file, place and remedy; output whole or absent."""

from __future__ import annotations

import errno
import json
import os
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchbox.errors import BenchboxError, StoreError

MOST_BYTES = 64 << 20
"""Bytes of the longest text that is read: settings, plans and curves have some kilobytes."""


@dataclass(frozen=True)
class Foreign:
    """A kind of file that others may have written: what an error about one is, and says.

    Attributes:
        kind: e.g. ``"plan file"``.
        error: what is raised; its line names the file, the place in it, the problem and the remedy.
        remedy: e.g. ``"publish the run again"``.
        most: bytes that such a file may have; a longer one is not read.
    """

    kind: str
    error: type[BenchboxError]
    remedy: str
    most: int = MOST_BYTES


def read_text(path: Path, form: Foreign) -> str:
    """The text of a UTF-8 file without the byte order mark that Windows' editors put in front. Raises `form.error`."""
    try:
        with path.open("rb") as file:
            data = file.read(form.most + 1)
    except FileNotFoundError:
        raise form.error(f"{path}: there is no such {form.kind}; {form.remedy}") from None
    except (OSError, ValueError) as problem:  # ValueError: a NUL in the name
        raise form.error(f"{path}: cannot be read: {_said(problem)}; {form.remedy}") from problem
    if len(data) > form.most:
        raise form.error(f"{path}: has more than {form.most >> 10} KiB, too many for a {form.kind}; {form.remedy}")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as problem:
        line = data.count(b"\n", 0, problem.start) + 1
        raise form.error(f"{path}: line {line} is not UTF-8; save it as UTF-8, or {form.remedy}") from problem


def read_toml(path: Path, form: Foreign) -> dict[str, Any]:
    """A TOML file as a table. Raises `form.error`, which names line and column."""
    text = read_text(path, form)
    try:
        return tomllib.loads(text)
    except (ValueError, RecursionError) as problem:  # ValueError: also a number of more digits than Python takes
        raise form.error(f"{path}: {_said(problem)}; {form.remedy}") from problem


def read_json(path: Path, form: Foreign) -> Any:
    """The value in a JSON file. Raises `form.error`, which names line and column."""
    return parse_json(read_text(path, form), str(path), form)


def parse_json(text: str, where: str, form: Foreign) -> Any:
    """The value of a JSON text that lies in a file of that form, at `where`. Raises `form.error`."""
    try:
        return json.loads(text)
    except (ValueError, RecursionError) as problem:
        raise form.error(f"{where}: {_said(problem)}; {form.remedy}") from problem


_REMEDIES = {
    **dict.fromkeys((errno.ENOSPC, errno.EDQUOT, errno.EFBIG), "make room"),
    **dict.fromkeys((errno.EACCES, errno.EPERM, errno.EROFS), "see to its permissions"),
    **dict.fromkeys((errno.ENOENT, errno.ENOTDIR), "make its folder"),
    errno.ENAMETOOLONG: "shorten its name",
}


def what_to_do(problem: OSError) -> str:
    """The remedy for a place that cannot be written, as a verb with its object: ``"make room"`` on a full disk."""
    return _REMEDIES.get(problem.errno or 0, "see to the disk")


def _said(problem: BaseException) -> str:
    if isinstance(problem, RecursionError):
        return "is nested too deeply"
    if "set_int_max_str_digits" in str(problem):
        return "holds a number of too many digits"
    if isinstance(problem, OSError) and problem.errno:
        return os.strerror(problem.errno)
    return (str(problem).strip().splitlines() or [type(problem).__name__])[0]


@contextmanager
def whole_file(path: Path, error: type[BenchboxError] = StoreError) -> Iterator[Path]:
    """A path to write a file to that becomes `path` when the block ends well, and is deleted when it does not. What is
    no ordinary file, as ``/dev/stdout``, is written directly.

    Raises:
        BenchboxError: of the type `error`: it cannot be written; names `path`, which is then what it was before, and
            the remedy.
    """
    with writing(path, error):
        special = path.exists() and not path.is_file()
    if special:
        with writing(path, error):
            yield path
        return
    target = Path(os.path.realpath(path))  # a link stays a link
    part = target.with_name(f".{target.name[:100]}.{os.getpid()}.part")
    try:
        with writing(path, error):
            yield part
            part.replace(target)
    finally:
        _delete(part)


@contextmanager
def whole_folder(folder: Path) -> Iterator[Path]:
    """A new folder beside `folder` to write into. When the block ends well, its files take their places in `folder`,
    which is made if it is not there; when it does not, it is deleted and `folder` stays what it was. Pages that lie in
    `folder` are in the new one too, for those that link to them.

    Raises:
        StoreError: it cannot be written; names `folder` and the remedy.
    """
    made = _first_absent(folder)
    with writing(folder):
        folder.parent.mkdir(parents=True, exist_ok=True)
        if folder.exists() and not folder.is_dir():
            raise StoreError(f"{folder}: is a file; choose another folder")
        part = Path(tempfile.mkdtemp(prefix=".benchbox-", dir=folder if folder.is_dir() else folder.parent))
    try:
        with writing(folder):
            for page in folder.glob("*.html"):
                shutil.copy2(page, part)
            yield part
            move_into(part, folder)
    except BaseException:
        _delete(part)
        for empty in made:
            _delete_empty(empty)
        raise
    _delete(part)


@contextmanager
def writing(path: Path, error: type[BenchboxError] = StoreError) -> Iterator[None]:
    """Turns an OSError of the block into `error`, which names the file, what is wrong and the remedy."""
    try:
        yield
    except OSError as problem:
        raise error(f"{path}: cannot be written: {_said(problem)}; {what_to_do(problem)} or choose another place"
                    ) from problem


def same_file(one: Path, other: Path) -> bool:
    """Whether two paths lead to one file, by whatever spelling or link."""
    try:
        return os.path.samefile(one, other)
    except OSError:
        return os.path.realpath(one) == os.path.realpath(other)


def _first_absent(folder: Path) -> list[Path]:
    """The folders that must be made for `folder`, the deepest first."""
    absent = []
    for one in (folder, *folder.parents):
        if one.exists():
            break
        absent.append(one)
    return absent


def move_into(part: Path, folder: Path) -> None:
    """Move all files below `part` to the same places below `folder`; those that are there already are replaced."""
    folder.mkdir(exist_ok=True)
    for root, _, names in os.walk(part):
        target = folder / Path(root).relative_to(part)
        target.mkdir(exist_ok=True)
        for name in names:
            os.replace(Path(root, name), target / name)


def _delete(path: Path) -> None:
    if path.is_dir():
        shutil.rmtree(path, ignore_errors=True)
    else:
        try:
            path.unlink(missing_ok=True)
        except OSError:
            return


def _delete_empty(folder: Path) -> None:
    try:
        folder.rmdir()
    except OSError:  # something else lies in it
        return
