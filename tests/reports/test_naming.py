"""Data sets under names fit to publish: no file of a report holds a path of this machine."""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from benchbox.naming import public
from benchbox.report import Results


def test_no_file_names_a_folder_of_this_machine(results: Results, report: Path) -> None:
    private = results.frame["dataset"].iloc[0].partition(":")[2]
    assert private.startswith("/")
    texts = {file: file.read_text(encoding="utf-8") for file in report.rglob("*")
             if file.suffix in (".html", ".csv", ".md", ".tex", ".svg")}  # fmt: skip
    assert len(texts) > 10
    assert [file for file, text in texts.items() if private in text] == []
    assert "folder:pictures" in texts[report / "index.html"]


def test_two_folders_of_one_name_stay_two() -> None:
    frame = pd.DataFrame({"dataset": pd.Categorical(["folder:/a/x", "folder:/b/x", "kodak"]),
                          "reason": pd.array(["", "/b/x/1.png: broken", ""], dtype="string")})
    named = public(Results("run", frame, (), 'dataset = ["folder:/a/x", "folder:/b/x"]', {},
                           {"folder:/b/x": ["folder /b/x", "Source: /b/x", "of my cat"],
                            "kodak": ["Kodak", "Source: https://a.b/c", "Source: https://a.b/c", "Kodak"]}))
    assert list(named.frame["dataset"]) == ["folder:x", "folder:x (2)", "kodak"]
    assert named.frame["reason"].iloc[1] == "x (2)/1.png: broken"
    assert named.plan == 'dataset = ["folder:x", "folder:x (2)"]'
    assert named.dataset_notes == {"folder:x (2)": ("of my cat",), "kodak": ("Kodak", "Source: https://a.b/c")}  # once
    assert public(named).dataset_notes == named.dataset_notes
