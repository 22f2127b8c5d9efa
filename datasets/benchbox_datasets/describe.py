"""Writes the manifest of a folder of pictures: ``benchbox dataset describe FOLDER > FOLDER/manifest.toml``."""

from __future__ import annotations

import json
import re
from pathlib import Path

from benchbox import image
from benchbox.errors import DatasetError, ImageError
from benchbox_datasets.folder import passed_over, walk
from benchbox_datasets.manifest import parse, unsafe_name
from benchbox_datasets.storage import sha256_of


def describe(folder: Path) -> str:
    """The manifest (TOML) of all pictures in `folder` and below it, with checksums of files and of pixels.

    Its id and title are made from the folder's name; comments say what was passed over. A picture that cannot be
    decoded is listed with the checksum of its file alone.

    Raises:
        DatasetError: there are no pictures, or a file name cannot stand in a manifest.
    """
    folder = folder.absolute()
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "pictures"
    title = folder.name or "pictures"
    found, skipped = walk(folder)
    paths = sorted(path for path in found if image.is_picture_name(path.name))
    if not paths:
        raise DatasetError(f"folder {folder} holds no pictures to describe: name a folder that does")
    known = [f"id = {_quoted(name)}", f"title = {_quoted(title)}", f"count = {len(paths)}"]
    others = [path for path in found if path != folder / "manifest.toml"]
    head = [f"# {line}" for line in passed_over(others, skipped)]
    head += [*known, 'version = "1"', 'licence = ""']
    text = "\n".join([*head, *(line for path in paths for line in _entry(folder, path))]) + "\n"
    parse(text.encode(), "the new manifest")
    return text


def _entry(folder: Path, path: Path) -> list[str]:
    name = path.relative_to(folder).as_posix()
    problem = unsafe_name(name)
    if problem or not _is_unicode(name):
        raise DatasetError(f"{name!r} {problem or 'is not UTF-8'}; a manifest cannot list it: rename the file")
    lines = ["", "[[files]]", f"file = {_quoted(name)}"]
    lines += [f"bytes = {path.stat().st_size}", f'sha256 = "{sha256_of(path)}"']
    try:
        lines.append(f'pixels_sha256 = "{image.digest(image.read(path).pixels)}"')
    except ImageError as error:
        lines.append(f"note = {_quoted(f'cannot be decoded: {error}')}")
    return lines


def _quoted(text: str) -> str:
    """`text` as a TOML basic string. JSON has the same escapes, but leaves DEL as it is."""
    return json.dumps(text, ensure_ascii=False).replace("\x7f", "\\u007f")


def _is_unicode(name: str) -> bool:
    try:
        name.encode()
    except UnicodeEncodeError:
        return False
    return True
