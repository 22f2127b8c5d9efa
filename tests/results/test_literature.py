"""``--literature`` takes ids of curves, and files of curves, which the plugin for their format reads."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Collection
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

import pytest
from stored import stored_results, write_reports
from trading import make

import benchbox
from benchbox import registry
from benchbox.errors import PluginError, UnknownIdError, UsageError
from benchbox.reference import Reference, ReferenceFormat
from benchbox.registry import Registry
from benchbox.report import Results
from benchbox.results.literature import find_references

VTM = {"name": "VTM", "bpp": [0.2, 0.5], "psnr": [30.0, 33.0]}


@dataclass(frozen=True)
class FirstWord(ReferenceFormat):
    """Reads files that begin with a word of its own."""

    word: str = ""

    def read(self, path: Path, datasets: Collection[str]) -> Reference:
        if not path.read_text().startswith(self.word):
            raise UsageError(f"{path}: does not begin with {self.word}")
        return Reference(self.word, self.word, min(datasets), "none", "nobody", (1.0,), {"psnr": (30.0,)})


def with_formats(*formats: ReferenceFormat) -> Registry:
    module = ModuleType("formats")
    module.__dict__["benchbox_references"] = benchbox.hookimpl(lambda: list(formats))
    return registry.load([module])


def test_literature_takes_files_beside_ids(trade: Path, traded: Results, tmp_path: Path) -> None:
    known = registry.load()
    file = make("compressai", traded, tmp_path)[0]
    both = stored_results("trade", trade, known, [str(file), str(file)])
    assert [curve.id for curve in both.references] == ["jpeg", "jpeg-2"]
    assert not stored_results("trade", trade, known).references
    with pytest.raises(UnknownIdError, match="no published curve"):
        stored_results("trade", trade, known, ["vtm", str(file)])  # Kodak's, not on these pictures
    pages = write_reports(stored_results("trade", trade, known, [str(file)]), known, ["page"], tmp_path / "page")
    assert "jpeg (jpeg.json)" in pages[0].read_text("utf-8")


def test_an_id_that_is_taken_gets_a_number(tmp_path: Path) -> None:
    files = [str(tmp_path / name) for name in ("one.json", "TWO.JSON")]
    for file in files:
        Path(file).write_text(json.dumps(VTM))
    found = find_references([files[0], "vtm", files[1]], ["kodak"], registry.load())
    assert [curve.id for curve in found] == ["vtm", "vtm-2", "vtm-3"]
    assert [curve.title for curve in found[1:]] == ["VTM (one.json)", "VTM (TWO.JSON)"]


def test_an_unknown_id_gets_the_nearest_as_a_hint() -> None:
    with pytest.raises(UnknownIdError, match=r"no published curve on kodak is called 'vtn'; did you mean 'vtm'\?"):
        find_references(["vtn"], ["kodak"], registry.load())


def test_the_first_format_that_takes_a_file_reads_it(tmp_path: Path) -> None:
    known = with_formats(FirstWord("a", "A", (".txt",), "alpha"), FirstWord("b", "B", (".csv", ".txt"), "beta"))
    for word in ("alpha", "beta", "gamma"):
        (tmp_path / f"{word}.txt").write_text(f"{word} 1 2 3")
    names = [str(tmp_path / f"{word}.txt") for word in ("beta", "alpha")]
    assert [curve.id for curve in find_references(names, ["kodak"], known)] == ["beta", "alpha"]
    with pytest.raises(UsageError) as caught:
        find_references([str(tmp_path / "gamma.txt")], ["kodak"], known)
    path = tmp_path / "gamma.txt"
    assert str(caught.value) == f"{path}: does not begin with alpha; {path}: does not begin with beta"


@pytest.mark.parametrize("name", ["curve.json", "curves.csv"])
def test_a_file_of_any_size_is_refused_before_it_is_read(name: str, tmp_path: Path) -> None:
    (tmp_path / name).touch()
    os.truncate(tmp_path / name, 1 << 40)
    with pytest.raises(UsageError, match=rf"{name}: has more than 65536 KiB, too many for a .*; give the path of one"):
        find_references([str(tmp_path / name)], ["kodak"], registry.load())


def test_two_formats_of_one_id_are_refused() -> None:
    known = with_formats(FirstWord("compressai", "Another", (".json",)))
    with pytest.raises(PluginError, match="two formats of curve files are called 'compressai'"):
        known.reference_formats()


def test_the_list_of_curves_names_the_files_too() -> None:
    done = subprocess.run([sys.executable, "-m", "benchbox", "list", "references"], capture_output=True, text=True,
                          check=True)  # fmt: skip
    assert done.stdout.splitlines()[-1] == "files .json: CompressAI's results JSON"
