"""Every step of the tutorial and of the how-to pages works, in the order of the page, in an empty folder."""

from __future__ import annotations

from pathlib import Path

import pytest
from pages import blocks, run_page

DOCS = Path(__file__).resolve().parents[1] / "docs"
HOW_TO = sorted(page for page in DOCS.glob("howto/*.md") if any(b.language == "console" for b in blocks(page)))


@pytest.mark.slow
@pytest.mark.parametrize("page", HOW_TO, ids=lambda page: page.stem)
def test_every_step_of_a_how_to_page_works(page: Path, tmp_path: Path) -> None:
    assert run_page(page, tmp_path)


@pytest.mark.slow
def test_every_step_of_the_tutorial_works(tmp_path: Path) -> None:
    printed = dict(run_page(DOCS / "tutorial.md", tmp_path))
    (verdict,) = [text for command, text in printed.items() if command.startswith("benchbox compare")]
    assert "undecided" in verdict
    figures = tmp_path / "work" / "runs" / "second" / "report" / "figures"
    assert (figures / "rd-samples-psnr-column.pdf").read_bytes().startswith(b"%PDF")
    assert (tmp_path / "work" / "published" / "results.parquet").exists()


def test_the_pages_run_what_they_show() -> None:
    assert len(HOW_TO) >= 6
    for page in (*HOW_TO, DOCS / "tutorial.md"):
        for block in blocks(page):
            assert block.language in {"console", "python", "toml", "diff", "latex"}, (page.name, block.language)
            assert block.title or block.language != "python", f"{page.name}: a block of Python that is never run"
