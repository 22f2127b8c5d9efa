"""Runs: the contents of rows; resuming, adding and re-scoring; pictures that cannot be read."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from small_runs import go, measured, plan, rows_of

from benchbox import image

JPEG = {"id": "jpeg", "qualities": [10, 50, 90]}


def test_rows_hold_what_really_came_back(tmp_path: Path, pictures: Path) -> None:
    frame = go(tmp_path, plan(pictures, JPEG))
    assert len(frame) == 9
    assert set(frame["status"]) == {"ok"}
    for row in rows_of(frame):
        data = (tmp_path / "runs" / "streams" / row.stream_sha256[:2] / row.stream_sha256).read_bytes()
        assert row.bytes == len(data)
        assert row.bpp == pytest.approx(8 * len(data) / (row.width * row.height))
    assert frame.groupby("sample", observed=True)["psnr"].apply(lambda v: v.is_monotonic_increasing).all()
    assert (frame["encode_s"] > 0).all()
    assert (frame["decode_s"] > 0).all()


def test_dtypes_are_those_of_the_column_table(tmp_path: Path, pictures: Path) -> None:
    from benchbox.store import COLUMNS

    frame = go(tmp_path, plan(pictures, JPEG, {"id": "png"}))
    assert {c.name: str(frame[c.name].dtype) for c in COLUMNS} == {
        c.name: c.dtype if c.dtype != "string" else str(frame["key"].dtype) for c in COLUMNS
    }
    lossless = frame[frame["codec"] == "png"]
    assert lossless["exact"].all()
    assert lossless["quality"].isna().all()
    assert lossless["psnr"].isna().all()
    assert "psnr" in json.loads(lossless["null_reasons"].iloc[0])


def test_running_again_measures_nothing(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    before = measured(tmp_path)
    again = go(tmp_path, plan(pictures, JPEG))
    assert measured(tmp_path) == before
    pd.testing.assert_frame_equal(first, again)


def test_a_new_codec_runs_alone_and_a_new_metric_encodes_nothing(tmp_path: Path, pictures: Path) -> None:
    go(tmp_path, plan(pictures, JPEG))
    before = measured(tmp_path)
    go(tmp_path, plan(pictures, JPEG, {"id": "webp", "qualities": [50]}))
    after = measured(tmp_path)
    assert before.items() <= after.items()
    assert len(after) == len(before) + 3
    frame = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "ms-ssim"]))
    assert measured(tmp_path) == after
    assert frame["ms_ssim"].between(0.5, 1).all()


def test_dropped_streams_are_encoded_anew_for_a_new_metric(tmp_path: Path, pictures: Path) -> None:
    first = go(tmp_path, plan(pictures, JPEG))
    shutil.rmtree(tmp_path / "runs" / "streams")
    again = go(tmp_path, plan(pictures, JPEG, metrics=["psnr", "psnr-y"]))
    assert list(first["stream_sha256"]) == list(again["stream_sha256"])
    assert again["psnr_y"].notna().all()


def test_two_runs_share_what_they_have_in_common(tmp_path: Path, pictures: Path) -> None:
    go(tmp_path, plan(pictures, JPEG))
    before = measured(tmp_path)
    frame = go(tmp_path, plan(pictures, JPEG | {"label": "mine"}, name="other"))
    assert measured(tmp_path) == before
    assert set(frame["label"]) == {"mine"}


@pytest.mark.slow  # half a minute
def test_awkward_files_cost_their_own_rows(tmp_path: Path, odd: Path) -> None:
    codecs = ({"id": "jpeg", "qualities": [50]}, {"id": "png"})
    frame = go(tmp_path, plan(odd, *codecs, dataset=f"folder:{odd}"))
    own = frame[~frame["sample"].str.startswith("pngsuite")].set_index(["sample", "codec"])
    assert own.loc[("cmyk.jpg", "png"), "status"] == "unsupported"
    assert "CMYK" in str(own.loc[("cmyk.jpg", "jpeg"), "reason"])
    for name in ("empty.png", "trunc50.jpg", "text_named.png", "bitflip30.png"):
        assert own.loc[(name, "png"), "status"] == "failed"
        assert name in str(own.loc[(name, "png"), "reason"])
    assert own.loc[("rgba_gradient_alpha.png", "jpeg"), "status"] == "unsupported"
    for name in ("size_1x1.png", "gray8.png", "large_25MP.jpg", "rgba_gradient_alpha.png", "exif_orient6.jpg"):
        assert own.loc[(name, "png"), "status"] == "ok"
        assert own.loc[(name, "png"), "exact"]
    ok = own[own["status"] == "ok"]
    assert ok["bpp"].gt(0).all()


def test_a_picture_that_is_mended_ismeasured(tmp_path: Path, pictures: Path) -> None:
    whole = (pictures / "1.png").read_bytes()
    (pictures / "1.png").write_bytes(whole[:500])
    first = go(tmp_path, plan(pictures, JPEG))
    assert dict(first["status"].value_counts()) == {"ok": 6, "failed": 3}
    (pictures / "1.png").write_bytes(whole)
    assert set(go(tmp_path, plan(pictures, JPEG))["status"]) == {"ok"}


def test_alpha_is_scored_over_black_and_white_and_the_worse_counts(tmp_path: Path, photo: np.ndarray) -> None:
    folder = tmp_path / "alpha"
    folder.mkdir()
    ramp = np.broadcast_to(np.linspace(0, 255, photo.shape[1]).astype(np.uint8)[None, :, None], (*photo.shape[:2], 1))
    source = np.ascontiguousarray(np.dstack([photo, ramp]))
    image.write_png(folder / "a.png", source)
    frame = go(tmp_path, plan(folder, {"id": "webp", "qualities": [20]}))
    (row,) = rows_of(frame)
    from PIL import Image

    stream = tmp_path / "runs" / "streams" / row.stream_sha256[:2] / row.stream_sha256
    decoded = np.asarray(Image.open(stream))
    worst = []
    for background in (0.0, 255.0):
        sides = [p[..., :3] * (p[..., 3:] / 255) + background * (1 - p[..., 3:] / 255) for p in (source, decoded)]
        worst.append(10 * np.log10(255**2 / np.mean((np.round(sides[0]) - np.round(sides[1])) ** 2)))
    assert row.psnr == pytest.approx(min(worst), abs=0.01)
