"""A page as one file that can be mailed: figures, tables and the visual comparison inside it, and its links live."""

from __future__ import annotations

import re
from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from mimetypes import guess_type
from pathlib import Path

HELD = "#held-"
"""Begins a link to a file that the document holds; ``held.js`` makes a ``blob:`` address of it."""
_LINK = re.compile(r'href="([^"#:]+)"')
_SHOWN = re.compile(r'(?<="file":)"([^"]+)"|(?<="error":)"([^"]+)"')
"""A picture that the embedded JSON names; quotes inside its strings are escaped."""
_DATA = '<script type="application/json" id="run-data">'


def inlined(html: str, folder: Path, files: Sequence[Path]) -> str:
    """`html` with every link to one of `files` below `folder` replaced by the file itself, which a click downloads."""
    known = {file.relative_to(folder).as_posix(): file for file in files}

    def link(found: re.Match[str]) -> str:
        file = known.get(found[1])
        return found[0] if file is None else f'download="{file.name}" href="{uri(file)}"'

    return _LINK.sub(link, html)


def standing_alone(html: str, folder: Path, files: Sequence[Path]) -> str:
    """The visual comparison `html` with `files` below `folder` inside, each once however often it is shown or linked,
    and without its link back to the page."""
    alone = html.replace('<a href="index.html">', '<a hidden href="#">')
    known = {file.relative_to(folder).as_posix(): file for file in files}
    held: dict[str, str] = {}

    def name(file: Path) -> str:
        content = file.read_bytes()
        digest = sha256(content).hexdigest()[:24]
        if digest not in held:
            held[digest] = f'<script type="{_kind(file)}" id="held-{digest}">{_base64(content)}</script>\n'
        return f"{HELD}{digest}"

    def link(found: re.Match[str]) -> str:
        file = known.get(found[1])
        return found[0] if file is None else f'download="{file.name}" href="{name(file)}"'

    def shown(found: re.Match[str]) -> str:
        file = known.get(found[1] or found[2])
        return found[0] if file is None else f'"{name(file)}"'

    before, mark, data = _LINK.sub(link, alone).partition(_DATA)
    data = _SHOWN.sub(shown, data)
    return "".join([before, *held.values(), mark, data])


def uri(file: Path) -> str:
    """A file as a ``data:`` URI."""
    return f"data:{_kind(file)};base64,{_base64(file.read_bytes())}"


def _kind(file: Path) -> str:
    return guess_type(file.name)[0] or "application/octet-stream"


def _base64(content: bytes) -> str:
    return b64encode(content).decode("ascii")
