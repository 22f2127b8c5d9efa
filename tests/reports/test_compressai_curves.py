"""Exchange with CompressAI: what goes out comes back, what it reads is what it gets; names and folders of all files."""

from __future__ import annotations

import dataclasses
import json
import math
import os
import subprocess
from pathlib import Path
from typing import Any
from urllib.parse import quote

import numpy as np
import pandas as pd
import pytest
from benchbox_interchange.files import safe_names
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image as PillowImage
from trading import QUALITIES, SCRIPT, changed, make, strictly

from benchbox import api, curves, references, registry
from benchbox.errors import BenchboxError, OptionError, UnknownIdError, UsageError
from benchbox.reference import Reference
from benchbox.report import Results
from benchbox.results import load_results


@pytest.fixture
def workspace(trade: Path) -> Path:
    return trade


@pytest.fixture
def results(traded: Results) -> Results:
    return traded


def test_a_curve_comes_back_as_it_went(results: Results, tmp_path: Path) -> None:
    files = make("compressai", results, tmp_path)
    assert sorted(file.name for file in files) == ["jpeg.json", "webp-method-2.json"]
    (dataset,) = results.frame["dataset"].unique()
    for file, label in zip(files, ("jpeg", "webp method=2"), strict=True):
        back = references.read_curve(file, {dataset})
        assert (back.dataset, back.caution) == (dataset, "")
        assert back.title == f"{label} ({file.name})"
        for metric in results.metrics:
            (curve,) = (c for c in curves.mean_curves(results.frame, metric) if c.label == label)
            assert back.bpp == tuple(curve.bpp)
            assert back.metrics[metric.id] == tuple(curve.raw)


def test_the_file_has_the_keys_of_compressai(results: Results, tmp_path: Path) -> None:
    document = strictly(make("compressai", results, tmp_path)[0])
    assert document["name"] == "jpeg"
    assert "means over 3 pictures of folder:pictures" in document["description"]
    assert document["meta"]["dataset"] == "folder:pictures"
    lists = document["results"]
    assert set(lists) == {"bpp", "psnr-rgb", "ms-ssim-rgb", "ssim", "encoding_time", "decoding_time", "quality"}
    assert lists["quality"] == QUALITIES
    assert all(len(values) == len(QUALITIES) for values in lists.values())
    rows = results.frame[(results.frame["label"] == "jpeg") & (results.frame["quality"] == 30)]
    assert lists["encoding_time"][1] == pytest.approx(rows["encode_s"].mean())
    assert lists["psnr-rgb"][1] == pytest.approx(rows["psnr"].mean())
    assert 0 < lists["ms-ssim-rgb"][1] < 1


def test_a_point_without_a_mean_is_left_out_and_counted(results: Results, tmp_path: Path) -> None:
    at = (results.frame["label"] == "jpeg") & (results.frame["quality"] == 60) & (results.frame["sample"] == "wide.png")
    broken = changed(results, psnr=lambda frame: frame["psnr"].mask(at))
    document = strictly(make("compressai", broken, tmp_path)[0])
    assert document["results"]["quality"] == [10, 30, 90]
    assert "1 operating points without a mean are left out" in document["description"]


def test_metrics_of_one_file_are_of_the_same_pictures(results: Results, tmp_path: Path) -> None:
    """A picture too small for MS-SSIM is in no mean, not only in none of MS-SSIM."""
    small = changed(results, ms_ssim=lambda frame: frame["ms_ssim"].mask(frame["sample"] == "wide.png"))
    document = strictly(make("compressai", small, tmp_path)[0])
    rows = results.frame[(results.frame["label"] == "jpeg") & (results.frame["sample"] != "wide.png")]
    means = rows.groupby("quality")[["bpp", "psnr", "ms_ssim"]].mean()
    for key, column in (("bpp", "bpp"), ("psnr-rgb", "psnr"), ("ms-ssim-rgb", "ms_ssim")):
        assert document["results"][key] == pytest.approx(means[column].tolist())
    assert "means over 2 of 3 pictures" in document["description"]


@pytest.mark.parametrize("kind", ["compressai", "codec-compare"])
def test_files_for_others_do_not_tell_our_folders(results: Results, workspace: Path, tmp_path: Path, kind: str) -> None:
    for file in make(kind, results, tmp_path):
        assert str(workspace.parent) not in file.read_text()
        assert "pictures" in str(file.relative_to(tmp_path))


def test_folders_of_one_name_stay_apart(results: Results, tmp_path: Path) -> None:
    """Two data sets whose folders are called alike: two files each, and an import that cannot tell refuses."""
    frame = results.frame.assign(dataset="folder:/a/photos")
    both = dataclasses.replace(results, frame=pd.concat([frame, frame.assign(dataset="folder:/b/photos")]))
    files = make("compressai", both, tmp_path)
    assert len(set(files)) == len(list(tmp_path.rglob("*.json"))) == 4
    assert references.read_curve(files[0], ["folder:/a/photos", "kodak"]).dataset == "folder:/a/photos"
    with pytest.raises(UsageError, match="measured on folder:photos"):
        references.read_curve(files[0], ["folder:/a/photos", "folder:/b/photos"])


def test_nothing_to_write_is_one_line(results: Results, tmp_path: Path) -> None:
    failed = changed(results, status=lambda frame: pd.Categorical(["failed"] * len(frame)))
    lossless = dataclasses.replace(results, frame=results.frame[results.frame["label"] == "png"])
    for run, kind in ((failed, "compressai"), (lossless, "compressai"), (failed, "codec-compare")):
        with pytest.raises(BenchboxError, match="run trade has nothing for"):
            make(kind, run, tmp_path)
    assert list(tmp_path.rglob("*.json")) == []


@pytest.mark.parametrize("kind", ["compressai", "codec-compare"])
def test_names_never_leave_the_folder(results: Results, tmp_path: Path, kind: str) -> None:
    labels = {"jpeg": f"../../{SCRIPT}", "webp method=2": "../../script-alert-1-script", "png": 'a"/../b${name}'}
    hostile = changed(results, label=lambda frame: frame["label"].map(labels).astype("category"),
                      dataset=pd.Categorical(["../../" + SCRIPT] * len(results.frame)),
                      sample=lambda frame: "../" + frame["sample"].astype(str) + SCRIPT)  # fmt: skip
    out = tmp_path / "in" / "here"
    out.mkdir(parents=True)
    files = make(kind, hostile, out)
    assert set(tmp_path.rglob("*.json")) == set(files)
    assert len({file.resolve() for file in files}) == len(files)
    for file in files:
        assert file.resolve().is_relative_to(out)
        assert quote(file.name) == file.name
    read = [strictly(file) for file in files]
    names = [d["name"] if kind == "compressai" else d["constant_values"][0] for d in read if isinstance(d, dict)]
    assert set(names) == {*labels.values()} - ({labels["png"]} if kind == "compressai" else set())


def test_an_option_that_a_report_does_not_take_is_one_line(workspace: Path, tmp_path: Path) -> None:
    known = registry.load()
    expected = {"compressai": "unknown option 'anchr'; it takes no options", "tables": "'anchr'; did you mean 'anchor'"}
    for kinds in (["compressai"], ["tables", "compressai"]):
        line = f"{kinds[0]}: .*{expected[kinds[0]]}"
        with pytest.raises(OptionError, match=line):
            api.write_reports("trade", workspace, known, kinds, {"anchr": "jpeg"}, tmp_path)
    assert list(tmp_path.iterdir()) == []


@given(st.lists(st.text(), unique=True, max_size=8))
def test_file_names_are_plain_and_all_different(texts: list[str]) -> None:
    names = safe_names(texts)
    assert list(names) == texts
    assert len(set(names.values())) == len(texts)
    assert all(name and set(name) <= set("abcdefghijklmnopqrstuvwxyz0123456789-") for name in names.values())


# --- CompressAI's files, laid under ours

GOOD = {"name": "VTM", "description": "VTM 23", "meta": {"dataset": "kodak", "url": "https://example.org"},
        "results": {"bpp": [0.5, 0.2], "psnr-rgb": [33.0, 30.0], "ms-ssim-rgb": [None, 0.9]}}  # fmt: skip


def test_a_file_as_compressai_keeps_it() -> None:
    curve = references.parse(GOOD, "vtm.json", ["clic2020", "kodak"])
    assert (curve.id, curve.title, curve.dataset) == ("vtm", "VTM (vtm.json)", "kodak")
    assert curve.bpp == (0.2, 0.5)
    assert curve.metrics == {"psnr": (30.0, 33.0), "ms-ssim": (0.9, None)}
    assert "vtm.json; VTM 23; https://example.org" in curve.source
    assert curve.caution == ""


def test_older_and_bare_files_too() -> None:
    older = references.parse({"results": {"bpp": [1], "psnr": [40], "ms-ssim": [0.99]}}, "a b.json", ["kodak"])
    assert (older.id, older.metrics["psnr"], older.metrics["ms-ssim"]) == ("a-b", (40.0,), (0.99,))
    assert "does not name its pictures" in older.caution
    bare = references.parse({"bpp": [1.0], "psnr-rgb": [math.inf], "ms-ssim-rgb": [0.99]}, "x.json", ["kodak"])
    assert bare.metrics == {"psnr": (None,), "ms-ssim": (0.99,)}
    estimated = references.parse(GOOD | {"description": "Inference (entropy estimation)"}, "x.json", ["kodak"])
    assert "its rates are estimates" in estimated.caution


def test_ids_stay_apart(tmp_path: Path) -> None:
    for name in ("one.json", "two.json"):
        (tmp_path / name).write_text(json.dumps(GOOD))
    found = references.read_curves([tmp_path / "one.json", tmp_path / "two.json"], ["kodak"], {"vtm"})
    assert [curve.id for curve in found] == ["vtm-2", "vtm-3"]


def test_text_of_a_file_is_one_printable_line() -> None:
    curve = references.parse(GOOD | {"name": f"\x1b[31m{SCRIPT}\n\ud800" + "x" * 1000}, "f.json", ["kodak"])
    assert curve.title.isprintable()
    assert curve.title.startswith(f"\ufffd[31m{SCRIPT} ")
    assert len(curve.title) < 200


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "not JSON"),
        (b"\xff\xfe{}", "not JSON"),
        (b"[" * 100_000, "not JSON"),
        (b"1" * 5000, "not JSON"),
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
        references.read_curve(path, ["kodak"])
    assert str(path) in str(caught.value)
    assert "\n" not in str(caught.value)
    assert len(str(caught.value)) < 400


def test_absent_files_and_unnamed_data_sets(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"gone\.json: No such file"):
        references.read_curve(tmp_path / "gone.json", ["kodak"])
    with pytest.raises(UsageError, match=r'clic2020, kodak.*"meta"'):
        references.parse({"bpp": [0.1], "psnr": [30]}, "x.json", ["kodak", "clic2020"])


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
        return references.parse(data, "any.json", ["kodak"])
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


def test_literature_takes_files_beside_ids(results: Results, workspace: Path, tmp_path: Path) -> None:
    known = registry.load()
    file = make("compressai", results, tmp_path)[0]
    both = load_results("trade", workspace, known, [str(file), str(file)])
    assert [curve.id for curve in both.references] == ["jpeg", "jpeg-2"]
    assert not load_results("trade", workspace, known).references
    with pytest.raises(UnknownIdError, match="no published curve"):
        load_results("trade", workspace, known, ["vtm", str(file)])  # Kodak's, not on these pictures
    pages = api.write_reports("trade", workspace, known, ["page"], out=tmp_path / "page", literature=[str(file)])
    assert "jpeg (jpeg.json)" in pages[0].read_text("utf-8")


# --- the peer itself


@pytest.fixture(scope="module")
def peer() -> Path:
    """The Python of an environment with CompressAI (see benchmarks/peer.py)."""
    folder = Path(os.environ.get("BENCHBOX_PEER", Path(__file__).resolve().parents[2] / ".bench" / "peer"))
    python = folder / "bin" / "python"
    if not python.exists():
        pytest.skip(f"CompressAI is absent: no {python} (python benchmarks/peer.py, or set BENCHBOX_PEER)")
    if subprocess.run([python, "-c", "import compressai"], capture_output=True).returncode:
        pytest.skip(f"CompressAI is absent: {python} cannot import it")
    return python


def call(python: Path, *arguments: str | Path) -> str:
    done = subprocess.run([python, *arguments], capture_output=True, text=True, timeout=300, env=os.environ | {
        "MPLBACKEND": "Agg", "OMP_NUM_THREADS": "1"})  # fmt: skip
    assert done.returncode == 0, done.stderr
    return done.stdout


READ = """
import json, sys
from compressai.utils.plot.__main__ import parse_json_file
read = [parse_json_file(file, sys.argv[1]) for file in sys.argv[2:]]
print(json.dumps([one | {"ys": list(one["ys"])} for one in read]))
"""


@pytest.mark.slow
@pytest.mark.parametrize("metric", ["psnr", "ms-ssim"])
def test_compressai_draws_our_files(peer: Path, results: Results, tmp_path: Path, metric: str) -> None:
    files = make("compressai", results, tmp_path)
    picture = tmp_path / "plot.png"
    call(peer, "-m", "compressai.utils.plot", "-f", *files, "-m", metric, "-o", picture)
    drawn = np.asarray(PillowImage.open(picture).convert("RGB")).reshape(-1, 3)
    for colour in ((31, 119, 180), (255, 127, 14)):  # matplotlib's first two: one curve each
        assert (drawn == colour).all(axis=1).sum() > 100
    told = json.loads(call(peer, "-c", READ, metric, *files))
    ours = next(m for m in results.metrics if m.id == metric)
    for read, curve in zip(told, curves.mean_curves(results.frame, ours), strict=True):
        assert read["name"] == curve.label
        assert read["xs"] == pytest.approx(curve.bpp.tolist())
        assert read["ys"] == pytest.approx(curve.value.tolist())


@pytest.mark.slow
def test_what_compressai_measures_lies_on_our_curve(
    peer: Path, results: Results, workspace: Path, tmp_path: Path
) -> None:
    printed = call(peer, "-m", "compressai.utils.bench", "jpeg", workspace.parent / "pictures", "-q", "10,30,60,90")
    file = tmp_path / "bench.json"
    file.write_text(printed)
    (theirs,) = load_results("trade", workspace, registry.load(), [str(file)]).references
    assert theirs.title == "JPEG (bench.json)"
    for metric, close in (("psnr", 1e-6), ("ms-ssim", 1e-5)):
        ours = next(m for m in results.metrics if m.id == metric)
        (curve,) = (c for c in curves.mean_curves(results.frame, ours) if c.label == "jpeg")
        assert theirs.bpp == pytest.approx(curve.bpp.tolist(), rel=1e-9)
        assert theirs.metrics[metric] == pytest.approx(curve.raw.tolist(), rel=close)
