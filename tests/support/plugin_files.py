"""The toy codec as one file, not installed."""

from __future__ import annotations

from pathlib import Path

import pytest

TOY = (Path(__file__).parents[1] / "toy_plugin" / "benchbox_toy.py").read_text(encoding="utf-8")
HOOK = TOY[TOY.index("@hookimpl") :]


@pytest.fixture
def toy_file(tmp_path: Path) -> Path:
    """``mycodec.py``, which offers the codec `toy`."""
    path = tmp_path / "mycodec.py"
    path.write_text(TOY, encoding="utf-8")
    return path
