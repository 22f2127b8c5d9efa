"""A page as one file that can be mailed: figures, tables and the visual comparison inside it, and its links live."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from mimetypes import guess_type
from pathlib import Path


def inlined(html: str, folder: Path, files: Sequence[Path]) -> str:
    """`html` with every link to one of `files` below `folder` replaced by the file itself, which a click downloads."""
    known = {file.relative_to(folder).as_posix(): file for file in files}

    def link(found: re.Match[str]) -> str:
        file = known.get(found[1])
        return found[0] if file is None else f'download="{file.name}" href="{uri(file)}"'

    return re.sub(r'href="([^"#:]+)"', link, html)


def standing_alone(html: str, folder: Path, files: Sequence[Path]) -> str:
    """The visual comparison `html` with `files` below `folder` inside, and without its link back to the page."""
    alone = inlined(html, folder, files).replace('<a href="index.html">', '<a hidden href="#">')
    pictures = {file.relative_to(folder).as_posix(): file for file in files}
    return re.sub(r"visual/[\w-]+\.webp", lambda match: uri(pictures[match[0]]), alone)


def uri(file: Path) -> str:
    """A file as a ``data:`` URI."""
    kind = guess_type(file.name)[0] or "application/octet-stream"
    return f"data:{kind};base64,{b64encode(file.read_bytes()).decode('ascii')}"
