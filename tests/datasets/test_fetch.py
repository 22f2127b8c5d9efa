"""Fetching whole data sets: from a server, from archives and folders on disk, after a kill, without write access."""

from __future__ import annotations

import json
import os
import re
import shutil
import stat
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from urllib.parse import quote

import pytest
from benchbox_datasets import manifest, storage
from benchbox_datasets.fetch import fetch
from benchbox_datasets.info import ManifestInfo
from dataset_server import (
    QUICK,
    Page,
    Site,
    infos,
    leftovers,
    listed,
    one_line,
    packed,
    png,
    quiet,
    sha,
    tarred,
    zipped,
)

from benchbox.errors import ChecksumError, DatasetError

FEW = {"a.png": png(1), "sub folder/b é.png": png(2), "c.png": png(3)}


def test_files_come_one_by_one_and_only_what_is_lacking(site: Site, tmp_path: Path) -> None:
    few = listed(site, FEW)
    for name in FEW:
        site.pages[f"/{quote(name)}"] = Page(FEW[name])
    folder = tmp_path / "few"
    paths = fetch(few, folder, None, quiet, QUICK)
    assert [path.relative_to(folder).as_posix() for path in paths] == list(FEW)
    assert [path.read_bytes() for path in paths] == list(FEW.values())
    assert not (folder / storage.LOCK_NAME).exists()
    site.asked.clear()
    assert fetch(few, folder, None, quiet, QUICK) == paths
    assert site.asked == []
    (folder / "c.png").write_bytes(b"hurt")
    fetch(few, folder, None, quiet, QUICK)
    assert [path for path, _ in site.asked] == ["/c.png"]


def test_a_missing_page_names_the_address_and_the_way_out(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)}, homepage="https://example.org/few")
    del site.pages["/b.png"]
    with pytest.raises(DatasetError) as caught:
        fetch(few, tmp_path / "few", None, quiet, QUICK)
    text = one_line(caught.value)
    assert "/b.png" in text
    assert "404" in text
    assert "https://example.org/few" in text
    assert "benchbox fetch few --from DIR" in text
    assert (tmp_path / "few" / "a.png").exists()


@pytest.mark.parametrize("pack", [zipped, tarred, partial(tarred, mode="w:xz"), partial(tarred, mode="w")])
def test_an_archive_whose_sums_nobody_knows_is_recorded_and_checked_later(
    site: Site, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, pack: Callable[[dict[str, bytes]], bytes]
) -> None:
    files = {"set/valid/b.png": png(1), "set/valid/a.png": png(2), "set/readme.txt": b"no picture",
             "__MACOSX/set/valid/._a.png": b"fork", "__MACOSX/set/valid/x.png": b"fork"}  # fmt: skip
    found = packed(site, pack(files), count=2)
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path))
    info = ManifestInfo(id="packed", title="packed", manifest=found)
    assert "benchbox fetch packed" in str(info.missing())
    paths = fetch(found, info.folder(), None, quiet, QUICK)
    assert [path.name for path in paths] == ["a.png", "b.png"]
    assert leftovers(info.folder()) == ["a.png", "b.png", storage.LOCK_NAME]
    lock = json.loads((info.folder() / storage.LOCK_NAME).read_text())
    assert lock["archive"]["sha256"] == sha(site.pages["/set.zip"].data)
    assert [entry["sha256"] for entry in lock["files"]] == [sha(png(2)), sha(png(1))]
    assert info.missing() is None
    assert [sample.id for sample in info.open("").samples] == ["a.png", "b.png"]
    site.asked.clear()
    fetch(found, info.folder(), None, quiet, QUICK)
    assert site.asked == []

    (info.folder() / "a.png").unlink()
    assert "a.png is missing" in str(info.missing())
    files["set/valid/a.png"] = png(9)
    good = site.pages["/set.zip"]
    site.pages["/set.zip"] = Page(pack(files))
    with pytest.raises(ChecksumError, match=storage.LOCK_NAME) as caught:
        fetch(found, info.folder(), None, quiet, QUICK)
    assert sha(good.data) in str(caught.value) or str(len(good.data)) in str(caught.value)
    site.pages["/set.zip"] = good
    fetch(found, info.folder(), None, quiet, QUICK)
    assert info.missing() is None


def test_listed_files_without_sums_are_recorded_and_checked_later(site: Site, tmp_path: Path) -> None:
    known = listed(site, {"a.png": png(1), "b.png": png(2)})
    bare = known.model_copy(update={"files": tuple(manifest.FileEntry(file=e.file) for e in known.files)})
    paths = fetch(bare, tmp_path, None, quiet, QUICK)
    lock = storage.read_lock(tmp_path)
    assert lock is not None
    assert {entry.file: entry.sha256 for entry in lock.files} == {"a.png": sha(png(1)), "b.png": sha(png(2))}
    site.asked.clear()
    assert fetch(bare, tmp_path, None, quiet, QUICK) == paths
    assert site.asked == []
    paths[1].unlink()
    site.pages["/b.png"] = Page(png(7))
    with pytest.raises(ChecksumError, match=rf"b\.png: .*remove .*{storage.LOCK_NAME}"):
        fetch(bare, tmp_path, None, quiet, QUICK)
    site.pages["/b.png"] = Page(png(2))
    assert fetch(bare, tmp_path, None, quiet, QUICK) == paths


def test_an_archive_with_another_count_is_not_recorded(site: Site, tmp_path: Path) -> None:
    found = packed(site, zipped({"a.png": png(1)}), count=2)
    with pytest.raises(DatasetError, match=r"holds 1 files.*has 2"):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []


def test_an_archive_with_a_known_sum_is_checked_before_it_is_unpacked(site: Site, tmp_path: Path) -> None:
    data = zipped({"a.png": png(1)})
    urls = [f"{site.address}/set.zip"]
    found = packed(site, zipped({"a.png": png(2)}), archive={"urls": urls, "sha256": sha(data)})
    with pytest.raises(ChecksumError):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []
    site.pages["/set.zip"] = Page(data)
    assert fetch(found, tmp_path, None, quiet, QUICK)[0].read_bytes() == png(1)


def test_what_is_no_archive_is_said_and_not_kept(site: Site, tmp_path: Path) -> None:
    found = packed(site, b"Please log in")
    with pytest.raises(DatasetError, match="neither a zip nor a tar"):
        fetch(found, tmp_path, None, quiet, QUICK)
    assert leftovers(tmp_path) == []


def test_a_folder_on_disk_without_known_sums(site: Site, home: Path, tmp_path: Path) -> None:
    found = packed(site, b"", count=2)
    mine = tmp_path / "mine"
    (mine / "x").mkdir(parents=True)
    (mine / "x" / "b.png").write_bytes(png(1))
    with pytest.raises(DatasetError, match=re.escape(r"holds 1 files called *.png, but packed has 2")):
        fetch(found, home / "packed", mine, quiet, QUICK)
    (mine / "a.png").write_bytes(png(2))
    (mine / ".hidden.png").write_bytes(png(3))
    (mine / "notes.txt").write_text("x")
    fetch(found, home / "packed", mine, quiet, QUICK)
    data = ManifestInfo(id="packed", title="packed", manifest=found).open("")
    assert [sample.id for sample in data.samples] == ["a.png", "b.png"]
    assert any("sums were recorded" in note for note in data.notes)
    (home / "packed" / "a.png").write_bytes(png(4))
    with pytest.raises(ChecksumError):
        data.samples[0].load()
    assert site.asked == []
    (mine / "x" / "a.png").write_bytes(png(5))
    with pytest.raises(DatasetError, match="have the same name and differ"):
        fetch(found, home / "other", mine, quiet, QUICK)


@pytest.mark.parametrize("inside", [False, True])
def test_an_archive_on_disk(site: Site, tmp_path: Path, inside: bool) -> None:
    data = zipped({"deep/a.png": png(1), "deep/b.png": png(2)})
    urls = [f"{site.address}/set.zip"]
    found = packed(site, b"", count=2, archive={"urls": urls, "sha256": sha(data)})
    mine = tmp_path / "mine"
    mine.mkdir()
    (mine / "set.zip").write_bytes(data)
    given_path = mine if inside else mine / "set.zip"
    paths = fetch(found, tmp_path / "to", given_path, quiet, QUICK)
    assert [path.read_bytes() for path in paths] == [png(1), png(2)]
    assert (mine / "set.zip").read_bytes() == data
    (mine / "set.zip").write_bytes(zipped({"deep/a.png": png(1), "deep/b.png": png(3)}))
    with pytest.raises(ChecksumError, match="expected"):
        fetch(found, tmp_path / "to2", given_path, quiet, QUICK)


def test_listed_files_out_of_any_archive(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)})
    path = tmp_path / "whatever.tar.gz"
    path.write_bytes(tarred({"./x/a.png": png(1), "./x/b.png": png(2), "./x/c.png": png(3)}))
    assert [p.name for p in fetch(few, tmp_path / "few", path, quiet, QUICK)] == ["a.png", "b.png"]
    assert leftovers(tmp_path / "few") == ["a.png", "b.png"]
    assert site.asked == []


def test_a_source_that_will_not_do(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1), "b.png": png(2)})
    (tmp_path / "text").write_text("no archive")
    (tmp_path / "empty").mkdir()
    for name, problem in (("gone", "does not exist"), ("text", "neither a folder nor"), ("empty", "lacks 2 of the 2")):
        with pytest.raises(DatasetError, match=problem) as caught:
            fetch(few, tmp_path / "few", tmp_path / name, quiet, QUICK)
        assert name in one_line(caught.value)
        assert "--from DIR" in str(caught.value)


def test_the_source_is_left_as_it_is(kodak: Path, home: Path, tmp_path: Path) -> None:
    mine = tmp_path / "mine"
    mine.mkdir()
    for n in (1, 2):
        shutil.copy(kodak / f"kodim{n:02d}.png", mine)
    before = {path.name: path.stat().st_mtime_ns for path in mine.iterdir()}
    with pytest.raises(DatasetError, match="lacks 22 of the 24 files of kodak"):
        infos()["kodak"].fetch(mine, quiet)
    assert {path.name: path.stat().st_mtime_ns for path in mine.iterdir()} == before
    assert "(kodim03.png is missing; " in str(infos()["kodak"].missing())


def test_only_one_fetch_at_a_time(site: Site, tmp_path: Path) -> None:
    few = listed(site, {"a.png": png(1)})
    problems: list[DatasetError] = []

    def again(name: str, done: int, total: int) -> None:
        if not problems:
            with pytest.raises(DatasetError, match="another fetch of few is under way") as caught:
                fetch(few, tmp_path, None, quiet, QUICK)
            problems.append(caught.value)

    fetch(few, tmp_path, None, again, QUICK)
    assert len(problems) == 1


def test_what_a_killed_fetch_left_is_cleared(site: Site, tmp_path: Path) -> None:
    (tmp_path / ".unpack-dead").mkdir()
    (tmp_path / ".unpack-dead" / "x.png").write_bytes(b"x")
    fetch(packed(site, zipped({"a.png": png(1)})), tmp_path, None, quiet, QUICK)
    assert set(leftovers(tmp_path)) == {"a.png", storage.LOCK_NAME}


@pytest.mark.parametrize(
    "text", ["", "[]", "{", '{"id": "x"}', '{"id": "x", "origin": "y", "files": [{"file": "../x"}]}', "[" * 100_000]
)
def test_a_damaged_lock_says_what_to_do(site: Site, home: Path, text: str) -> None:
    info = ManifestInfo(id="packed", title="packed", manifest=packed(site, b""))
    info.folder().mkdir(parents=True)
    (info.folder() / storage.LOCK_NAME).write_text(text)
    with pytest.raises(DatasetError, match="remove it and fetch the data set again"):
        info.open("")
    assert storage.LOCK_NAME in str(info.missing())


@pytest.mark.parametrize("place", ["a file/data", "/proc/benchbox", "/dev/null/data"])
def test_a_folder_that_cannot_be_written(
    kodak: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, place: str
) -> None:
    (tmp_path / "a file").write_text("x")
    monkeypatch.setenv("BENCHBOX_DATA", str(tmp_path / place))
    with pytest.raises(DatasetError, match=r"cannot write in .*set BENCHBOX_DATA") as caught:
        infos()["kodak"].fetch(kodak, quiet)
    one_line(caught.value)
    assert "benchbox fetch kodak" in str(infos()["kodak"].missing())


def test_a_read_only_folder(site: Site) -> None:
    few = listed(site, {"a.png": png(1)})
    folder = Path(tempfile.mkdtemp())
    folder.chmod(0o555)
    user = os.geteuid()
    try:
        if user == 0:
            os.seteuid(65534)  # root may write everywhere
        with pytest.raises(DatasetError, match=r"cannot write in .*Permission denied.*set BENCHBOX_DATA") as caught:
            fetch(few, folder, None, quiet, QUICK)
    finally:
        if user == 0:
            os.seteuid(0)
        folder.chmod(stat.S_IRWXU)
        shutil.rmtree(folder)
    one_line(caught.value)


def test_the_data_home(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.delenv("BENCHBOX_DATA", raising=False)
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    assert storage.data_home() == tmp_path / ".cache" / "benchbox" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", "relative")
    assert storage.data_home() == tmp_path / ".cache" / "benchbox" / "datasets"
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "xdg"))
    assert storage.data_home() == tmp_path / "xdg" / "benchbox" / "datasets"
    monkeypatch.setenv("BENCHBOX_DATA", "~/pictures")
    assert storage.data_home() == tmp_path / "pictures"
