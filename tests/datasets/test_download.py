"""Downloads from a real server that has real faults."""

from __future__ import annotations

import resource
import socketserver
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from benchbox_datasets.download import Patience, Wanted, download
from dataset_server import QUICK, Page, Site, leftovers, one_line, quiet, sha

from benchbox.errors import ChecksumError, DatasetError

BODY = np.random.default_rng(5).bytes(2_500_000)  # more than two chunks


def bring(site: Site, folder: Path, page: Page, known: bool = True, **more: Any) -> str:
    site.pages["/f.bin"] = page
    wanted = Wanted(
        urls=more.pop("urls", [f"{site.address}/f.bin"]),
        target=folder / "f.bin",
        bytes=more.pop("size", len(BODY) if known else None),
        sha256=more.pop("sha256", sha(BODY) if known else None),
        remedy="do something",
    )
    return download(wanted, more.pop("progress", quiet), more.pop("patience", QUICK))


@pytest.mark.parametrize("known", [True, False])
@pytest.mark.parametrize("length", [True, False])
def test_a_plain_download(site: Site, tmp_path: Path, known: bool, length: bool) -> None:
    steps: list[tuple[str, int, int]] = []
    got = bring(site, tmp_path, Page(BODY, length=length), known, progress=lambda *step: steps.append(step))
    assert got == sha(BODY)
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert leftovers(tmp_path) == ["f.bin"]
    assert steps[0] == ("f.bin", 0, len(BODY) if known or length else 0)
    assert steps[-1][1] == len(BODY)
    assert [done for _, done, _ in steps] == sorted(done for _, done, _ in steps)


@pytest.mark.parametrize("known", [True, False])
def test_a_connection_cut_midway_is_gone_on_with(site: Site, tmp_path: Path, known: bool) -> None:
    bring(site, tmp_path, Page(BODY, cuts=[1_200_000, 0, 700_000]), known)
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert [asked for _, asked in site.asked] == [None, "bytes=1200000-", "bytes=1200000-", "bytes=1900000-"]


def test_a_server_without_ranges_starts_again(site: Site, tmp_path: Path) -> None:
    bring(site, tmp_path, Page(BODY, ranges=False, cuts=[1_200_000]))
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert len(site.asked) == 2


def test_a_server_that_sends_another_range_starts_again(site: Site, tmp_path: Path) -> None:
    bring(site, tmp_path, Page(BODY, range_shift=7, cuts=[1_200_000]))
    assert (tmp_path / "f.bin").read_bytes() == BODY
    assert [asked for _, asked in site.asked] == [None, "bytes=1200000-", None]


@pytest.mark.parametrize("known", [True, False])
def test_an_interrupted_download_is_resumed_by_the_next_call(site: Site, tmp_path: Path, known: bool) -> None:
    def stop(name: str, done: int, total: int) -> None:
        if done > 1_000_000:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        bring(site, tmp_path, Page(BODY), known, progress=stop)
    kept = (tmp_path / "f.bin.part").stat().st_size
    assert 0 < kept < len(BODY)
    assert not (tmp_path / "f.bin").exists()
    site.asked.clear()
    assert bring(site, tmp_path, Page(BODY), known) == sha(BODY)
    assert site.asked == [("/f.bin", f"bytes={kept}-")]
    assert leftovers(tmp_path) == ["f.bin"]


def test_a_file_that_changed_since_is_read_from_the_start(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DatasetError):
        bring(site, tmp_path, Page(b"old" + BODY, tag='"old"', cuts=[1_000_000, 0, 0, 0]), known=False)
    assert (tmp_path / "f.bin.part").stat().st_size == 1_000_000
    assert bring(site, tmp_path, Page(BODY, tag='"new"'), known=False) == sha(BODY)


def test_what_came_without_a_version_is_joined_only_where_the_sum_is_known(site: Site, tmp_path: Path) -> None:
    for known in (False, True):
        (tmp_path / "f.bin.part").write_bytes(b"?" * 1000)
        site.asked.clear()
        assert bring(site, tmp_path, Page(BODY, tag=None), known) == sha(BODY)  # known: wrong at first, then anew
        assert [asked for _, asked in site.asked] == (["bytes=1000-", None] if known else [None])


def test_a_part_that_is_whole_already_is_not_asked_for_again(site: Site, tmp_path: Path) -> None:
    (tmp_path / "f.bin.part").write_bytes(BODY)
    assert bring(site, tmp_path, Page(BODY)) == sha(BODY)
    assert site.asked == []
    with pytest.raises(KeyboardInterrupt):
        bring(site, tmp_path, Page(BODY), known=False, progress=_stop_at(len(BODY)))
    assert (tmp_path / "f.bin.part").stat().st_size == len(BODY)
    assert bring(site, tmp_path, Page(BODY), known=False) == sha(BODY)  # the server answers 416
    assert site.asked[-1] == ("/f.bin", f"bytes={len(BODY)}-")


def _stop_at(size: int) -> Callable[[str, int, int], None]:
    def stop(name: str, done: int, total: int) -> None:
        if done >= size:
            raise KeyboardInterrupt

    return stop


def test_wrong_contents_name_file_expected_got_and_remedy(site: Site, tmp_path: Path) -> None:
    wrong = bytes(len(BODY))
    with pytest.raises(ChecksumError) as caught:
        bring(site, tmp_path, Page(wrong))
    text = one_line(caught.value)
    assert text.startswith("f.bin: ")
    assert sha(wrong) in text
    assert sha(BODY) in text
    assert "do something" in text
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("length", [True, False])
@pytest.mark.parametrize("data", [BODY + b"x", BODY[:-1]])
def test_a_wrong_size_is_refused(site: Site, tmp_path: Path, data: bytes, length: bool) -> None:
    with pytest.raises((ChecksumError, DatasetError)) as caught:
        bring(site, tmp_path, Page(data, length=length))
    one_line(caught.value)
    assert not (tmp_path / "f.bin").exists()
    if length or len(data) > len(BODY):
        assert isinstance(caught.value, ChecksumError)
        assert str(len(BODY)) in str(caught.value)


def test_no_more_is_read_than_the_bound(site: Site, tmp_path: Path) -> None:
    for length in (True, False):
        with pytest.raises(DatasetError, match="the limit is 1000000"):
            bring(site, tmp_path, Page(BODY, length=length), known=False, patience=Patience(1, 0, 5, 1_000_000))
    assert leftovers(tmp_path) == []


@pytest.mark.parametrize("status", [404, 403, 410])
def test_a_refusal_is_not_asked_twice(site: Site, tmp_path: Path, status: int) -> None:
    with pytest.raises(DatasetError) as caught:
        bring(site, tmp_path, Page(BODY, statuses=[status] * 9))
    text = one_line(caught.value)
    assert f"{site.address}/f.bin" in text
    assert str(status) in text
    assert "do something" in text
    assert len(site.asked) == 1


@pytest.mark.parametrize("status", [500, 503, 429])
def test_a_busy_server_is_asked_again(site: Site, tmp_path: Path, status: int) -> None:
    assert bring(site, tmp_path, Page(BODY, statuses=[status, status])) == sha(BODY)
    (tmp_path / "f.bin").unlink()
    with pytest.raises(DatasetError, match=f"{status}.*3 tries"):
        bring(site, tmp_path, Page(BODY, statuses=[status] * 9))


def test_a_web_page_is_not_taken_for_the_file(site: Site, tmp_path: Path) -> None:
    with pytest.raises(DatasetError, match="a web page"):
        bring(site, tmp_path, Page(b"<html>choose a mirror</html>", kind="text/html; charset=utf-8"), known=False)
    assert leftovers(tmp_path) == []


def test_the_second_address_is_tried(site: Site, tmp_path: Path) -> None:
    site.pages["/wrong"] = Page(bytes(len(BODY)), tag='"w"')
    urls = [f"{site.address}/gone", f"{site.address}/wrong", f"{site.address}/f.bin"]
    assert bring(site, tmp_path, Page(BODY), urls=urls) == sha(BODY)
    assert [path for path, _ in site.asked] == ["/gone", "/wrong", "/f.bin"]


def test_no_server_at_all(tmp_path: Path, site: Site) -> None:
    with socketserver.TCPServer(("127.0.0.1", 0), None) as unused:  # type: ignore[arg-type]
        port = unused.server_address[1]
    with pytest.raises(DatasetError, match=r"refused.*3 tries.*do something"):
        bring(site, tmp_path, Page(BODY), urls=[f"http://127.0.0.1:{port}/f.bin"])
    with pytest.raises(DatasetError, match=r"benchbox\.invalid.*do something") as caught:  # RFC 2606: no such name ever
        bring(site, tmp_path, Page(BODY), urls=["http://benchbox.invalid/f.bin"])
    one_line(caught.value)


def test_a_silent_server_is_not_waited_on(site: Site, tmp_path: Path) -> None:
    assert bring(site, tmp_path, Page(BODY, stalls=[0.6]), patience=Patience(3, 0.0, 0.2)) == sha(BODY)
    assert [asked for _, asked in site.asked] in ([None, None], [None, "bytes=1000-"])


def test_a_full_disk_is_one_clear_line_and_keeps_what_there_is(site: Site, tmp_path: Path) -> None:
    if not Path("/dev/full").exists():
        pytest.skip("this system has no /dev/full")
    (tmp_path / "f.bin.part").symlink_to("/dev/full")
    with pytest.raises(DatasetError, match=r"no room to write in .*make room, or set BENCHBOX_DATA") as caught:
        bring(site, tmp_path, Page(BODY))
    one_line(caught.value)
    assert len(site.asked) == 1


def test_a_bound_on_file_size_is_seen_as_a_full_disk(site: Site, tmp_path: Path) -> None:
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1_500_000, hard))
    try:
        with pytest.raises(DatasetError, match="no room to write"):
            bring(site, tmp_path, Page(BODY))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert (tmp_path / "f.bin.part").stat().st_size == 1_500_000
    assert bring(site, tmp_path, Page(BODY)) == sha(BODY)
    assert site.asked[-1][1] == "bytes=1500000-"
