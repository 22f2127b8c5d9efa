"""A published folder that others made, or that was damaged, is read, or refused by one line with file and place."""

from __future__ import annotations

import json
import random
import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from stored import stored_results

import benchbox
from benchbox.errors import BenchboxError, StoreError

GOLDEN = Path(__file__).parents[1] / "golden" / "published-1"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return Path(shutil.copytree(GOLDEN, tmp_path / "published"))


VALUES: dict[str, Any] = {
    "text for a number": ("width", "x"), "no bytes": ("bytes", None), "negative bpp": ("bpp", -1.0),
    "infinite bpp": ("bpp", float("inf")), "another bpp": ("bpp", 1.0), "zero width": ("width", 0),
    "huge width": ("width", 2**53), "no key": ("key", None), "options": ("options", "{"),
    "options of a list": ("options", "[]"), "deep options": ("options", "[" * 100_000),
    "reasons": ("null_reasons", "{"), "reasons of a list": ("null_reasons", "[1]"), "no data set": ("dataset", None),
    "infinite score": ("psnr", float("-inf")), "score in words": ("psnr", "high"), "negative time": ("encode_s", -1e-9),
    "endless time": ("decode_cpu_s", float("inf")), "negative memory": ("peak_bytes", -1.0),
    "no pictures a call": ("batch", 0), "huge threads": ("threads", 2**62),
    "infinite quality": ("quality", float("inf")),
    "half a byte": ("bytes", 10.5), "no channels": ("channels", 0), "negative width": ("width", -640),
    "no run": ("run", None), "no status": ("status", None), "long label": ("label", "x" * 100_000),
}  # fmt: skip


@pytest.mark.parametrize(("column", "value"), VALUES.values(), ids=VALUES)
def test_a_table_with_what_no_run_gives_is_refused(column: str, value: Any, folder: Path) -> None:
    table = pd.read_parquet(folder / "results.parquet")
    table[column] = pd.Series([value] * len(table), dtype=object if isinstance(value, str) or value is None else None)
    table.to_parquet(folder / "results.parquet")
    with pytest.raises(StoreError, match=rf"results\.parquet: .*({column}|convert|cast).*; publish the run again"):
        benchbox.load(folder)


@pytest.mark.parametrize("column", [
    "run", "dataset", "sample", "codec", "label", "status", "key", "width", "height", "channels", "bit_depth", "bytes",
    "bpp"])  # fmt: skip
def test_a_column_of_every_release_that_is_not_there_is_named(column: str, folder: Path) -> None:
    pd.read_parquet(folder / "results.parquet").drop(columns=[column]).to_parquet(folder / "results.parquet")
    with pytest.raises(StoreError, match=rf"results\.parquet: .*column {column}.*; publish the run again"):
        benchbox.load(folder)


def test_a_table_without_rows_is_refused(folder: Path) -> None:
    pd.read_parquet(folder / "results.parquet").iloc[:0].to_parquet(folder / "results.parquet")
    with pytest.raises(StoreError, match=r"results\.parquet: .*it has no rows"):
        benchbox.load(folder)


def test_the_place_is_named(folder: Path) -> None:
    table = pd.read_parquet(folder / "results.parquet")
    table.loc[7, "encode_s"] = -1.0
    table.to_parquet(folder / "results.parquet")
    with pytest.raises(StoreError, match=r"results\.parquet: .*column encode_s, row 7: -1 is not within 0 \.\. 1e\+09"):
        benchbox.load(folder)


def test_what_is_missing_for_a_reason_is_no_fault(folder: Path) -> None:
    frame = benchbox.load(folder)
    assert frame["psnr"].isna().any(), "a lossless codec has none"
    table = pd.read_parquet(folder / "results.parquet")
    for name in ("psnr", "ms_ssim", "encode_s", "encode_spread_s", "peak_bytes", "quality"):
        table[name] = float("nan")
    table.to_parquet(folder / "results.parquet")
    assert benchbox.load(folder)["encode_s"].isna().all()


def test_control_characters_of_others_reach_no_terminal(folder: Path) -> None:
    table = pd.read_parquet(folder / "results.parquet")
    table["label"] = table["label"].astype(str) + "\x1b[2J\x00"
    table["reason"] = "\x1b]0;title\x07"
    table.to_parquet(folder / "results.parquet")
    text = (folder / "settings.json").read_text().replace('"title": "', '"title": "\\ud800\\u0000\\u001b[2J')
    (folder / "settings.json").write_text(text)
    results = stored_results(folder, folder.parent)
    said = "".join([*map(str, results.frame["label"]), *map(str, results.frame["reason"]), str(results.dataset_notes),
                    str(results.codec_settings)])  # fmt: skip
    assert said.isprintable()
    said.encode()


@pytest.mark.parametrize("cut", [0, 4, 500, -1, -100])
def test_a_table_that_is_cut_is_refused(cut: int, folder: Path) -> None:
    data = (folder / "results.parquet").read_bytes()
    (folder / "results.parquet").write_bytes(data[:cut])
    with pytest.raises(StoreError, match=r"results\.parquet: is not a results table"):
        benchbox.load(folder)


def test_flipped_bits_are_read_or_refused(folder: Path) -> None:
    data, chosen = (folder / "results.parquet").read_bytes(), random.Random(4)
    for _ in range(60):
        flipped = bytearray(data)
        for _ in range(chosen.choice((1, 3, 20))):
            flipped[chosen.randrange(len(flipped))] ^= 1 << chosen.randrange(8)
        (folder / "results.parquet").write_bytes(flipped)
        try:
            assert len(benchbox.load(folder)) == 36
        except StoreError as error:
            assert "\n" not in str(error)  # noqa: PT017 - most of them are


def test_more_rows_than_a_run_has_are_not_read(folder: Path) -> None:
    pq.write_table(pa.table({"key": pa.nulls(21_000_000, pa.bool_())}), folder / "results.parquet")
    assert (folder / "results.parquet").stat().st_size < 100_000
    with pytest.raises(StoreError, match="are more than a run has"):
        benchbox.load(folder)


def test_a_text_that_many_rows_share_is_counted_for_each(folder: Path) -> None:
    table = pq.read_table(folder / "results.parquet")
    rows, at = 100_000, table.schema.get_field_index("reason")
    many = table.take(pa.nulls(rows, pa.int32()).fill_null(0))
    shared = pa.DictionaryArray.from_arrays(pa.nulls(rows, pa.int32()).fill_null(0), ["x" * (1 << 20)])
    pq.write_table(many.set_column(at, "reason", shared), folder / "results.parquet")
    assert (folder / "results.parquet").stat().st_size < 300_000
    with pytest.raises(StoreError, match=r"100000 rows of 1000\d\d MiB are more than a run has"):
        benchbox.load(folder)


def test_a_column_of_lists_is_refused(folder: Path) -> None:
    table = pq.read_table(folder / "results.parquet")
    lists = pa.array([[1.0] * 1000] * table.num_rows)
    pq.write_table(table.append_column("vmaf", lists), folder / "results.parquet")
    with pytest.raises(StoreError, match=r"the column 'vmaf' holds list<.*double>"):
        benchbox.load(folder)


def changed(change: Callable[[dict[str, Any]], object]) -> str:
    settings = json.loads((GOLDEN / "settings.json").read_text())
    change(settings)
    return json.dumps(settings)


SETTINGS: dict[str, tuple[str, str]] = {
    "a list": ("[]", "the file: must be a table, got \\[\\]"), "not JSON": ("{", r"line 1 column 2"),
    "deep": ("[" * 200_000, "nested"),
    "no metrics": (changed(lambda s: s.pop("metrics")), "metrics: is missing"),
    "metrics": (changed(lambda s: s.update(metrics=[{}])), r"metrics\.0: must be text, got {}"),
    "no data sets": (changed(lambda s: s.pop("datasets")), "datasets: is missing"),
    "no title": (changed(lambda s: [d.pop("title") for d in s["datasets"].values()]), r"datasets\..*title: is missing"),
    "notes": (changed(lambda s: [d.update(notes=5) for d in s["datasets"].values()]), r"notes: must be a list, got 5"),
    "codecs": (changed(lambda s: s.update(codecs=[])), "codecs: must be a table, got \\[\\]"),
}  # fmt: skip


@pytest.mark.parametrize(("text", "said"), SETTINGS.values(), ids=SETTINGS)
def test_settings_are_checked_by_place(text: str, said: str, folder: Path) -> None:
    (folder / "settings.json").write_text(text)
    with pytest.raises(StoreError, match=rf"settings\.json: .*{said}.*; run the plan again"):
        stored_results(folder, folder.parent)


@pytest.mark.parametrize("text", ["[]", "{}", '{"sessions": "abc"}', '{"sessions": [1]}', "", "[" * 100_000])
def test_the_environment_is_checked(text: str, folder: Path) -> None:
    (folder / "environment.json").write_text(text)
    with pytest.raises(StoreError, match=r"environment\.json: .*; run the plan again"):
        stored_results(folder, folder.parent)


@pytest.mark.parametrize("name", ["plan.toml", "settings.json", "environment.json"])
def test_what_is_gone_or_no_text_is_named(name: str, folder: Path) -> None:
    for damage in (lambda path: path.write_bytes(b"\xff\xfe\x00"), lambda path: path.unlink()):
        damage(folder / name)
        with pytest.raises(BenchboxError, match=rf"{name}: .*run the plan again"):
            stored_results(folder, folder.parent)
