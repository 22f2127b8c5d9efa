"""The names that a page of many curves shows at the start beside the best of each family: those that were asked for."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from benchbox_reports.analysis import analyse
from benchbox_reports.embed import asked_names
from crowded import PUBLISHED

from benchbox import registry
from benchbox.appearance import Appearance
from benchbox.report import Results
from benchbox.results import find_run, load_results
from benchbox.results.by_picture import with_literature
from benchbox.results.shape import shaped
from benchbox.store import Workspace


def asked(results: Results, **table: object) -> list[str]:
    wanted = replace(results, appearance=Appearance.model_validate(table))
    return asked_names(analyse(shaped(with_literature(wanted))))


def test_what_flags_and_the_table_name(tmp_path: Path) -> None:
    curves = tmp_path / "theirs.csv"
    curves.write_text("codec,sample,bpp,psnr\n" + "".join(
        f"theirs,kodim01.png,{rate},{value}\n" for rate, value in ((0.2, 27), (0.4, 30), (0.8, 33), (1.6, 37))))
    place = find_run(PUBLISHED, Workspace.at(tmp_path / "runs"))
    whole = load_results(place, registry.load(), ["vtm", str(curves)])
    few = (whole.frame["sample"] == "kodim01.png") & whole.frame["codec"].isin(["jpeg", "webp", "heic"])
    results = replace(whole, frame=whole.frame[few.to_numpy(dtype=bool)], metrics=whole.metrics[:1])
    alone = replace(results, references=[])
    assert asked(alone) == []
    assert asked(alone, highlight="heic", labels={"heic": "Ours", "jpeg": "J"}) == ["Ours"]
    assert asked(alone, codecs=["heic", "jpeg"]) == ["heic", "jpeg"]  # all that there is: nothing is hidden
    theirs, vtm = asked(results)
    assert theirs.startswith("theirs")  # given picture by picture
    assert vtm.startswith("VTM")
    assert asked(results, highlight="webp") == ["webp", theirs, vtm]
