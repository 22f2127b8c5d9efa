"""Tables as text: Markdown, and LaTeX for the package booktabs. Every string may come from a user and is escaped."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from benchbox_reports.columns import FIGURE_SPACE

Row = tuple[str, ...]


@dataclass(frozen=True)
class Grid:
    """A table to print.

    Attributes:
        title: heading or caption.
        head: names of the columns.
        rows: cells as printed; the first names the row. Where there are no rows, only `title` and `note` are printed.
        note: a sentence under the table that says how it was made.
    """

    title: str
    head: Row
    rows: Sequence[Row]
    note: str


def markdown(grids: Sequence[Grid]) -> str:
    """The tables in GitHub's Markdown, one below the other."""
    return "\n".join(_markdown(grid) for grid in grids)


def latex(grids: Sequence[Grid]) -> str:
    """The tables as LaTeX floats, two columns wide, for ``\\input``."""
    return "\n".join(["% needs \\usepackage{booktabs}; names beyond Latin need XeLaTeX or LuaLaTeX\n",
                      *(_latex(grid) for grid in grids)])


def _markdown(grid: Grid) -> str:
    title = f"## {markdown_text(grid.title)}\n"
    if not grid.rows:
        return f"{title}\n{markdown_text(grid.note)}\n"
    lines = ["| " + " | ".join(markdown_text(cell) for cell in row) + " |" for row in (grid.head, *grid.rows)]
    lines.insert(1, "|" + "|".join([":--", *["--:"] * (len(grid.head) - 1)]) + "|")
    return "\n".join([title, *lines, "", markdown_text(grid.note), ""])


LATEX_ROWS = 50
"""Most rows of a float, which a page can hold; a longer table continues in the next float."""
HEAD_WIDTH = 11
"""Most characters of a line of a column's head; heads are broken at spaces."""


def _latex(grid: Grid) -> str:
    if not grid.rows:
        return f"% {flat(grid.title)}: {flat(grid.note)}\n"
    parts = [grid.rows[k : k + LATEX_ROWS] for k in range(0, len(grid.rows), LATEX_ROWS)]
    return "".join(_float(grid, rows, k, len(parts)) for k, rows in enumerate(parts, 1))


PAGE_WIDTH = 469.0
"""Width in points of the text between one-inch margins on US letter, the narrowest common page."""
SIZES = (("\\footnotesize", 4.3, 3.5), ("\\scriptsize", 4.0, 2.0), ("\\tiny", 3.4, 2.0))
"""(size, width of a digit in Computer Modern, space on each side of a column), in points."""


def _size(grid: Grid) -> str:
    """LaTeX for the largest size in which the widest row fits the page, or the smallest if none fits."""
    widths = [max(len(row[k]) for row in grid.rows) for k in range(len(grid.head))]
    heads = [max(map(len, _lines(head))) for head in grid.head]
    characters = sum(map(max, widths, heads))
    fits = (size for size in SIZES if characters * size[1] + 2 * len(grid.head) * size[2] <= PAGE_WIDTH)
    name, _, space = next(fits, SIZES[-1])
    return f"{name}\\setlength{{\\tabcolsep}}{{{space:g}pt}}"


def _float(grid: Grid, rows: Sequence[Row], part: int, parts: int) -> str:
    title = grid.title if parts == 1 else f"{grid.title} ({part} of {parts})"
    note = [f"\\par\\smallskip\\parbox{{\\linewidth}}{{\\footnotesize {tex(grid.note)}}}"] if part == parts else []
    return "\n".join([
        "\\begin{table*}", f"\\centering{_size(grid)}", f"\\caption{{{tex(title)}}}",
        f"\\begin{{tabular}}{{l{'r' * (len(grid.head) - 1)}}}", "\\toprule",
        " & ".join(stacked(cell, "r" if k else "l") for k, cell in enumerate(grid.head)) + " \\\\", "\\midrule",
        *(" & ".join(tex(cell) for cell in row) + " \\\\" for row in rows),
        "\\bottomrule", "\\end{tabular}", *note, "\\end{table*}", "",
    ])


def _lines(head: str) -> list[str]:
    """A head broken at spaces, so that it hardly widens its column."""
    lines: list[str] = []
    for word in flat(head).split(" "):
        if lines and len(lines[-1]) + 1 + len(word) <= HEAD_WIDTH:
            lines[-1] += f" {word}"
        else:
            lines.append(word)
    return lines


def stacked(head: str, side: str) -> str:
    """LaTeX for a column's head, broken at spaces and set on the `side` ``"l"`` or ``"r"``."""
    lines = _lines(head)
    if len(lines) == 1:
        return tex(head)
    return f"\\shortstack[{side}]{{" + " \\\\ ".join(tex(line) for line in lines) + "}"


_TEX = {"\\": "\\textbackslash{}", "{": "\\{", "}": "\\}", "$": "\\$", "&": "\\&", "#": "\\#", "%": "\\%", "_": "\\_",
        "~": "\\textasciitilde{}", "^": "\\textasciicircum{}", "<": "\\textless{}", ">": "\\textgreater{}",
        "|": "\\textbar{}", "`": "\\textasciigrave{}", "'": "\\textquotesingle{}", '"': "{\\char34}",
        "[": "{[}", "]": "{]}", "*": "{*}",  # after \\ they would be read as its argument
        "–": "--", "−": "$-$", "±": "$\\pm$", "×": "$\\times$", "\0": "{}", FIGURE_SPACE: "\\phantom{0}"}  # fmt: skip


def tex(text: str) -> str:
    """LaTeX that shows `text` literally, on one line."""
    apart = re.sub(r"-(?=-)", "-\0", flat(text))  # two hyphens would become a dash
    return "".join(_TEX.get(c, c) for c in apart)


_MD = re.compile(r"([\\|`*_\[\]~#$])")


def markdown_text(text: str) -> str:
    """Markdown that shows `text` literally, on one line."""
    escaped = _MD.sub(r"\\\1", flat(text).replace("&", "&amp;"))
    return escaped.replace("<", "&lt;").replace(">", "&gt;")


def flat(text: str) -> str:
    """`text` on one line, control characters replaced; blanks as wide as a digit stay."""
    line = re.sub(rf"[^\S{FIGURE_SPACE}]+", " ", text).strip(" ")
    return "".join(c if c.isprintable() or c == FIGURE_SPACE else "\ufffd" for c in line)
