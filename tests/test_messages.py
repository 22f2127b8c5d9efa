"""No message of ours is a bare "unexpected ...": that word is for a fault of benchbox that nobody foresaw, and stands
in one place. None quotes a regular expression."""

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


def modules() -> list[Path]:
    found = [path for part in ("benchbox", "plugins", "datasets", "reports") for path in (ROOT / part).rglob("*.py")]
    assert len(found) > 100
    return found


def test_no_message_is_a_bare_unexpected() -> None:
    found = [(path, text) for path in modules() for text in texts(path) if "unexpected" in text.lower()]
    assert [path for path, _ in found] == [LAST_RESORT], found


def test_no_field_has_a_regular_expression_without_words() -> None:
    """pydantic's ``pattern`` ends in a message that quotes it; `benchbox.values.form` says in words what is taken."""
    found = [path for path in modules() for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("Field", "StringConstraints"))
             and any(keyword.arg == "pattern" for keyword in node.keywords)]  # fmt: skip
    assert not found
