"""A published run is read without the store, and checked by measuring points again."""

import shutil
from pathlib import Path

import pandas as pd
import pytest
from stored import stored_results

import benchbox
from benchbox import registry
from benchbox.errors import StoreError
from benchbox.results import PUBLISHED, Verdict, agreement, check, exit_code, find_run, publish
from benchbox.store import Workspace

PLAN = {
    "name": "small",
    "dataset": "samples",
    "codec": [
        {"id": "jpeg", "qualities": [30, 60, 80, 90]},
        {"id": "webp", "qualities": [30, 60, 80, 90]},
        {"id": "png"},
    ],
}


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("publishing") / "runs"
    benchbox.run(PLAN, workspace=folder, reports=[])
    return folder


@pytest.fixture(scope="module")
def folder(workspace: Path) -> Path:
    out = workspace.parent / "published"
    files = publish(find_run("small", Workspace.at(workspace)), registry.load(), out)
    assert files[0] == out / "index.html"
    return out


def test_the_folder_stands_for_the_run(folder: Path, workspace: Path) -> None:
    kept, stored = benchbox.load(folder), benchbox.load("small", workspace)
    pd.testing.assert_frame_equal(kept, stored)
    pd.testing.assert_frame_equal(benchbox.bd_rates(folder), benchbox.bd_rates("small", workspace=workspace))
    pd.testing.assert_frame_equal(benchbox.bd_rates(kept), benchbox.bd_rates(folder))
    assert set(benchbox.compare("small", folder, workspace=workspace)["verdict"]) == {"same"}
    assert set(benchbox.compare(kept, folder, codecs=["jpeg=webp"])["changed"]) == {kept["sample"].nunique() * 4}


def test_rendered_again_the_tables_are_the_same(folder: Path, tmp_path: Path) -> None:
    moved = tmp_path / "moved"
    shutil.copytree(folder, moved)
    results = stored_results(moved, tmp_path, registry.load())
    tables = registry.load().report("tables")
    (tmp_path / "again").mkdir()
    files = [f for f in tables.render(results, tables.Options(), tmp_path / "again") if f.suffix == ".csv"]
    assert files
    for file in files:
        before = folder / file.relative_to(tmp_path / "again")
        assert file.read_text() == before.read_text(), file.name


def test_measured_again_it_agrees(folder: Path) -> None:
    verdicts = list(check(folder, registry.load(), each=1))
    assert [v.label for v in verdicts] == ["jpeg", "webp", "png"]
    assert all(v.agrees and v.words == "same bytes, same metrics" for v in verdicts)
    assert agreement(verdicts).startswith("3 of 3 points agree")


def test_what_differs_is_named(folder: Path, tmp_path: Path) -> None:
    forged = tmp_path / "forged"
    shutil.copytree(folder, forged)
    table = pd.read_parquet(forged / PUBLISHED)
    table["identity"] = table["identity"].astype(str) + " of last year"
    webp = table["codec"] == "webp"
    table.loc[webp, "bytes"] += 1
    table.loc[webp, "stream_sha256"] = "0" * 64
    table.loc[table["codec"] == "jpeg", "psnr"] += 0.5
    table["codec"] = table["codec"].astype(str).replace("png", "lost")
    table.to_parquet(forged / PUBLISHED, index=False)
    jpeg, web, lost = check(forged, registry.load(), each=1)
    assert jpeg.agrees is False
    assert jpeg.words.startswith("psnr ")
    assert "of last year', here is" in jpeg.words
    assert web.agrees is False
    assert " bytes instead of " in web.words
    assert lost.agrees is None
    assert "no codec is called 'lost'" in lost.words
    assert agreement([jpeg, web, lost]) == "0 of 2 points agree; 2 differ; 1 could not be measured here"


@pytest.mark.parametrize(("agree", "code"), [([True, True], 0), ([True, None], 3), ([True, False, None], 1),
                                             ([None, None], 1), ([], 1)])  # fmt: skip
def test_what_could_not_be_measured_is_no_success(agree: list[bool | None], code: int) -> None:
    assert exit_code([Verdict("jpeg", "a.png", 50.0, one, "") for one in agree]) == code


def test_a_folder_without_results_is_named(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match=r"results\.parquet"):
        list(check(tmp_path, registry.load()))


def test_a_broken_table_is_one_line(tmp_path: Path) -> None:
    (tmp_path / PUBLISHED).write_bytes(b"PAR1 no")
    with pytest.raises(StoreError, match="is not a results table"):
        benchbox.load(tmp_path)
