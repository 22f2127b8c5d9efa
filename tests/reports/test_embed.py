"""What the page and the visual comparison hold, without a browser."""

from __future__ import annotations

import re
from base64 import b64decode
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
import pytest
from benchbox_reports.naming import public
from benchbox_reports.pareto import DrawnSpeeds, drawn_speeds
from benchbox_reports.speeds import measure_speeds
from benchbox_reports.visual import crop, error_map, parse_targets
from hostile_report import SCRIPT, embedded
from PIL import Image as PillowImage

from benchbox.bd import percent
from benchbox.errors import UsageError
from benchbox.report import Results


def test_the_embedded_numbers_are_those_of_the_tables(report: Path) -> None:
    data = embedded(report / "index.html")
    (section,), (dataset,) = data["sections"], data["datasets"]
    points = pd.read_csv(report / "tables/rd-points.csv")
    for curve in section["curves"]:
        own = points[points["label"] == curve["label"]]
        assert curve["bpp"] == pytest.approx(own["bpp"].tolist(), abs=1e-6)
        assert curve["raw"] == pytest.approx(own["mean"].tolist(), abs=1e-3)
        assert curve["bytes"] == pytest.approx(own["bytes"].tolist(), abs=0.5)
    ratios = section["ratios"]
    assert ratios["labels"] == ["jpeg", SCRIPT]
    pictures = pd.read_csv(report / "tables/bd-pictures.csv")
    against = pictures[pictures["anchor"] == "jpeg"].set_index("picture")[SCRIPT]
    for place, log in zip(ratios["pictures"], ratios["log"][0], strict=True):
        assert percent(log / data["ratio"]) == pytest.approx(against[dataset["pictures"][place]], abs=2e-3)
    (matrix,) = pd.read_csv(report / "tables/bd-matrix.csv").query("anchor == 'jpeg'").to_dict("records")
    for name, column in (("mean", "bd_rate_percent"), ("low", "low_95"), ("high", "high_95")):
        assert percent(ratios[name][0] / data["ratio"]) == pytest.approx(matrix[column], abs=2e-3)
    bd = pd.read_csv(report / "tables/bd-all.csv")
    for anchor, rows in section["bd"].items():
        ((cells, _),) = rows
        (row,) = bd[bd["anchor"] == anchor].to_dict("records")
        shown = cells[1].replace("−", "-")
        decimals = len(shown.partition(".")[2])  # as many as the interval allows
        assert float(shown) == pytest.approx(row["bd_rate_percent"], abs=0.501 * 10.0**-decimals)


def test_what_is_shown_at_matched_rate_is_what_was_measured(report: Path) -> None:
    pictures = embedded(report / "visual.html")["pictures"]
    assert len(pictures) == 3
    for picture in pictures:
        original = np.asarray(PillowImage.open(report / picture["file"]))
        for shot in picture["shots"]:
            decoded = np.asarray(PillowImage.open(report / shot["file"]))
            told = re.search(r"PSNR ([\d.]+) dB", ", ".join(shot["told"]))
            assert told
            error = np.mean((decoded.astype(float) - original) ** 2)
            assert 10 * np.log10(255**2 / error) == pytest.approx(float(told.group(1)), abs=0.0051)
            assert (report / shot["error"]).is_file()
    assert not list(report.glob("**/*img*"))  # files are numbered, never named after pictures


def test_no_file_names_a_folder_of_this_machine(results: Results, report: Path) -> None:
    private = results.frame["dataset"].iloc[0].partition(":")[2]
    assert private.startswith("/")
    texts = {file: file.read_text(encoding="utf-8") for file in report.rglob("*")
             if file.suffix in (".html", ".csv", ".md", ".tex", ".svg")}  # fmt: skip
    assert len(texts) > 10
    assert [file for file, text in texts.items() if private in text] == []
    assert "folder:pictures" in texts[report / "index.html"]


def test_two_folders_of_one_name_stay_two() -> None:
    frame = pd.DataFrame({"dataset": pd.Categorical(["folder:/a/x", "folder:/b/x", "kodak"]),
                          "reason": pd.array(["", "/b/x/1.png: broken", ""], dtype="string")})
    named = public(Results("run", frame, (), 'dataset = ["folder:/a/x", "folder:/b/x"]', {},
                           {"folder:/b/x": ["folder /b/x", "Source: /b/x"]}))
    assert list(named.frame["dataset"]) == ["folder:x", "folder:x (2)", "kodak"]
    assert named.frame["reason"].iloc[1] == "x (2)/1.png: broken"
    assert named.plan == 'dataset = ["folder:x", "folder:x (2)"]'
    assert named.dataset_notes == {"folder:x (2)": ("folder x (2)", "Source: folder x")}


def test_small_pictures_are_those_of_the_data_set(results: Results, report: Path) -> None:
    (dataset,) = embedded(report / "index.html")["datasets"]
    keys = results.frame.drop_duplicates("sample").set_index("sample")["key"]
    assert results.original is not None
    for name, uri in zip(dataset["pictures"], dataset["small"], strict=True):
        small = np.asarray(PillowImage.open(BytesIO(b64decode(uri.removeprefix("data:image/webp;base64,")))))
        original = results.original(keys[name])
        assert small.shape == original.shape  # smaller than a thumbnail: as large as it is
        assert 10 * np.log10(255**2 / np.mean((small.astype(float) - original) ** 2)) > 25


def test_speeds_that_cannot_be_compared_are_refused(results: Results) -> None:
    frame, labels = results.frame, ("jpeg", SCRIPT)

    def drawn(**columns: Any) -> DrawnSpeeds:
        changed = replace(results, frame=frame.assign(**columns))
        (one,) = drawn_speeds(changed, measure_speeds(changed, labels)).values()
        return one

    jpeg = frame["label"] == "jpeg"
    none = drawn(timing="disturbed")
    assert none.sides == {"encode": {}, "decode": {}}
    assert "Quality runs do not measure speed" in none.notes[0]
    two = drawn(timing="timed", host=np.where(jpeg, "ant", "bee"))
    assert two.sides["encode"] == {}
    assert "2 hosts (ant, bee)" in two.notes[0]
    assert "one batch size" in drawn(timing="timed", batch=np.where(jpeg, 1, 8)).notes[0]
    partly = drawn(timing=np.where(jpeg & (frame["quality"] == 10), "disturbed", "timed"))
    assert list(partly.sides["encode"]) == [SCRIPT]
    assert "jpeg (20 of 25 points)" in partly.notes[1]
    median, low, high = drawn(timing="timed").sides["decode"]["jpeg"]
    speed = 61 * 83 / 1e6 / frame["decode_s"][jpeg]
    assert (low, median, high) == pytest.approx(speed.quantile([0.25, 0.5, 0.75]).tolist())


def test_crops_and_error_maps() -> None:
    assert crop(np.zeros((600, 2000, 3), np.uint8)).shape == (512, 512, 3)
    assert crop(np.zeros((7, 5, 1), np.uint8)).shape == (7, 5, 1)
    black = np.zeros((1, 3, 3), np.uint8)
    brightness = error_map(black, black + np.array([[[0], [8], [40]]], np.uint8)).sum(axis=2)[0]
    assert brightness[0] < brightness[1] < brightness[2]
    assert parse_targets("1, 0.25,1") == [0.25, 1.0]
    for wrong in ("", "a", "0.5,-1", "nan"):
        with pytest.raises(UsageError, match="write the target rates"):
            parse_targets(wrong)
