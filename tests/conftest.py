"""Fixtures shared by all tests: real pictures, found by path, never copied."""

from __future__ import annotations

import os
from pathlib import Path

import hypothesis
import numpy as np
import pytest
import skimage.data
from chromium import browser, chromium  # noqa: F401  (fixtures)
from clusters import dask_here, loud  # noqa: F401
from codecs_of import third  # noqa: F401
from crowded import crowd, published_page  # noqa: F401
from dataset_server import home, site  # noqa: F401
from encoded_crops import crop_rows, crops_page  # noqa: F401
from evil_codecs import evil  # noqa: F401
from hostile_report import report, results  # noqa: F401
from installed_plugins import install  # noqa: F401
from machines import machines  # noqa: F401
from mine_codec import mine  # noqa: F401
from plugin_files import toy_file  # noqa: F401
from small_runs import pictures  # noqa: F401
from trading import trade, traded  # noqa: F401

hypothesis.settings.register_profile(
    "benchbox",
    deadline=None,  # speed is for benchmarks, on busy machines too
    suppress_health_check=[hypothesis.HealthCheck.too_slow],
    derandomize=os.environ.get("CI") == "true",  # a change is judged by the same examples as the one before
)
hypothesis.settings.load_profile("benchbox")

SHARED = Path(__file__).resolve().parents[1].parent / "shared"


def _folder(name: str) -> Path:
    folder = SHARED / "datasets" / name
    if not folder.is_dir():
        pytest.skip(f"the development pictures are absent: no folder {folder}")
    return folder


@pytest.fixture(scope="session")
def kodak() -> Path:
    """The folder of the 24 Kodak pictures."""
    return _folder("kodak")


@pytest.fixture(scope="session")
def odd() -> Path:
    """The folder of awkward files."""
    return _folder("odd")


@pytest.fixture(scope="session")
def literature() -> Path:
    """The folder of published curves."""
    if not (SHARED / "literature").is_dir():
        pytest.skip("the published curves are absent")
    return SHARED / "literature"


@pytest.fixture(scope="session")
def photo() -> np.ndarray:
    """A photograph: (192, 256, 3) uint8, a crop of scikit-image's astronaut (public domain, NASA)."""
    return np.ascontiguousarray(skimage.data.astronaut()[20:212, 100:356])
