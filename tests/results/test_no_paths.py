"""What leaves this machine names no folder of it: a published folder, exports, reports."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import skimage.data
from click.testing import CliRunner

import benchbox
from benchbox import image, registry
from benchbox.cli.main import commands as cli
from benchbox.naming import PublicNames
from benchbox.plan import load_plan
from benchbox.results import check, find_run, publish
from benchbox.results.publish import dataset_digests
from benchbox.store import Workspace

USER = "maria-lindqvist"



@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A home folder with two data sets of one name, one with a space in its path, and a picture that cannot be read."""
    home = tmp_path_factory.mktemp("home") / USER
    crop = skimage.data.astronaut()
    for k, folder in enumerate((home / "my work" / "photos", home / "photos")):
        folder.mkdir(parents=True)
        for i in range(2):
            image.write_png(folder / f"{i}.png", np.ascontiguousarray(crop[9 * k + i : 90 + i, 100:196]))
        (folder / "broken.png").write_bytes(b"\x89PNG no picture")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("HOME", str(home))
        patch.setenv("USER", USER)
        patch.chdir(home)
        plan = {"name": "mine", "dataset": ["folder:my work/photos", f"folder:{home}/photos"], "metrics": ["psnr"],
                "codec": [{"id": "jpeg", "qualities": [10, 30, 50, 70, 90]}, {"id": "webp", "qualities": "10:90:20"}]}
        benchbox.run(plan, workspace=home / "runs", workers=1, reports=[])
        yield home


@pytest.fixture(scope="module")
def published(base: Path) -> Path:
    publish(find_run("mine", Workspace.at(base / "runs")), registry.load(), base / "out")
    return base / "out"


def leaks(folder: Path, base: Path) -> list[str]:
    """Files in which the home, its parent or the user stand, as bytes or, in a table, in a column's values."""
    needles = [USER, str(base), str(base.parent), json.dumps(str(base))[1:-1]]
    found = []
    for file in sorted(path for path in folder.rglob("*") if path.is_file()):
        texts = [file.read_bytes()]
        if file.suffix == ".parquet":
            texts.append(pd.read_parquet(file).to_csv().encode())
        found += [f"{file.name}: {needle}" for needle in needles for text in texts if needle.encode() in text]
    return found


def test_a_published_folder_names_no_folder_of_this_machine(published: Path, base: Path) -> None:
    assert leaks(published, base) == []
    frame = benchbox.load(published)
    assert set(frame["dataset"]) == {"folder:photos", "folder:photos (2)"}
    assert "failed" in set(frame["status"]) or frame["sample"].nunique() == 2


def test_its_data_sets_go_by_name_and_digest(published: Path) -> None:
    settings = json.loads((published / "settings.json").read_text())["datasets"]
    assert set(settings) == {"folder:photos", "folder:photos (2)"}
    digests = [about["sha256"] for about in settings.values()]
    assert len(set(digests)) == 2
    text = (published / "plan.toml").read_text()
    assert all(digest in text for digest in digests)
    assert load_plan(published / "plan.toml").dataset == ("folder:photos", "folder:photos (2)")
    assert {about["source"] for about in settings.values()} == {"folder photos", "folder photos (2)"}


def test_the_digest_of_a_data_set_is_that_of_its_measured_pictures(published: Path) -> None:
    """An unfinished run has rows without a digest, also of pictures of which others are measured."""
    frame = benchbox.load(published).astype({"sample_sha256": object})
    first = frame["sample"].iloc[0]
    unfinished = frame.copy()
    unfinished.loc[::2, "sample_sha256"] = None  # every second point of each picture
    assert dataset_digests(unfinished) == dataset_digests(frame)
    unfinished.loc[unfinished["sample"] == first, "sample_sha256"] = None
    assert dataset_digests(unfinished) == dataset_digests(frame[frame["sample"] != first])
    assert dataset_digests(frame.assign(sample_sha256=None)) == {}


def test_beside_its_pictures_it_can_be_checked(published: Path, tmp_path: Path, base: Path) -> None:
    shutil.copytree(published, tmp_path / "published")
    shutil.copytree(base / "my work" / "photos", tmp_path / "photos")
    shutil.copytree(base / "photos", tmp_path / "photos (2)")
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        verdicts = list(check(tmp_path / "published", registry.load(), each=2))
    assert verdicts
    assert all(verdict.agrees for verdict in verdicts), [v.words for v in verdicts]


@pytest.mark.parametrize("form", ["csv", "parquet"])
def test_an_export_names_none_either(base: Path, tmp_path: Path, form: str) -> None:
    target = tmp_path / f"table.{form}"
    asked = ["export", "mine", "--workspace", str(base / "runs"), "--format", form, "--output", str(target)]
    outcome = CliRunner().invoke(cli, asked)
    assert outcome.exit_code == 0, outcome.output
    assert leaks(tmp_path, base) == []


@pytest.mark.parametrize("kind", ["compressai", "codec-compare", "tables"])
def test_nor_does_a_report(base: Path, tmp_path: Path, kind: str) -> None:
    asked = ["report", "mine", "--workspace", str(base / "runs"), "--format", kind, "--output", str(tmp_path / "out")]
    outcome = CliRunner().invoke(cli, asked)
    assert outcome.exit_code == 0, outcome.output
    assert leaks(tmp_path / "out", base) == []


@pytest.mark.parametrize(("text", "shown"), [
    ("ImageError: /srv/data/kodak/1.png: broken", "ImageError: 1.png: broken"),
    ("see https://example.org/a/b/c", "see https://example.org/a/b/c"),
    ("file:///srv/a/b.png", "b.png"),
    ("5 MP/s, 4:2:0/8, a/b/c and 1/2/3", "5 MP/s, 4:2:0/8, a/b/c and 1/2/3"),
    ("--weights=/srv/models/w.pt -q 3", "--weights=w.pt -q 3"),
    ('File "/usr/lib/python3/x.py", line 3', 'File "x.py", line 3'),
    ("under /srv/pictures/ there", "under pictures there"),
    ("/srv/pictures/", "pictures"),
])  # fmt: skip
def test_paths_are_cut_to_their_last_part(text: str, shown: str) -> None:
    assert PublicNames.of([]).text(text) == shown
