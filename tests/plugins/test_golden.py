"""Golden streams: streams of earlier versions must decode in every later one. `tests/golden/make.py` adds them."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from benchbox import registry
from benchbox.image import digest, read

GOLDEN = Path(__file__).parents[1] / "golden"
REGISTRY = registry.load()
OURS = sorted(info.id for info in REGISTRY.codecs.values() if type(info).__module__.startswith("benchbox_"))


def cases() -> list[Any]:
    return [pytest.param(index.parent.name, case, entry, id=f"{index.parent.name}-{case}")
            for index in sorted(GOLDEN.glob("*/index.json")) for case, entry in json.loads(index.read_text()).items()]


@pytest.mark.parametrize("name", OURS)
def test_every_codec_has_golden_streams(name: str) -> None:
    """At least one for each channel count and bit depth that it declares."""
    info = REGISTRY.codec(name)
    reason = info.unavailable() or ("needs options" if any(
        field.is_required() for field in info.Options.model_fields.values()) else None)
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    index = GOLDEN / name / "index.json"
    assert index.exists(), f"{name} has no golden streams: run `python tests/golden/make.py {name}` and commit them"
    entries = json.loads(index.read_text()).values()
    taken = info.capabilities
    assert {entry["shape"][2] for entry in entries} == taken.channels
    assert {8 if entry["dtype"] == "uint8" else 16 for entry in entries} == taken.bit_depths


def test_index_and_files_agree() -> None:
    files = {file.relative_to(GOLDEN).as_posix() for file in GOLDEN.glob("*/*") if file.suffix in (".bin", ".png")}
    listed = set()
    for parameter in cases():
        codec, case, entry = parameter.values
        listed |= {f"{codec}/{case}.bin", *([f"{codec}/{case}.png"] if entry["tolerance"] else [])}
    assert files == listed


@pytest.mark.parametrize(("name", "case", "entry"), cases())
def test_golden_stream_decodes(name: str, case: str, entry: dict[str, Any]) -> None:
    assert name in REGISTRY.codecs, f"the codec {name} is gone, but its streams must still decode"
    info = REGISTRY.codec(name)
    reason = info.unavailable()
    if reason is not None:
        pytest.skip(f"{name}: {reason}")
    codec = info.open(info.parse_options({}), "cpu")
    decoded = codec.decode((GOLDEN / name / f"{case}.bin").read_bytes())
    codec.close()
    assert list(decoded.shape) == entry["shape"]
    assert decoded.dtype.name == entry["dtype"]
    if entry["tolerance"] == 0:
        assert digest(decoded) == entry["pixels"]
        return
    expected = read(GOLDEN / name / f"{case}.png").pixels
    assert digest(expected) == entry["pixels"], f"{name}/{case}.png is not the picture that its index names"
    difference = np.abs(decoded.astype(np.int64) - expected.astype(np.int64)).max()
    assert difference <= entry["tolerance"], f"off by {difference} levels, {entry['tolerance']} allowed"
