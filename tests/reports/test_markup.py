"""Tables as Markdown and LaTeX: whatever a text holds, it is printed as text."""

from __future__ import annotations

import re
from pathlib import Path

from benchbox_reports.markup import Grid, latex, markdown
from encoded_crops import Rows, make, results_of
from hypothesis import given
from hypothesis import strategies as st
from typeset import complaints, needs_latex

HOSTILE = r"""[5cm] \input{/etc/passwd} --a_b $x^2$ 100% #1 & ~"'` <b>| *"""


def test_tables_in_markdown_and_latex(crop_rows: Rows, tmp_path: Path) -> None:
    odd = [{**row, "label": "we|bp_50% <b>"} if row["label"] == "webp" else row for row in crop_rows]
    make("tables", results_of(odd), tmp_path)
    markdown = (tmp_path / "tables/bd.md").read_text(encoding="utf-8")
    lines = [line for line in markdown.splitlines() if line.startswith("|")]
    assert len({len(re.findall(r"(?<!\\)\|", line)) for line in lines}) == 1
    assert "we\\|bp\\_50% &lt;b&gt;" in markdown
    assert markdown.count("Anchor jpeg; negative is fewer bits") == 2
    latex = (tmp_path / "tables/bd.tex").read_text(encoding="utf-8")
    assert "we\\textbar{}bp\\_50\\% \\textless{}b\\textgreater{}" in latex
    assert latex.count("\\toprule") == latex.count("\\bottomrule") == 2
    assert all(line.count("&") - line.count("\\&") == 8 for line in latex.splitlines() if line.endswith("\\\\"))


def read_tex(text: str) -> list[str]:
    """Tokens of LaTeX text; fails on what does not nest or would not be text."""
    tokens = re.findall(r"\\[a-zA-Z]+\*?|\\.|.", re.sub(r"(?m)(?<!\\)%.*$", "", text), re.DOTALL)
    open_: list[str] = []
    environments: list[str] = []
    for k, token in enumerate(tokens):
        if token == "{":
            open_.append(token)
        elif token == "}":
            assert open_.pop() == "{"
        elif token == "$":
            open_.pop() if open_[-1:] == ["$"] else open_.append("$")
        elif token in ("\\begin", "\\end"):
            name = "".join(tokens[k + 2:tokens.index("}", k)])
            if token == "\\begin":
                environments.append(name)
            else:
                assert environments.pop() == name
        assert token not in ("#", "~", "^", "_", '"', "`")
        if token == "\\\\":
            assert re.match(r"\s*[^\s\[*]", "".join(tokens[k + 1:]))
    assert open_ == []
    assert environments == []
    return tokens


COMMANDS = {
    "begin", "end", "centering", "footnotesize", "caption", "toprule", "midrule", "bottomrule", "par", "smallskip",
    "parbox", "linewidth", "pm", "times", "char", "textbackslash", "textasciitilde", "textasciicircum", "textless",
    "textgreater", "textbar", "textasciigrave", "textquotesingle", "setlength", "tabcolsep",
    "shortstack", "scriptsize", "tiny",
}


@given(st.lists(st.text(max_size=12), min_size=4, max_size=4))
def test_latex_of_any_text_is_text(texts: list[str]) -> None:
    grid = Grid(texts[0], ("a", "b"), [(texts[1], texts[2]), (HOSTILE, "1.0 ± 0.2"), (HOSTILE, "−3")], texts[3])
    text = latex([grid])
    tokens = read_tex(text)
    commands = {token[1:].rstrip("*") for token in tokens if re.fullmatch(r"\\[a-zA-Z]+\*?", token)}
    assert commands <= COMMANDS, commands - COMMANDS
    body = text[text.index("\\midrule"):text.index("\\bottomrule")]
    assert len(re.findall(r"(?<!\\)&", body)) == body.count(" \\\\\n") == 3
    assert "--a" not in text


@needs_latex
def test_latex_sets_any_name_on_a_page(tmp_path: Path) -> None:
    """Hostile names, a table longer than a page, and tables of every width."""
    rows = [(f"{HOSTILE} {k}", "1.0 ± 0.2", "−3") for k in range(120)]
    long = Grid(HOSTILE, ("Codec", "BD-rate, mean curves (%)", "x"), rows, HOSTILE)
    wide = [Grid(f"{width}", ("Codec", *("Encode, wall (s)",) * 9), [("jpeg", *("0" * width,) * 9)], "")
            for width in range(6, 14)]
    file = tmp_path / "tables.tex"
    file.write_text(latex([long, *wide]), encoding="utf-8")
    assert complaints([file], tmp_path) == []


@given(st.text(max_size=20), st.text(max_size=20))
def test_markdown_of_any_text_is_one_cell(one: str, two: str) -> None:
    text = markdown([Grid(one, ("a", "b"), [(one, two), (HOSTILE, two)], two)])
    lines = [line for line in text.splitlines() if line.startswith("|")]
    assert len(lines) == 4
    assert {len(re.findall(r"(?<!\\)(?:\\\\)*\|", line)) for line in lines} == {3}
    assert "<" not in text
