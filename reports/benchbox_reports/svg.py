"""Adapts a figure's SVG for use inside the page: unique ids, the page's colours, a title for screen readers."""

from __future__ import annotations

import re
from html import escape

from benchbox_reports.look import COLOURS, FAINT, INK, RULE

VARIABLES = {INK: "--ink", FAINT: "--faint", RULE: "--rule", **{c: f"--c{k}" for k, c in enumerate(COLOURS)}}
"""Colour of the style -> the page's custom property that replaces it, in light and dark."""

_HEX = re.compile("|".join(VARIABLES), re.IGNORECASE)
_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="([^"]+)"[^>]*>', re.DOTALL)


def for_page(text: str, name: str, title: str) -> str:
    """The ``<svg>`` element of matplotlib's SVG file `text`, without size, prolog and metadata.

    Args:
        text: an SVG file as matplotlib writes it, with its texts escaped.
        name: prefix of every id, so that no two figures of a page share an id.
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
    """Replaces colours by custom properties, inside tags only: text that looks like a colour does not change."""
    def tag(found: re.Match[str]) -> str:
        return _HEX.sub(lambda m: f"var({VARIABLES[m.group(0).lower()]})", found.group(0))

    return re.sub(r"<[^>]+>|/\*.*?\*/", tag, body, flags=re.DOTALL)
