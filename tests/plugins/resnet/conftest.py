"""A weights file of random weights, and the codec opened with it."""

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.fixture(scope="session")
def weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    from noisy_resnet import noisy_network, save_noisy  # (torch may be absent)

    return save_noisy(tmp_path_factory.mktemp("weights") / "noisy.safetensors", noisy_network())


@pytest.fixture(scope="session")
def codec(weights: Path) -> Iterator[Any]:
    from benchbox_resnet.codec import ResnetCodec
    from benchbox_resnet.info import RESNET

    opened = ResnetCodec.open(RESNET, [weights], "cpu")
    yield opened
    opened.close()


@pytest.fixture(autouse=True)
def whole_floats() -> Iterator[None]:
    """Training lets the processor flush subnormal numbers to 0; no other test may see that."""
    yield
    if "torch" in sys.modules:
        sys.modules["torch"].set_flush_denormal(False)
