"""The pages say what the code does."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import subprocess
import sys
import tomllib
from pathlib import Path
from typing import Any

import pytest

from benchbox import hookspecs
from benchbox.plan import make_plan
from benchbox.store import COLUMNS

ROOT = Path(__file__).resolve().parents[1]
TOY = ROOT / "tests" / "toy_plugin"


def page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def blocks(text: str, language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


@pytest.mark.parametrize(
    ("language", "file"), [("python", "benchbox_toy.py"), ("toml", "pyproject.toml"), ("python", "conformance.py")]
)
def test_the_tutorial_shows_the_plugin_that_is_tested(language: str, file: str) -> None:
    assert (TOY / file).read_text(encoding="utf-8") in blocks(page("docs/plugins.md"), language)


def test_every_hook_has_a_heading() -> None:
    functions = inspect.getmembers(hookspecs, inspect.isfunction)
    hooks = {name for name, _ in functions if name.startswith("benchbox_")}
    headings = set(re.findall(r"^### (benchbox_\w+)$", page("docs/plugins.md"), flags=re.MULTILINE))
    assert len(hooks) == 6
    assert hooks == headings


def pieces_of_python() -> list[Any]:
    """Every block of Python on the pages, and every benchmark."""
    pages = [ROOT / "README.md", *sorted(ROOT.glob("docs/**/*.md"))]
    found = [pytest.param(block, id=f"{path.name}-{number}") for path in pages
             for number, block in enumerate(blocks(path.read_text(encoding="utf-8"), "python"))]  # fmt: skip
    return found + [pytest.param(path.read_text(encoding="utf-8"), id=path.name)
                    for path in sorted(ROOT.glob("benchmarks/*.py"))]  # fmt: skip


@pytest.mark.parametrize("source", pieces_of_python())
def test_what_it_imports_of_ours_is_there(source: str) -> None:
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("benchbox"):
            module = str(node.module)
            if module != "benchbox_toy":  # the page's own
                for alias in node.names:
                    importlib.import_module(module)
                    assert hasattr(sys.modules[module], alias.name) or importlib.import_module(f"{module}.{alias.name}")


def test_the_site_shows_the_table_of_columns(tmp_path: Path) -> None:
    command = [sys.executable, "-m", "mkdocs", "build", "--strict", "--quiet", "--site-dir", str(tmp_path)]
    subprocess.run(command, cwd=ROOT, check=True)
    shown = (tmp_path / "results" / "index.html").read_text(encoding="utf-8")
    assert re.findall(r"<td><code>(\w+)</code></td>", shown) == [column.name for column in COLUMNS]


def test_the_plan_on_the_page_is_a_plan() -> None:
    (plan,) = blocks(page("docs/running.md"), "toml")
    assert [entry.id for entry in make_plan(tomllib.loads(plan), "docs/running.md").codec] == ["jpeg", "webp", "resnet"]


@pytest.mark.parametrize("name", ["README.md", *(str(p.relative_to(ROOT)) for p in ROOT.glob("docs/**/*.md"))])
def test_links_lead_somewhere(name: str) -> None:
    for target in re.findall(r"\]\(([^)#]+)(?:#[^)]*)?\)", page(name)):
        if "://" not in target:
            assert ((ROOT / name).parent / target).exists(), f"{name} links to {target}"


@pytest.mark.slow
def test_the_session_of_the_readme_runs(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    (session,) = blocks(page("README.md"), "python")
    assert len([line for line in session.splitlines() if line]) <= 5
    monkeypatch.chdir(tmp_path)
    exec(compile(session, "README.md", "exec"), {})
    printed = capsys.readouterr().out
    assert re.search(r"ms-ssim\s+webp\s+-\d", printed)
