"""``folder:PATH``: which files are samples, and the ids that they get."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from pathlib import Path

import pytest
from benchbox_datasets.folder import FolderInfo, readable
from dataset_server import one_line, png
from hypothesis import given
from hypothesis import strategies as st

from benchbox import Dataset, FileSample
from benchbox.errors import DatasetError, ImageError


def opened(folder: Path) -> Dataset:
    return FolderInfo().open(str(folder))


def ids(folder: Path) -> list[str]:
    return [sample.id for sample in opened(folder).samples]


def test_a_folder_is_listed_recursively_sorted_hidden_passed_over(tmp_path: Path) -> None:
    names = ["b.png", "a/z.JPG", "a/b/c.webp", ".hidden.png", ".git/x.png", "notes.txt", "Z.tif", "a b/ü 'q\" é.png"]
    for name in names:
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / name).write_bytes(png(1))
    assert ids(tmp_path) == ["Z.tif", "a b/ü 'q\" é.png", "a/b/c.webp", "a/z.JPG", "b.png"]
    for sample in opened(tmp_path).samples:
        assert sample.load().shape == (9, 17, 3)
        assert sample.sha256() is None


def test_odd_bytes_in_names_give_printable_ids(tmp_path: Path) -> None:
    for name in (b"caf\xe9.png", b"two\nlines.png", b"tab\t.png", b"-rf.png", b"%s{}.png", "日本.png".encode()):
        with suppress(OSError), open(os.fsencode(tmp_path) + b"/" + name, "wb") as file:  # some take UTF-8 names only
            file.write(png(2))
    found = opened(tmp_path).samples
    assert len(found) >= 5
    for sample in found:
        assert sample.id.isprintable()
        sample.id.encode()
        assert sample.load().shape == (9, 17, 3)
        str(sample.stamp()).encode()
    assert "two\\nlines.png" in ids(tmp_path)
    for sample in found:
        assert isinstance(sample, FileSample)
        sample.path.write_bytes(b"no picture")
        with pytest.raises(ImageError) as caught:
            sample.load()
        str(caught.value).encode()


@given(st.text(alphabet=st.characters(), max_size=20))
def test_readable_is_printable_and_leaves_printable_text_alone(text: str) -> None:
    line = readable(text)
    assert line.isprintable()
    line.encode()
    if text.isprintable():
        assert line == text


def test_links_make_no_loops_and_no_doubles(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "real" / "one.png").write_bytes(png(1))
    (tmp_path / "outside").mkdir()
    root = tmp_path / "set"
    root.mkdir()
    (root / "deep").mkdir()
    (root / "deep" / "two.png").write_bytes(png(2))
    (root / "deep" / "up").symlink_to(root)
    (root / "deep" / "self").symlink_to(root / "deep" / "self")
    (root / "again").symlink_to(root / "deep")
    (root / "zz").symlink_to(root / "deep")
    (root / "linked").symlink_to(tmp_path / "real")
    (root / "link.png").symlink_to(tmp_path / "real" / "one.png")
    (root / "broken.png").symlink_to(tmp_path / "gone.png")
    assert ids(root) == ["deep/two.png", "link.png", "linked/one.png"]
    assert any("broken.png" in note for note in opened(root).notes)
    (tmp_path / "way in").symlink_to(root)
    assert len(ids(tmp_path / "way in")) == 3


def test_a_pipe_is_not_waited_on(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.png")
    (tmp_path / "a.png").write_bytes(png(1))
    assert ids(tmp_path) == ["a.png"]
    assert any("pipe.png" in note for note in opened(tmp_path).notes)


def test_undecodable_pictures_are_samples_that_fail_when_loaded(odd: Path) -> None:
    samples = {sample.id: sample for sample in opened(odd).samples}
    assert {"empty.png", "text_named.png", "trunc50.png", "cmyk.jpg", "pngsuite/pngsuite__basn2c08.png"} <= set(samples)
    for name in ("empty.png", "text_named.png", "trunc_header20.jpg"):
        with pytest.raises(ImageError, match=name):
            samples[name].load()


@pytest.mark.parametrize("name", ["gone", "file.png", "empty", "nul\0", "~nobody-of-that-name/x", "", "a" * 5000])
def test_a_folder_that_will_not_do_says_what_to_do(tmp_path: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "empty").mkdir()
    (tmp_path / "empty" / "notes.txt").write_text("no picture")
    (tmp_path / "file.png").write_bytes(png(1))
    monkeypatch.chdir(tmp_path / "empty")
    with pytest.raises(DatasetError) as caught:
        FolderInfo().open(name if name[:1] in ("~", "") else str(tmp_path / name))
    assert re.search(r"name another folder|write folder:|put some there", one_line(caught.value))


def test_folder_ids_do_not_depend_on_how_the_folder_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "a").mkdir()
    (tmp_path / "a" / "x.png").write_bytes(png(1))
    monkeypatch.chdir(tmp_path)
    for argument in ("a", "./a/", "a/../a", str(tmp_path / "a")):
        data = FolderInfo().open(argument)
        assert [sample.id for sample in data.samples] == ["x.png"]
        assert data.id == f"folder:{argument}"
        first = data.samples[0]
        assert isinstance(first, FileSample)
        assert first.path.is_absolute()
