"""The digest of a plugin's own files changes with each of them, and with nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest

from benchbox.sources import LARGE, module_sha256


def test_a_module_counts_with_its_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    (tmp_path / "acme_one.py").write_text("x = 1\n")
    before = module_sha256("acme_one:plugin")
    assert before == module_sha256("acme_one")
    (tmp_path / "acme_one.py").write_text("x = 2\n")
    assert module_sha256("acme_one") not in (before, None)


def test_a_package_counts_with_all_its_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "acme_two"
    (package / "inner").mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "inner" / "__init__.py").write_text("")
    weights = bytearray(2 * LARGE)
    (package / "weights.bin").write_bytes(weights)
    seen = [module_sha256("acme_two.inner:plugin")]

    def differs() -> bool:
        seen.append(module_sha256("acme_two.inner:plugin"))
        return seen[-1] not in seen[:-1]

    (package / "inner" / "codec.py").write_text("x = 1\n")
    assert differs()
    (package / "inner" / "codec.py").rename(package / "codec.py")
    assert differs()
    weights[-1] = 1
    (package / "weights.bin").write_bytes(weights)
    assert differs()
    (package / "__pycache__").mkdir()
    (package / "__pycache__" / "codec.cpython-311.pyc").write_bytes(b"x")
    assert not differs()


def test_what_is_no_file_has_none() -> None:
    assert module_sha256("no_such_package") is None
    assert module_sha256("sys") is None
