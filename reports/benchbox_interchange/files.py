"""File names made from labels and data sets, and JSON that every parser accepts."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

LONGEST = 60
"""Characters of a label that a file name keeps."""


def safe_names(texts: Iterable[str], shown: Callable[[str], str] = str) -> dict[str, str]:
    """Text -> file name, all different, made from `shown(text)`. Names consist of lower-case letters, digits and ``-``,
    so they need no quoting in a shell or URL and cannot point outside their folder."""
    names: dict[str, str] = {}
    for text in dict.fromkeys(texts):
        base = re.sub(r"[^a-z0-9]+", "-", shown(text).lower()).strip("-")[:LONGEST] or "x"
        number, name = 1, base
        while name in names.values():
            number += 1
            name = f"{base}-{number}"
        names[text] = name
    return names


def write_json(path: Path, document: object, indent: int | None = None) -> Path:
    """Write `document` as ASCII, on one line unless `indent` is given.

    Raises:
        ValueError: `document` holds NaN or infinity, which JSON does not have.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=indent, allow_nan=False) + "\n", encoding="ascii")
    return path
