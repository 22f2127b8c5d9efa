"""Distributions with an entry point, put on sys.path as pip would install them."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Install a distribution with one plugin module: ``install("acme", source)``."""
    modules: list[str] = []

    def put(distribution: str, source: str, entry: str | None = None, module: str | None = None) -> None:
        folder = tmp_path / distribution
        module = module or distribution.replace("-", "_")
        info = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[benchbox]\n{entry or distribution} = {module}\n")
        monkeypatch.syspath_prepend(str(folder))
        modules.append(module)

    yield put
    for name in modules:
        sys.modules.pop(name, None)
