"""A figure's SVG text made fit to stand inside a page: own ids, the page's colours, a name for those who cannot see."""

from __future__ import annotations

import re
from html import escape

from benchbox_reports.look import COLOURS, FAINT, INK, RULE

VARIABLES = {INK: "--ink", FAINT: "--faint", RULE: "--rule", **{c: f"--c{k}" for k, c in enumerate(COLOURS)}}
"""The style's colours and the page's custom properties that stand for them in light and dark."""

_HEX = re.compile("|".join(VARIABLES), re.IGNORECASE)
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="([^"]+)"[^>]*>', re.DOTALL)


def for_page(text: str, name: str, title: str) -> str:
    """The ``<svg>`` element of matplotlib's SVG file `text`, without size, prolog and metadata.

    Args:
        text: a file as matplotlib writes it (its texts are escaped).
        name: prefix of every id, so that two figures of one page never share one.
        title: what the figure shows; any text.
    """
    body = text[text.index("<svg"):]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    head = _SIZE.match(body)
    if head is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    start = (f'<svg viewBox="{head.group(1)}" role="img" aria-label="{escape(title)}" '
             'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg">')
    rest = _in_styles(body[head.end():])
    return start + _ID.sub(lambda m: f"{m.group(1)}{name}-", rest)


def _in_styles(body: str) -> str:
    """Colours become custom properties, inside tags only: a text that reads like a colour stays as it is."""
    def tag(found: re.Match[str]) -> str:
        return _HEX.sub(lambda m: f"var({VARIABLES[m.group(0).lower()]})", found.group(0))

    return re.sub(r"<[^>]+>|/\*.*?\*/", tag, body, flags=re.DOTALL)
