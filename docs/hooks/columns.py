"""A hook of mkdocs: puts the table of results columns, as the code has it, in place of ``<!-- columns -->``."""

from __future__ import annotations

from typing import Any

from benchbox.store import COLUMNS


def on_page_markdown(markdown: str, **more: Any) -> str:
    """The page's text with the table in it."""
    rows = [f"| `{c.name}` | {c.dtype} | {c.unit} | {c.meaning} |" for c in COLUMNS]
    table = "\n".join(["| column | dtype | unit | meaning |", "|---|---|---|---|", *rows])
    return markdown.replace("<!-- columns -->", table)
