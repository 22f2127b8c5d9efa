"""HTML documents from our templates, and the policy by which a document runs our script and no other."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Sequence
from hashlib import sha256
from importlib import resources
from typing import Any

from jinja2 import Environment, FunctionLoader, StrictUndefined, select_autoescape

TEMPLATES = resources.files("benchbox_reports") / "templates"
PAGE_SCRIPTS = (
    "dom.js", "axes.js", "gestures.js", "plot.js", "data.js", "state.js", "saved.js", "curves.js", "tables.js",
    "summary.js", "pictures.js", "speed.js", "download.js", "page.js",
)  # fmt: skip
"""The page's script, in the order of loading: plain JavaScript that needs no build."""
VISUAL_SCRIPTS = ("dom.js", "held.js", "visual.js")
"""The script of the visual comparison."""


def script_of(names: Sequence[str]) -> str:
    """The text of a script that consists of the named files."""
    return "".join((TEMPLATES / name).read_text(encoding="utf-8") for name in names)


def csp_hash(script: str) -> str:
    """The hash by which a page's Content-Security-Policy allows this script and no other: ``sha256-...``."""
    return "sha256-" + b64encode(sha256(script.encode("utf-8")).digest()).decode("ascii")


def template(name: str) -> Any:
    """One of our templates; it escapes every value that it is given."""
    environment = Environment(
        loader=FunctionLoader(lambda name: (TEMPLATES / name).read_text(encoding="utf-8")),
        autoescape=select_autoescape(default=True, default_for_string=True),
        undefined=StrictUndefined, trim_blocks=True, lstrip_blocks=True,
    )
    return environment.get_template(name)
