"""``benchbox dataset describe`` prints the manifest of a folder of pictures."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from benchbox_datasets import manifest
from benchbox_datasets.describe import describe
from dataset_server import png, sha
from hypothesis import given
from hypothesis import strategies as st

NEW = ["benchbox", "dataset", "describe"]
OLD = ["benchbox_datasets"]


def run(command: list[str], *arguments: str) -> tuple[int, bytes, str]:
    """(exit code, standard output, standard error)"""
    done = subprocess.run([sys.executable, "-m", *command, *arguments], capture_output=True, check=False)
    return done.returncode, done.stdout, done.stderr.decode()


def test_a_folder_is_described(tmp_path: Path) -> None:
    folder = tmp_path / "My Cat's pictures"
    folder.mkdir()
    (folder / "b 'é\".png").write_bytes(png(1))
    code, out, err = run(NEW, str(folder))
    assert (code, err) == (0, "")
    table = tomllib.loads(out.decode())
    assert (table["id"], table["title"], table["count"]) == ("my-cat-s-pictures", "My Cat's pictures", 1)
    (entry,) = table["files"]
    assert (entry["file"], entry["bytes"], entry["sha256"]) == ("b 'é\".png", len(png(1)), sha(png(1)))


def test_the_former_name_prints_the_same_and_says_so(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(png(1))
    code, out, err = run(OLD, str(tmp_path))
    assert (code, out) == (0, run(NEW, str(tmp_path))[1])
    assert err == "python -m benchbox_datasets will go with the next release: use `benchbox dataset describe`\n"


@pytest.mark.parametrize(("command", "hints"), [(NEW, 0), (OLD, 1)])
def test_a_mistake_says_what_to_do(command: list[str], hints: int, tmp_path: Path) -> None:
    assert run(command)[0] == 2
    code, out, text = run(command, str(tmp_path))
    assert (code, out) == (1, b"")
    assert "holds no pictures to describe: name a folder that does" in text
    (tmp_path / "two\nlines.png").write_bytes(png(1))
    code, out, text = run(command, str(tmp_path))
    assert (code, out) == (1, b"")
    assert text.count("\n") == 1 + hints
    assert "rename the file" in text


NAMES = st.text(min_size=1, max_size=30).filter(lambda name: "/" not in name and name[0] != "." and "\0" not in name)


@given(names=st.lists(NAMES.filter(lambda name: manifest.unsafe_name(name) is None), unique=True, min_size=1,
                      max_size=5), title=NAMES)  # fmt: skip
def test_any_name_comes_back_from_the_manifest(
    names: list[str], title: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    folder = tmp_path_factory.mktemp("described") / title
    folder.mkdir()
    for name in names:
        (folder / f"{name}.png").write_bytes(b"no picture")
    found = manifest.parse(describe(folder).encode(), "x")
    assert found.title == title
    assert {entry.file for entry in found.files} == {f"{name}.png" for name in names}
