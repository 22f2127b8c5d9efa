"""CompressAI's results JSON is read as a published curve; a file that cannot be gives an error of one line."""

from __future__ import annotations

import json
import math
from pathlib import Path
from typing import Any

import pytest
from benchbox_interchange.compressai_curves import parse, read_curve
from hypothesis import given
from hypothesis import strategies as st
from trading import SCRIPT

from benchbox.errors import BenchboxError, UsageError
from benchbox.reference import Reference

GOOD = {"name": "VTM", "description": "VTM 23", "meta": {"dataset": "kodak", "url": "https://example.org"},
        "results": {"bpp": [0.5, 0.2], "psnr-rgb": [33.0, 30.0], "ms-ssim-rgb": [None, 0.9]}}  # fmt: skip


def test_a_file_as_compressai_keeps_it() -> None:
    curve = parse(GOOD, "vtm.json", ["clic2020", "kodak"])
    assert (curve.id, curve.title, curve.dataset) == ("vtm", "VTM (vtm.json)", "kodak")
    assert curve.bpp == (0.2, 0.5)
    assert curve.metrics == {"psnr": (30.0, 33.0), "ms-ssim": (0.9, None)}
    assert "vtm.json; VTM 23; https://example.org" in curve.source
    assert curve.caution == ""


def test_older_and_bare_files_too() -> None:
    older = parse({"results": {"bpp": [1], "psnr": [40], "ms-ssim": [0.99]}}, "a b.json", ["kodak"])
    assert (older.id, older.metrics["psnr"], older.metrics["ms-ssim"]) == ("a-b", (40.0,), (0.99,))
    assert "does not name its pictures" in older.caution
    bare = parse({"bpp": [1.0], "psnr-rgb": [math.inf], "ms-ssim-rgb": [0.99]}, "x.json", ["kodak"])
    assert bare.metrics == {"psnr": (None,), "ms-ssim": (0.99,)}
    estimated = parse(GOOD | {"description": "Inference (entropy estimation)"}, "x.json", ["kodak"])
    assert "its rates are estimates" in estimated.caution


def test_text_of_a_file_is_one_printable_line() -> None:
    curve = parse(GOOD | {"name": f"\x1b[31m{SCRIPT}\n\ud800" + "x" * 1000}, "f.json", ["kodak"])
    assert curve.title.isprintable()
    assert curve.title.startswith(f"\ufffd[31m{SCRIPT} ")
    assert len(curve.title) < 200


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "Expecting value: line 1 column 1"),
        (b"\xff\xfe{}", "line 1 is not UTF-8"),
        (b"[" * 100_000, "nested too deeply"),
        (b"1" * 5000, "number of too many digits"),
        (b"[1]", "must be an object"),
        (b'{"results": 1}', 'an object with a list "bpp"'),
        (b'{"bpp": 1, "psnr": [1]}', '"bpp" must be a list'),
        (b'{"bpp": [], "psnr": []}', '"bpp" has no point'),
        (b'{"bpp": [0.1, NaN], "psnr": [1, 2]}', r'"bpp"\[1\] must be a positive number'),
        (b'{"bpp": [0.1, "2"], "psnr": [1, 2]}', r'"bpp"\[1\] must be a number, not "2"'),
        (b'{"bpp": [0.1, true], "psnr": [1, 2]}', r'"bpp"\[1\] must be a number, not true'),
        (b'{"bpp": [0.1, 0.2], "psnr-rgb": [1]}', '"psnr-rgb" has 1 values, "bpp" has 2'),
        (b'{"bpp": [0.1], "psnr": [1], "psnr-rgb": [1]}', "stands twice"),
        (b'{"bpp": [0.1], "psnr": [1' + b"0" * 400 + b"]}", "too large a number"),
        (b'{"bpp": [0.1], "psnr": 30}', '"psnr" must be a list'),
        (b'{"bpp": [0.1], "psnr": [null]}', "no metric has a value"),
        (b'{"bpp": [0.1], "ms-ssim": [12.5]}', "not in decibels"),
        (b'{"bpp": [0.1], "psnr": [30], "meta": {"dataset": "clic"}}', "measured on clic, the run on kodak"),
    ],
)
def test_a_broken_file_is_one_line(tmp_path: Path, content: bytes, problem: str) -> None:
    path = tmp_path / "broken.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match=problem) as caught:
        read_curve(path, ["kodak"])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_absent_files_and_unnamed_data_sets(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json: there is no such CompressAI results"):
        read_curve(tmp_path / "gone.json", ["kodak"])
    with pytest.raises(UsageError, match=r'clic2020, kodak.*"meta"'):
        parse({"bpp": [0.1], "psnr": [30]}, "x.json", ["kodak", "clic2020"])


KEYS = st.sampled_from(["bpp", "psnr", "psnr-rgb", "ms-ssim", "ms-ssim-rgb", "results", "name", "meta", "dataset"])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS | st.text(max_size=4), inner, max_size=6),
    max_leaves=25,
)
POINTS = st.lists(st.none() | st.integers() | st.floats(), min_size=1, max_size=3)
NEARLY = st.fixed_dictionaries({"results": st.dictionaries(KEYS, POINTS | JSON, min_size=1)}, optional={
    "name": JSON, "description": JSON, "meta": st.dictionaries(KEYS, JSON)})  # fmt: skip


def curve_or_line(data: Any) -> Reference | str:
    try:
        return parse(data, "any.json", ["kodak"])
    except BenchboxError as error:
        return str(error)


@given(JSON | NEARLY | st.fixed_dictionaries({"bpp": st.just([0.5, 0.1]), "psnr": POINTS}))
def test_any_json_gives_a_curve_or_one_line(data: Any) -> None:
    data = json.loads(json.dumps(data))
    curve = curve_or_line(data)
    if isinstance(curve, str):
        assert "\n" not in curve
        return
    assert curve.bpp == tuple(sorted(curve.bpp))
    assert all(bpp > 0 and math.isfinite(bpp) for bpp in curve.bpp)
    assert all(len(values) == len(curve.bpp) for values in curve.metrics.values())
    assert all(v is None or math.isfinite(v) for values in curve.metrics.values() for v in values)
    assert curve.title.isprintable()
