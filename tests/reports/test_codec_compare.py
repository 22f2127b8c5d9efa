"""Export to codec-compare: its page can read what a run measured."""

from __future__ import annotations

import math
from pathlib import Path

import pandas as pd
import pytest
from trading import SIZES, changed, make, strictly

from benchbox.report import Results

# What codec-compare's page (its src/entry.ts) knows by name, once in lower case and with spaces for underscores
PAGE_CONSTANTS = {"name", "codec", "version", "time", "source data set", "encoding cmd"}
PAGE_FIELDS = {"original name", "width", "height", "quality", "psnr", "ssim", "msssim", "encoded size", "bpp",
               "encoding time", "decoding time"}  # fmt: skip


@pytest.fixture
def workspace(trade: Path) -> Path:
    return trade


@pytest.fixture
def results(traded: Results) -> Results:
    return traded


def page_reads(path: Path) -> dict[str, pd.DataFrame]:
    """Batches by name as codec-compare's page reads them: a list, then files relative to it; fails where it would."""
    lists = strictly(path)
    assert lists
    tables = {}
    for (place,) in lists:
        batch = strictly(path.parent / place)
        assert set(batch) == {"constant_descriptions", "constant_values", "field_descriptions", "field_values"}
        described = [*batch["constant_descriptions"], *batch["field_descriptions"]]
        assert all(len(entry) == 1 and isinstance(next(iter(entry.values())), str) for entry in described)
        constants = [next(iter(entry)) for entry in batch["constant_descriptions"]]
        assert len(constants) == len(batch["constant_values"])
        assert all(isinstance(value, str) for value in batch["constant_values"])
        fields = [next(iter(entry)) for entry in batch["field_descriptions"]]
        assert all(len(row) == len(fields) for row in batch["field_values"])
        assert all(isinstance(value, str | int | float) for row in batch["field_values"] for value in row)
        known = [{name.lower().replace("_", " ") for name in names} for names in (constants, fields)]
        assert known[0] >= PAGE_CONSTANTS
        values = dict(zip(constants, batch["constant_values"], strict=True))
        table = pd.DataFrame(batch["field_values"], columns=[name.lower().replace("_", " ") for name in fields])
        tables[values["name"]] = table
        table.attrs = values
    return tables


def test_every_field_is_what_the_page_reads(results: Results, tmp_path: Path) -> None:
    files = make("codec-compare", results, tmp_path)
    lossy, lossless = files[:2]
    tables = page_reads(lossy)
    assert set(tables) == {"jpeg", "webp method=2"}
    for label, table in tables.items():
        assert set(table.columns) == PAGE_FIELDS
        rows = results.frame[results.frame["label"] == label]
        assert len(table) == len(rows) == 12
        ours = rows.set_index(["sample", "quality"])
        for row in table.to_dict("records"):
            measured = ours.loc[(row["original name"], row["quality"])]
            assert row["encoded size"] == measured["bytes"]
            assert (row["height"], row["width"]) == SIZES[row["original name"]]
            assert row["bpp"] == pytest.approx(8 * row["encoded size"] / (row["width"] * row["height"]))
            assert row["psnr"] == measured["psnr"]
            assert row["msssim"] == pytest.approx(-10 * math.log10(1 - measured["ms_ssim"]))
            assert row["ssim"] == pytest.approx(-10 * math.log10(1 - measured["ssim"]))
            assert (row["encoding time"], row["decoding time"]) == (measured["encode_s"], measured["decode_s"])
        constants = table.attrs
        assert constants["codec"] == rows["codec"].iloc[0]
        assert constants["version"] == rows["identity"].iloc[0]
        assert pd.Timestamp(constants["time"]).tz is not None
        assert "left_out" not in constants
    assert tables["webp method=2"].attrs["encoding_cmd"].startswith("benchbox encode ${original_name} --codec webp:")
    (png,) = page_reads(lossless).values()
    assert set(png.columns) == PAGE_FIELDS - {"quality", "psnr", "msssim", "ssim"}


def test_the_command_of_a_batch_makes_its_bytes(
    results: Results, tmp_path: Path, workspace: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`encoding_cmd`, filled in as the page fills it in, gives a stream of the listed size as it stands."""
    from click.testing import CliRunner

    from benchbox.cli.main import commands

    table = page_reads(make("codec-compare", results, tmp_path)[0])["webp method=2"]
    row = table.iloc[5]
    picture = workspace.parent / "pictures" / row["original name"]
    command = table.attrs["encoding_cmd"].replace("${original_name}", str(picture))
    words = command.replace("${quality}", str(row["quality"])).split()[1:]
    monkeypatch.chdir(tmp_path)
    done = CliRunner().invoke(commands, words, catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert (tmp_path / "stream.bin").stat().st_size == row["encoded size"]


def test_rows_without_a_value_are_left_out_and_counted(results: Results, tmp_path: Path) -> None:
    at = (results.frame["label"] == "jpeg") & (results.frame["quality"] == 90)
    broken = changed(results, psnr=lambda frame: frame["psnr"].mask(at))
    tables = page_reads(make("codec-compare", broken, tmp_path)[0])
    assert sorted(tables["jpeg"]["quality"].unique()) == [10, 30, 60]
    assert tables["jpeg"].attrs["left_out"] == "3 of 12"
    assert len(tables["webp method=2"]) == 12


def test_pictures_called_by_numbers_stay_texts(results: Results, tmp_path: Path) -> None:
    numbers = dict(zip(SIZES, ("01", "0x10", "1e3"), strict=True))
    renamed = changed(results, sample=lambda frame: frame["sample"].map(numbers).astype("category"))
    table = page_reads(make("codec-compare", renamed, tmp_path)[0])["jpeg"]
    assert set(table["original name"]) == {"picture 01", "picture 0x10", "picture 1e3"}
