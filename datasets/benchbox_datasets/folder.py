"""``folder:PATH``: the pictures in any folder and below it."""

from __future__ import annotations

import os
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path

from benchbox.dataset import Dataset, DatasetInfo, FileSample, written_by_benchbox
from benchbox.errors import DatasetError
from benchbox.image import is_picture_name


class FolderInfo(DatasetInfo):
    """The pictures of a folder. A file that cannot be decoded is a sample too: the run records it as failed."""

    id = "folder"
    title = "the pictures in a folder and below it"
    argument = "PATH"

    def open(self, argument: str) -> Dataset:
        root = _root(argument)
        found, skipped = walk(root)
        samples = tuple(FileSample(sample_id(root, path), path) for path in found if is_picture_name(path.name))
        said = passed_over(found, skipped)
        if not samples:
            also = f" ({'; '.join(said[:3])})" if said else ""
            raise DatasetError(f"folder {readable(argument)} and its subfolders hold no pictures{also}: put some there "
                               "(.png, .jpg, .webp, .tif ...) or name another folder")
        ordered = tuple(sorted(samples, key=lambda sample: sample.id))
        return Dataset(f"folder:{argument}", f"folder {readable(argument)}", ordered, notes=said, source=str(root),
                       passed_over=said)


def _root(argument: str) -> Path:
    try:
        root = Path(os.path.abspath(Path(argument).expanduser()))
        if root.is_dir():
            os.scandir(root).close()
            return root
        exists = root.exists()
    except (OSError, ValueError, RuntimeError) as error:  # no access; a null byte; ~user without a home
        reason = getattr(error, "strerror", None) or str(error)
        raise DatasetError(f"folder {readable(argument)} cannot be read ({reason}): name another folder") from error
    if exists:
        raise DatasetError(f"{readable(argument)} is a file, not a folder: write folder:{readable(str(root.parent))}")
    raise DatasetError(f"folder {readable(argument)} does not exist: write folder:PATH with a folder that does")


def walk(root: Path) -> tuple[list[Path], list[str]]:
    """All files below `root` except hidden ones, and a phrase for each skipped entry that looked like a picture or
    folder (broken links, pipes, folders without access, workspaces and reports of benchbox), and for the hidden ones.

    Links to folders are followed. Each folder is entered once, real folders before links, so that loops end and no file
    appears twice.
    """
    files: list[Path] = []
    skipped: list[str] = []
    seen: set[tuple[int, int]] = set()
    hidden = 0
    folders, links = [root], list[Path]()
    while folders or links:
        folder = folders.pop() if folders else links.pop(0)
        try:
            status = folder.stat()
            if (status.st_dev, status.st_ino) in seen:
                continue
            seen.add((status.st_dev, status.st_ino))
            ours = written_by_benchbox(folder) if folder != root else ""
            if ours:
                skipped.append(f"{sample_id(root, folder)} ({ours})")
                continue
            inside = sorted(os.scandir(folder), key=lambda entry: entry.name)
            hidden += sum(entry.name.startswith(".") for entry in inside)
        except OSError as error:
            skipped.append(f"{sample_id(root, folder)} ({error.strerror})")
            continue
        for path, kind in _sorted_kinds(inside):
            if kind == "file":
                files.append(path)
            elif kind == "folder":
                folders.append(path)
            elif kind == "link":
                links.append(path)
            elif is_picture_name(path.name):
                skipped.append(f"{sample_id(root, path)} ({kind})")
    return files, [*skipped, f"{hidden} hidden files or folders"] if hidden else skipped


def passed_over(files: Sequence[Path], skipped: Sequence[str]) -> tuple[str, ...]:
    """What `walk` found and no data set of pictures takes, as sentences: `files` by suffix, and each of `skipped`."""
    others = Counter(path.suffix.lower() for path in files if not is_picture_name(path.name))
    kinds = [f"{count} {readable(suffix) or 'without a suffix'}" for suffix, count in others.most_common(8)]
    kinds += ["..."] if len(others) > 8 else []
    total = others.total()
    counted = [f"passed over: {total} file{'s' * (total > 1)} ({', '.join(kinds)})"] if total else []
    return (*counted, *(f"passed over: {readable(reason)}" for reason in skipped))


def _sorted_kinds(inside: list[os.DirEntry[str]]) -> Iterator[tuple[Path, str]]:
    for entry in inside:
        if entry.name.startswith("."):
            continue
        path, link = Path(entry.path), entry.is_symlink()
        # What is no link was told by the folder itself. os.path returns False for links that point at themselves, where
        # the entry raises.
        if os.path.isdir(path) if link else entry.is_dir(follow_symlinks=False):
            yield path, "link" if link else "folder"
        elif os.path.isfile(path) if link else entry.is_file(follow_symlinks=False):
            yield path, "file"
        else:  # opening a pipe would block
            yield path, "not a regular file" if os.path.exists(path) else "a broken link"


def sample_id(root: Path, path: Path) -> str:
    """`path`, which lies below `root`, relative to it with forward slashes, in printable characters."""
    return readable(os.fspath(path)[len(os.path.join(root, "")) :].replace(os.sep, "/"))


def readable(text: str) -> str:
    """`text` as one printable line: control characters and bytes that are not UTF-8 become escapes (``\\n``,
    ``\\xff``), so that odd file names can appear in tables, databases and messages."""
    return text if text.isprintable() else "".join(c if c.isprintable() else _escape(c) for c in text)


def _escape(character: str) -> str:
    byte = ord(character) - 0xDC00  # PEP 383: a byte of a name that is not UTF-8
    return f"\\x{byte:02x}" if 0x80 <= byte <= 0xFF else character.encode("unicode_escape").decode("ascii")
