"""Archives from strangers: nothing is written outside the folder or beyond the limits."""

from __future__ import annotations

import io
import shutil
import stat
import tarfile
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
from benchbox_datasets import archive
from dataset_server import leftovers, one_line, png, tarred, zipped
from hypothesis import given
from hypothesis import strategies as st

from benchbox.errors import DatasetError


def everything(name: str) -> bool:
    return True


def evil_zip(path: Path, name: str, mode: int = 0, data: bytes = b"x") -> None:
    with zipfile.ZipFile(path, "w") as opened:
        opened.writestr("fine.png", b"fine")
        info = zipfile.ZipInfo(name)
        info.external_attr = mode << 16
        opened.writestr(info, data)


def evil_tar(path: Path, name: str, kind: bytes = tarfile.REGTYPE, link: str = "") -> None:
    with tarfile.open(path, "w:gz") as opened:
        member = tarfile.TarInfo(name)
        member.type, member.linkname = kind, link
        opened.addfile(member, io.BytesIO())


@pytest.mark.parametrize(
    "name", ["../up.png", "a/../../up.png", "/abs.png", "..\\up.png", "C:\\abs.png", "a/..", "a//b", "a/./b"]
)
@pytest.mark.parametrize("make", [evil_zip, evil_tar])
def test_a_path_out_of_the_folder_is_refused(tmp_path: Path, make: Callable[..., None], name: str) -> None:
    make(tmp_path / "evil", name)
    into = tmp_path / "deep" / "into"
    into.mkdir(parents=True)
    with pytest.raises(DatasetError, match="nothing was taken") as caught:
        archive.unpack(tmp_path / "evil", into, everything)
    one_line(caught.value)
    assert {path.name for path in tmp_path.rglob("*")} - {"fine.png"} == {"deep", "evil", "into"}
    assert not Path("/abs.png").exists()


@pytest.mark.parametrize("link", ["/etc/passwd", "../../passwd", "fine.png"])
@pytest.mark.parametrize(
    "kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.CHRTYPE, tarfile.BLKTYPE, tarfile.FIFOTYPE, b"9"]
)
def test_links_and_devices_in_a_tar_are_refused(tmp_path: Path, kind: bytes, link: str) -> None:
    """Also links that stay inside the folder, which tarfile's data filter lets through."""
    evil_tar(tmp_path / "evil.tar.gz", "picture.png", kind, link)
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="is a link or a device"):
        archive.unpack(tmp_path / "evil.tar.gz", tmp_path / "into", everything)
    assert leftovers(tmp_path / "into") == []


def test_a_python_without_the_data_filter_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "x.tar.gz").write_bytes(tarred({"a.png": png(1)}))
    monkeypatch.delattr(tarfile, "data_filter")
    with pytest.raises(DatasetError, match=r"Python before 3\.11\.4 .* unpack the tar yourself"):
        archive.unpack(tmp_path / "x.tar.gz", tmp_path / "into", everything)


@pytest.mark.parametrize("mode", [stat.S_IFLNK, stat.S_IFCHR, stat.S_IFBLK, stat.S_IFIFO, stat.S_IFSOCK])
def test_links_and_devices_in_a_zip_are_refused(tmp_path: Path, mode: int) -> None:
    evil_zip(tmp_path / "evil.zip", "picture.png", mode | 0o777, b"/etc/passwd")
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="is a link or a device"):
        archive.unpack(tmp_path / "evil.zip", tmp_path / "into", everything)
    assert leftovers(tmp_path / "into") == ["fine.png"]


@pytest.mark.parametrize("suffix", ["zip", "tar.gz"])
def test_a_bomb_is_refused_before_it_goes_off(tmp_path: Path, suffix: str) -> None:
    files = {"bomb.png": bytes(20_000_000), "other.txt": bytes(20_000_000)}
    path = tmp_path / f"bomb.{suffix}"
    if suffix == "zip":
        with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as packed_zip:
            for name, data in files.items():
                packed_zip.writestr(name, data)
    else:
        path.write_bytes(tarred(files))
    assert path.stat().st_size < 100_000
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="unpacks to more than 10 MB"):
        archive.unpack(path, tmp_path / "into", everything, archive.Limits(bytes=10_000_000))
    assert leftovers(tmp_path / "into") == []
    archive.unpack(path, tmp_path / "into", lambda name: name == "bomb.png", archive.Limits(bytes=45_000_000))
    assert leftovers(tmp_path / "into") == ["bomb.png"]


def test_a_zip_that_lies_about_sizes_writes_no_more_than_it_said(tmp_path: Path) -> None:
    path = tmp_path / "lie.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as opened:
        opened.writestr("a.png", bytes(5_000_000))
    data = path.read_bytes()
    assert data.count((5_000_000).to_bytes(4, "little")) == 2
    path.write_bytes(data.replace((5_000_000).to_bytes(4, "little"), (1000).to_bytes(4, "little")))
    (tmp_path / "into").mkdir()
    with pytest.raises(DatasetError, match="damaged"):
        archive.unpack(path, tmp_path / "into", everything)
    assert (tmp_path / "into" / "a.png").stat().st_size <= 1000


def test_too_many_members_are_refused(tmp_path: Path) -> None:
    for pack in (zipped, tarred):
        (tmp_path / "packed").write_bytes(pack({f"{n}.txt": b"" for n in range(50)}))
        into = tmp_path / pack.__name__
        into.mkdir()
        with pytest.raises(DatasetError, match="more than 20 members"):
            archive.unpack(tmp_path / "packed", into, everything, archive.Limits(members=20))
        assert len(leftovers(into)) == 20


@pytest.mark.filterwarnings("ignore:Duplicate name")
def test_a_name_twice_and_a_file_that_is_a_folder_too(tmp_path: Path) -> None:
    (tmp_path / "into").mkdir()
    both = "holds 'a' both as a file and as a folder"
    for names, said in ((["a.png", "a.png"], "holds 'a.png' twice"), (["a", "a/b/c.png"], both), (["a/b", "a"], both)):
        for make in ("zip", "tar"):
            path = tmp_path / f"twice.{make}"
            if make == "zip":
                with zipfile.ZipFile(path, "w") as opened:
                    for name in names:
                        opened.writestr(name, b"x")
            else:
                with tarfile.open(path, "w") as opened_tar:
                    for name in names:
                        opened_tar.addfile(tarfile.TarInfo(name), io.BytesIO())
            shutil.rmtree(tmp_path / "into")
            (tmp_path / "into").mkdir()
            with pytest.raises(DatasetError, match=said):
                archive.unpack(path, tmp_path / "into", everything)


@pytest.mark.parametrize("make", [evil_zip, evil_tar])
def test_a_name_that_no_disk_takes_is_said_to_be_so(tmp_path: Path, make: Callable[..., None]) -> None:
    make(tmp_path / "evil", "x" * 300 + ".png")
    with pytest.raises(DatasetError, match="longer name than the disk takes") as caught:
        archive.unpack(tmp_path / "evil", tmp_path, everything)
    one_line(caught.value)


@given(cut=st.integers(0, 2000), flips=st.lists(st.tuples(st.integers(0, 3000), st.integers(1, 255)), max_size=4),
       kind=st.sampled_from(["zip", "tar.gz", "tar.xz", "tar"]))  # fmt: skip
def test_damaged_archives_raise_dataset_errors_only(
    cut: int, flips: list[tuple[int, int]], kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    files = {"a/one.png": png(1), "two.png": png(2)}
    whole = zipped(files) if kind == "zip" else tarred(files, {"tar": "w"}.get(kind, "w:" + kind[4:]))
    data = bytearray(whole[: len(whole) - cut])
    for place, bits in flips:
        if place < len(data):
            data[place] ^= bits
    folder = tmp_path_factory.mktemp("damaged")
    (folder / "x").write_bytes(data)
    (folder / "into").mkdir()
    archive.is_archive(folder / "x")
    try:
        archive.unpack(folder / "x", folder / "into", everything)
    except DatasetError as error:
        one_line(error)
    finally:
        assert {path.name for path in folder.iterdir()} == {"x", "into"}
        shutil.rmtree(folder)


def test_an_encrypted_zip_is_said_to_be_so(tmp_path: Path) -> None:
    data = bytearray(zipped({"a.png": png(1)}))
    for signature, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):  # the flags of local header and directory
        data[data.index(signature) + offset] |= 1
    (tmp_path / "x.zip").write_bytes(data)
    with pytest.raises(DatasetError, match="encrypted; unpack it yourself"):
        archive.unpack(tmp_path / "x.zip", tmp_path, everything)
