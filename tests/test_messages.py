"""No message of ours is a bare "unexpected ...": that word is for a fault of benchbox that nobody foresaw, and stands
in one place."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[1]
LAST_RESORT = ROOT / "benchbox" / "cli" / "main.py"


def texts(path: Path) -> Iterator[str]:
    """Every string of a module that is no docstring."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    prose = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    for node in ast.walk(tree):
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and id(node) not in prose:
            yield node.value


def test_no_message_is_a_bare_unexpected() -> None:
    modules = [path for part in ("benchbox", "plugins", "datasets", "reports") for path in (ROOT / part).rglob("*.py")]
    assert len(modules) > 100
    found = [(path, text) for path in modules for text in texts(path) if "unexpected" in text.lower()]
    assert [path for path, _ in found] == [LAST_RESORT], found
