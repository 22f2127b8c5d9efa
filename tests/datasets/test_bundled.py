"""The bundled data sets: samples, folders, Kodak, their manifests."""

from __future__ import annotations

import os
import pickle
import re
import shutil
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import benchbox_datasets
import pytest
from benchbox_datasets.folder import FolderInfo, readable
from benchbox_datasets.info import BUNDLED, bundled
from dataset_server import infos, one_line, png, quiet, sha
from hypothesis import given
from hypothesis import strategies as st

from benchbox import Dataset, FileSample, image, registry
from benchbox.errors import ChecksumError, DatasetError, ImageError, UnknownIdError


def test_samples_need_no_network_and_keep_their_promises() -> None:
    data = infos()["samples"].open("")
    assert [sample.id for sample in data.samples] == ["astronaut.png", "chelsea.png", "coffee.png", "rocket.jpg"]
    shapes = [sample.load().shape for sample in data.samples]
    assert shapes == [(512, 512, 3), (300, 451, 3), (400, 600, 3), (427, 640, 3)]
    for sample in data.samples[:3]:
        assert sample.sha256() == image.digest(sample.load())
    assert data.samples[3].sha256() is None  # a JPEG's pixels are the decoder's
    assert any("rocket.jpg" in note and "JPEG" in note for note in data.notes)
    assert any("CC0" in note for note in data.notes)
    assert infos()["samples"].missing() is None


def test_listing_and_opening_load_neither_skimage_nor_a_network_library() -> None:
    heavy = ["skimage", "pooch", "urllib.request", "http.client", "tarfile", "PIL.Image", "imagecodecs"]
    program = (
        "import sys, benchbox_datasets\n"
        "infos = {i.id: i for i in benchbox_datasets.benchbox_datasets()}\n"
        "[i.missing() for i in infos.values()]\n"
        "infos['samples'].open('')\n"
        f"print(sorted(set({heavy}) & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_samples_cannot_be_fetched() -> None:
    with pytest.raises(DatasetError, match="nothing to fetch"):
        infos()["samples"].fetch(None, quiet)


def test_the_registry_finds_all() -> None:
    found = registry.load()
    assert {"samples", "folder", "manifest", *BUNDLED} <= set(found.datasets)
    assert len(found.dataset("samples").samples) == 4
    with pytest.raises(UnknownIdError, match="folder:PATH"):
        found.dataset("folder")


# --- folders ----------------------------------------------------------------------------------------------------------


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
        assert sample.stamp() is not None
        assert pickle.loads(pickle.dumps(sample)).load().shape == (9, 17, 3)


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


# --- Kodak ------------------------------------------------------------------------------------------------------------


def test_kodak_from_disk_pixels_checked(kodak: Path, home: Path) -> None:
    info = infos()["kodak"]
    assert "benchbox fetch kodak --from DIR" in str(info.missing())
    with pytest.raises(DatasetError, match="benchbox fetch kodak"):
        info.open("")
    seen: list[tuple[str, int, int]] = []
    paths = info.fetch(kodak, lambda *step: seen.append(step))
    assert [path.name for path in paths] == [f"kodim{n:02d}.png" for n in range(1, 25)]
    assert {name for name, _, _ in seen} == {path.name for path in paths}
    assert info.missing() is None
    data = info.open("")
    assert len(data.samples) == 24
    assert any("half resolution" in note for note in data.notes)
    for sample in data.samples:
        pixels = sample.load()
        assert pixels.shape in ((512, 768, 3), (768, 512, 3))
        assert sample.sha256() == image.digest(pixels)


def test_the_kodak_manifest_is_the_shared_table(kodak: Path) -> None:
    rows = [line.split(",") for line in (kodak / "SHA256.csv").read_text().split()[1:]]
    entries = bundled("kodak").files
    assert [(row[0], int(row[1]), row[4]) for row in rows] == [(e.file, e.bytes, e.sha256) for e in entries]


def test_kodak_with_one_damaged_file_says_which_and_keeps_the_rest(kodak: Path, home: Path, tmp_path: Path) -> None:
    source = tmp_path / "mine" / "deep"
    shutil.copytree(kodak, source)
    os.chmod(source, 0o755)
    bad = source / "kodim07.png"
    bad.chmod(0o644)
    data = bytearray(bad.read_bytes())
    data[-20] ^= 1
    bad.write_bytes(data)
    info = infos()["kodak"]
    with pytest.raises(ChecksumError) as caught:
        info.fetch(source.parent, quiet)
    text = one_line(caught.value)
    assert "kodim07.png" in text
    assert sha(bytes(data)) in text
    assert str(bundled("kodak").files[6].sha256) in text
    assert "1 more" not in str(info.missing())
    assert "kodim07.png is missing" in str(info.missing())
    (source / "second").mkdir()
    shutil.copy(kodak / "kodim07.png", source / "second")  # of two with one name the right one is taken
    assert len(info.fetch(source.parent, quiet)) == 24
    assert info.missing() is None


def test_a_damaged_file_in_place_is_seen_and_mended(kodak: Path, home: Path) -> None:
    info = infos()["kodak"]
    info.fetch(kodak, quiet)
    hurt, cut = home / "kodak" / "kodim03.png", home / "kodak" / "kodim04.png"
    before = (home / "kodak" / "kodim05.png").stat()
    whole = hurt.read_bytes()
    hurt.write_bytes(b"x" + whole[1:])
    cut.write_bytes(cut.read_bytes()[:1000])
    assert "kodim04.png has 1000 bytes, not 637432" in str(info.missing())
    info.fetch(kodak, quiet)
    assert hurt.read_bytes() == whole
    assert info.missing() is None
    after = (home / "kodak" / "kodim05.png").stat()
    assert (before.st_ino, before.st_mtime_ns) == (after.st_ino, after.st_mtime_ns)


# --- bundled manifests ------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("name", ["samples", *BUNDLED])
def test_bundled_manifests_say_what_a_report_needs(name: str) -> None:
    found = bundled(name)
    assert found.id == name
    assert found.licence
    assert found.homepage
    assert found.notes
    assert found.count == {"samples": 4, "kodak": 24, "tecnick": 100, "clic2020-professional-valid": 41,
                           "clic2020-professional-test": 250, "clic2020-mobile-valid": 61,
                           "clic2020-mobile-test": 178}[name]  # fmt: skip
    assert all(entry.sha256 and (entry.pixels_sha256 or entry.file == "rocket.jpg") for entry in found.files)


def test_ids_are_unique_and_titles_are_there() -> None:
    found = benchbox_datasets.benchbox_datasets()
    assert len({info.id for info in found}) == len(found) == 9
    assert all(info.title for info in found)
