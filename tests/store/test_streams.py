"""Stored streams are whole, or an error names them as damaged or missing."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbox.errors import StoreError
from benchbox.store import Streams


def test_a_stream_is_whole_or_named_as_damaged(tmp_path: Path) -> None:
    streams = Streams(tmp_path)
    sha256 = streams.put(b"abc")
    assert streams.put(b"abc") == sha256
    assert streams.has(sha256)
    assert streams.get(sha256) == b"abc"
    (file,) = (path for path in tmp_path.rglob("*") if path.is_file())
    file.write_bytes(b"abd")
    with pytest.raises(StoreError, match="is damaged; delete it"):
        streams.get(sha256)
    file.unlink()
    assert not streams.has(sha256)
    with pytest.raises(StoreError, match="is missing"):
        streams.get(sha256)


def test_only_what_is_used_stays(tmp_path: Path) -> None:
    streams = Streams(tmp_path)
    kept, dropped = streams.put(b"kept"), streams.put(b"dropped")
    assert streams.drop_all_but({kept}) == (1, len(b"dropped"))
    assert streams.has(kept)
    assert not streams.has(dropped)
