"""LaTeX for the tests of tables: sets files in the two columns of a paper."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Sequence
from pathlib import Path

import pytest

needs_latex = pytest.mark.skipif(
    shutil.which("pdflatex") is None, reason="no LaTeX here (apt install texlive-latex-recommended)"
)


COLUMNS = {"article": "letterpaper,margin=1in", "ieee": "letterpaper,textwidth=7.16in,columnsep=0.16in"}
"""Name of a layout -> options of the package geometry."""


def complaints(files: Sequence[Path], folder: Path, layout: str = "article") -> list[str]:
    """What LaTeX says of tables and figures wider or higher than the page; fails where it stops with an error."""
    inputs = "\n".join(f"\\input{{{file}}}" for file in files)
    (folder / "paper.tex").write_text(
        "\\documentclass[twocolumn]{article}\\usepackage{booktabs,textcomp,graphicx}"
        f"\\usepackage[{COLUMNS[layout]}]{{geometry}}"
        f"\\begin{{document}}{inputs}\\end{{document}}", encoding="utf-8")  # fmt: skip
    done = subprocess.run(["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "paper.tex"], cwd=folder,
                          capture_output=True, encoding="latin-1", timeout=120, check=False)  # fmt: skip
    assert done.returncode == 0, done.stdout[-2000:]
    return [line for line in done.stdout.splitlines() if "Overfull" in line or "too large" in line]
