"""File names from labels and data sets, and JSON that every reader takes."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterable
from pathlib import Path

LONGEST = 60
"""Characters of a file name taken from a label."""


def safe_names(texts: Iterable[str], shown: Callable[[str], str] = str) -> dict[str, str]:
    """A name for each text, made from what `shown` gives of it: lower-case letters, digits and ``-`` only, so that it
    needs no quoting in a shell or URL and leaves no folder; all different."""
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
    """Write `document` in ASCII, compact without `indent`; NaN is refused, since JSON has none."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(document, indent=indent, allow_nan=False) + "\n", encoding="ascii")
    return path
