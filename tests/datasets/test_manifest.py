"""Manifests: the form is checked, and ``manifest:PATH`` opens one of the user's own."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any

import pytest
from benchbox_datasets import manifest
from benchbox_datasets.describe import describe
from benchbox_datasets.info import OwnManifestInfo
from benchbox_datasets.manifest import Manifest
from dataset_server import one_line, png
from hypothesis import given
from hypothesis import strategies as st

from benchbox import image
from benchbox.errors import BenchboxError, ChecksumError, DatasetError, ImageError

GOOD = {"id": "mine", "title": "Mine", "files": [{"file": "a.png", "sha256": "0" * 64}]}


@pytest.mark.parametrize(
    ("change", "problem"),
    [
        ({"titel": "x"}, "unknown key titel; did you mean 'title'"),
        ({"files": [{"file": "a.png", "sha265": "0" * 64}]}, r"unknown key files\[0\].sha265; did you mean 'sha256'"),
        ({"files": [{"file": "a.png", "sha256": "0" * 63}]}, r"files\[0\].sha256: must be a SHA-256 sum, 64"),
        ({"files": [{"file": "a.png", "sha256": "A" * 64}]}, "lower-case"),
        ({"files": [{"file": "../a.png"}]}, r"files\[0\].file: '../a.png' leads out of the folder"),
        ({"files": [{"file": "/a.png"}]}, "is an absolute path"),
        ({"files": [{"file": "a.png"}, {"file": "a.png"}]}, "'a.png' is listed twice"),
        ({"files": [{"file": "a.png", "bytes": "12"}]}, r"files\[0\].bytes: must be a whole number, got '12'"),
        ({"files": [{"file": "a.png", "bytes": True}]}, r"files\[0\].bytes"),
        ({"files": [{"file": "a.png", "bytes": -1}]}, r"files\[0\].bytes"),
        ({"count": 2}, "count is 2, but 1 files are listed"),
        ({"id": "Bad Id"}, "id: "),
        ({"id": "../x"}, "id: "),
        ({"files": []}, "it names no files"),
        ({"select": "*.png"}, "select is for sets whose files are not listed"),
        ({"source": {"urls": ["http://example.org/a.png"]}}, "write {file} in it"),
        ({"source": {"urls": []}}, "source.urls"),
        ({"source": {"urls": ["file:///etc/{file}"]}}, "not an http or https address"),
        ({"source": {"urls": ["https://example.org/{file}"]}, "archive": {"urls": ["https://a.b/c"]}}, "keep the one"),
        ({"homepage": "javascript:alert(1)"}, "not an http or https address"),
        ({"title": ""}, "title: "),
    ],
)
def test_a_bad_manifest_names_place_key_and_problem(change: dict[str, Any], problem: str) -> None:
    with pytest.raises(DatasetError, match=problem) as caught:
        manifest.validate(Manifest, GOOD | change, "mine.toml")
    assert one_line(caught.value).startswith("mine.toml: ")


@pytest.mark.parametrize(
    "text",
    [
        b"", b"id =", b"\xff\xfe", b"a = [" * 5000, b"a = " + b"9" * 10_000, b"= 1", b"id = 1\nid = 2", b"\0",
        b"[files]\nfile = 1", b"a = 1979-05-27T07:32:00Z", b"id = 'x'\ntitle = 'y'\nselect = 'a/b'",
        b'id = "x\\u0000"', b"x" * (33 << 20),
    ],
)  # fmt: skip
def test_bad_toml_is_one_line(text: bytes) -> None:
    with pytest.raises(DatasetError) as caught:
        manifest.parse(text, "mine.toml")
    assert one_line(caught.value).startswith("mine.toml: ")
    assert len(str(caught.value)) < 500


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "replace")))
def test_any_bytes_give_a_manifest_or_one_line(text: bytes) -> None:
    try:
        manifest.parse(text, "mine.toml")
    except DatasetError as error:
        one_line(error)


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["0" * 64, "a"]),
    lambda inner: st.lists(inner, max_size=3)
    | st.dictionaries(st.sampled_from(["file", "bytes", "sha256", "urls", "note", "x"]), inner, max_size=4),
    max_leaves=8,
)


@given(st.dictionaries(st.sampled_from([*Manifest.model_fields, "idd", "\n"]), VALUES), st.booleans())
def test_any_table_gives_a_manifest_or_one_line(table: dict[str, Any], based: bool) -> None:
    try:
        found = manifest.validate(Manifest, (GOOD | table) if based else table, "mine.toml")
    except DatasetError as error:
        one_line(error)
    else:
        assert not any(manifest.unsafe_name(entry.file) for entry in found.files)


@given(st.text(max_size=12) | st.from_regex(r"[a.\\/:~]{0,8}", fullmatch=True))
def test_a_name_that_passes_stays_below_its_folder(name: str) -> None:
    if manifest.unsafe_name(name) is None:
        root = "/base/folder"
        assert os.path.normpath(os.path.join(root, name)).startswith(root + "/")


def own(folder: Path) -> str:
    (folder / "sub").mkdir()
    (folder / "b 'é\".png").write_bytes(png(1))
    (folder / "sub" / "a.png").write_bytes(png(2))
    (folder / "broken.jpg").write_text("no picture")
    (folder / "notes.txt").write_text("x")
    text = describe(folder)
    (folder / "manifest.toml").write_text(text, encoding="utf-8")
    return text


def test_a_manifest_of_ones_own(tmp_path: Path) -> None:
    table = tomllib.loads(own(tmp_path))
    assert [entry["file"] for entry in table["files"]] == ["b 'é\".png", "broken.jpg", "sub/a.png"]
    data = OwnManifestInfo().open(str(tmp_path / "manifest.toml"))
    assert data.id == f"manifest:{tmp_path / 'manifest.toml'}"
    assert [sample.id for sample in data.samples] == ["b 'é\".png", "broken.jpg", "sub/a.png"]
    first, broken, last = data.samples
    assert first.sha256() == image.digest(first.load())
    assert last.load().shape == (9, 17, 3)
    assert broken.sha256() is None
    with pytest.raises(ImageError):
        broken.load()
    assert any("cannot be decoded" in note for note in data.notes)


def test_own_files_that_are_not_as_the_manifest_says(tmp_path: Path) -> None:
    own(tmp_path)
    path = tmp_path / "manifest.toml"
    path.write_text("\n".join(line for line in path.read_text().splitlines() if not line.startswith("pixels_")))
    data = OwnManifestInfo().open(str(path))
    (tmp_path / "sub" / "a.png").write_bytes(png(2)[:-1] + b"x")
    with pytest.raises(ChecksumError, match=r"a\.png: SHA-256 is .*, expected .*; replace the file"):
        data.samples[2].load()
    (tmp_path / "sub" / "a.png").unlink()
    with pytest.raises(BenchboxError, match=r"a\.png"):
        data.samples[2].load()
    with pytest.raises(DatasetError, match=r"sub/a\.png is missing") as caught:
        OwnManifestInfo().open(str(path))
    one_line(caught.value)


def test_own_manifests_that_will_not_do(tmp_path: Path) -> None:
    (tmp_path / "select.toml").write_text("id='x'\ntitle='x'\nselect='*.png'\n")
    for name in ("gone.toml", ".", "select.toml", "nul\0"):
        with pytest.raises(DatasetError) as caught:
            OwnManifestInfo().open(str(tmp_path / name))
        assert "manifest" in str(caught.value)
