"""Tables as text: Markdown, and LaTeX for the package booktabs. Every text is taken for text of users and escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

Row = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table to print: `rows` under `head`, the first column names what a row is of; `note` says how it was made. One
    without rows says `note` only."""

    title: str
    head: Row
    rows: Sequence[Row]
    note: str


def markdown(grids: Sequence[Grid]) -> str:
    """The tables one below the other, as GitHub shows them."""
    return "\n".join(_markdown(grid) for grid in grids)


def latex(grids: Sequence[Grid]) -> str:
    """Floats over the text's whole width, to be read by ``\\input``."""
    return "\n".join(["% needs \\usepackage{booktabs}; names beyond Latin need XeLaTeX or LuaLaTeX\n",
                      *(_latex(grid) for grid in grids)])


def _markdown(grid: Grid) -> str:
    title = f"## {markdown_text(grid.title)}\n"
    if not grid.rows:
        return f"{title}\n{markdown_text(grid.note)}\n"
    lines = ["| " + " | ".join(markdown_text(cell) for cell in row) + " |" for row in (grid.head, *grid.rows)]
    lines.insert(1, "|" + "|".join([":--", *["--:"] * (len(grid.head) - 1)]) + "|")
    return "\n".join([title, *lines, "", markdown_text(grid.note), ""])


def _latex(grid: Grid) -> str:
    if not grid.rows:
        return f"% {flat(grid.title)}: {flat(grid.note)}\n"
    rows = [" & ".join(_tex(cell) for cell in row) + " \\\\" for row in grid.rows]
    return "\n".join([
        "\\begin{table*}", "\\centering\\footnotesize", f"\\caption{{{_tex(grid.title)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}", "\\toprule",
        " & ".join(_tex(cell) for cell in grid.head) + " \\\\", "\\midrule", *rows, "\\bottomrule", "\\end{tabular}",
        f"\\par\\smallskip\\parbox{{\\linewidth}}{{\\footnotesize {_tex(grid.note)}}}", "\\end{table*}", "",
    ])


_TEX = {"\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
        "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
        "|": "\\textbar{}", "`": "\\textasciigrave{}", "'": "\\textquotesingle{}", '"': "{\\char34}",
        "[": "{[}", "]": "{]}", "*": "{*}",  # after \\ they would be its argument
        "–": "--", "−": "$-$", "±": "$\\pm$", "×": "$\\times$", "\0": "{}"}  # fmt: skip


def _tex(text: str) -> str:
    apart = re.sub(r"-(?=-)", "-\0", flat(text))  # two hyphens are no dash
    return "".join(_TEX.get(c, c) for c in apart)


_MD = re.compile(r"([\\|`*_\[\]~#$])")


def markdown_text(text: str) -> str:
    """`text` as Markdown that shows it as it is, on one line."""
    escaped = _MD.sub(r"\\\1", flat(text).replace("&", "&amp;"))
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def flat(text: str) -> str:
    """`text` on one line, without control characters."""
    return "".join(c if c.isprintable() else "\ufffd" for c in " ".join(text.split()))
