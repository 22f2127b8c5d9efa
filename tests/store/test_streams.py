"""Stored streams are whole, or an error names them as damaged or missing; what is damaged is written again."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from benchbox.errors import StoreError
from benchbox.store import Streams


def replace_by_folder(file: Path) -> None:
    file.unlink()
    file.mkdir()


DAMAGE: dict[str, Callable[[Path], object]] = {
    "empty": lambda file: file.write_bytes(b""),
    "another byte": lambda file: file.write_bytes(b"abd"),
    "cut": lambda file: file.write_bytes(b"ab"),
    "longer": lambda file: file.write_bytes(b"abcc"),
    "a folder": replace_by_folder,
}


def only_file(folder: Path) -> Path:
    """The one file below `folder`."""
    (file,) = (path for path in folder.rglob("*") if path.is_file())
    return file


def test_a_stream_is_whole_or_named_as_gone(tmp_path: Path) -> None:
    streams = Streams(tmp_path)
    sha256 = streams.put(b"abc")
    assert streams.put(b"abc") == sha256
    assert streams.has(sha256)
    assert streams.get(sha256) == b"abc"
    assert streams.damaged([sha256]) == set()
    only_file(tmp_path).unlink()
    assert not streams.has(sha256)
    assert streams.damaged([sha256]) == set()
    with pytest.raises(StoreError, match=r"is missing .* --retry"):
        streams.get(sha256)


@pytest.mark.parametrize("damage", DAMAGE.values(), ids=DAMAGE)
def test_a_damaged_stream_is_named_and_written_again(damage: Callable[[Path], object], tmp_path: Path) -> None:
    streams = Streams(tmp_path)
    sha256 = streams.put(b"abc")
    damage(only_file(tmp_path))
    sound = [streams.put(bytes([k])) for k in range(20)]
    assert streams.damaged([sha256, *sound]) == {sha256}
    with pytest.raises(StoreError, match=r"is damaged; run the plan again|is missing"):
        streams.get(sha256)
    assert streams.put(b"abc") == sha256
    assert streams.get(sha256) == b"abc"
    assert streams.damaged([sha256, *sound]) == set()
    assert streams.drop_all_but({sha256})[0] == 20


def test_only_what_is_used_stays(tmp_path: Path) -> None:
    streams = Streams(tmp_path)
    kept, dropped = streams.put(b"kept"), streams.put(b"dropped")
    assert streams.drop_all_but({kept}) == (1, len(b"dropped"))
    assert streams.has(kept)
    assert not streams.has(dropped)
