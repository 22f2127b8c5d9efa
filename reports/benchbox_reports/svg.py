"""Adapts a figure's SVG for use inside the page: unique ids, the page's colours, a title for screen readers."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from html import escape

from benchbox_reports.look import FAINT, INK, RULE

STYLE = {INK: "--ink", FAINT: "--faint", RULE: "--rule"}
"""Colour of the style -> the page's custom property that replaces it, in light and dark."""

_ID = re.compile(r'(\bid="|xlink:href="#|url\(#)')
_SIZE = re.compile(r'<svg\b[^>]*?\bviewBox="([^"]+)"[^>]*>', re.DOTALL)


def for_page(text: str, name: str, title: str, colours: Sequence[str]) -> str:
    """The ``<svg>`` element of matplotlib's SVG file `text`, without size, prolog and metadata.

    Args:
        text: an SVG file as matplotlib writes it, with its texts escaped.
        name: prefix of every id, so that no two figures of a page share an id.
        title: what the figure shows; any text.
        colours: colours of curves; the custom property ``--cN`` replaces the one at place N.
    """
    body = text[text.index("<svg"):]
    body = re.sub(r"<metadata>.*?</metadata>", "", body, flags=re.DOTALL)
    head = _SIZE.match(body)
    if head is None:
        raise ValueError("matplotlib wrote an SVG without a viewBox")
    start = (f'<svg viewBox="{head.group(1)}" role="img" aria-label="{escape(title)}" '
             'xmlns:xlink="http://www.w3.org/1999/xlink" xmlns="http://www.w3.org/2000/svg">')
    rest = _in_styles(body[head.end():], STYLE | {colour: f"--c{k}" for k, colour in enumerate(colours)})
    return start + _ID.sub(lambda m: f"{m.group(1)}{name}-", rest)


def _in_styles(body: str, variables: Mapping[str, str]) -> str:
    """Replaces colours by custom properties, inside tags only: text that looks like a colour does not change."""
    colour = re.compile("|".join(variables), re.IGNORECASE)

    def tag(found: re.Match[str]) -> str:
        return colour.sub(lambda m: f"var({variables[m.group(0).lower()]})", found.group(0))

    return re.sub(r"<[^>]+>|/\*.*?\*/", tag, body, flags=re.DOTALL)
