"""The bundled data sets: samples, Kodak, their manifests."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import benchbox_datasets
import pytest
from benchbox_datasets.info import BUNDLED, bundled
from dataset_server import infos, one_line, quiet, sha

from benchbox import image, registry
from benchbox.errors import ChecksumError, DatasetError, UnknownIdError


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
