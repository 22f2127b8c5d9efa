"""What a run measured of pictures of a few pixels is read back from the files that it exports."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from small_runs import plan
from stored import stored_results
from trading import make

import benchbox
from benchbox import image, registry
from benchbox.errors import UsageError
from benchbox.results.literature import find_references

HEAD = "codec,sample,width,height,psnr,"


def test_the_rates_of_tiny_pictures_are_read_back(photo: NDArray[np.uint8], tmp_path: Path) -> None:
    folder, runs = tmp_path / "tiny", tmp_path / "runs"
    folder.mkdir()
    for side in (1, 2):
        image.write_png(folder / f"{side}.png", np.ascontiguousarray(photo[:side, :side]))
    asked = plan(folder, {"id": "jpeg", "qualities": [20, 90]}, {"id": "webp", "qualities": [20, 90]})
    frame = benchbox.run(asked, workspace=runs, workers=1, reports=[])
    (tmp_path / "mine.csv").write_text(frame[[*HEAD.strip(",").split(","), "quality", "bytes"]].to_csv(index=False))
    batches = [file for file in make("codec-compare", stored_results("t", runs, registry.load()), tmp_path / "out")
               if "jpeg" in file.name or "webp" in file.name]  # fmt: skip
    finite = frame[np.isfinite(frame["psnr"])]  # codec-compare has no infinity and gets no row of it
    assert finite["bpp"].max() > 4000
    assert len(batches) == 2
    dataset = str(frame["dataset"].iloc[0])
    for files, rows in (([tmp_path / "mine.csv"], frame), (batches, finite)):
        curves = find_references([str(file) for file in files], [dataset], registry.load())
        read = sorted(rate for curve in curves for points in curve.pictures.values() for rate in points.bpp)
        assert read == pytest.approx(sorted(rows["bpp"]))


ROWS = ["jpeg,a,768,512,30,31234", "jpeg,a,1,1,30,1e8", "jpeg,a,0,0,30,1001", "jpeg,a,,,30,5e3"]


@pytest.mark.parametrize("row", ROWS)
def test_a_rate_that_no_picture_of_its_size_has_is_refused(row: str, tmp_path: Path) -> None:
    (tmp_path / "theirs.csv").write_text(f"{HEAD}bpp\n{row}\n")
    with pytest.raises(UsageError, match=r"bpp is not within 0 \.\. \d+; rates are bits, not bytes"):
        find_references([str(tmp_path / "theirs.csv")], ["kodak"], registry.load())
