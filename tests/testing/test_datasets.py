"""The kit's checks for a data set find what they are there to find: each is given a data set with one fault."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from benchbox import testing
from benchbox.dataset import Dataset, DatasetInfo, FileSample
from benchbox.errors import PluginError
from benchbox.image import digest, write_png


@dataclass(frozen=True)
class FolderInfo(DatasetInfo):
    promise: str | None = None
    own_id: str = "pics"

    def open(self, argument: str) -> Dataset:
        files = sorted(Path(argument).glob("*.png"))
        samples = tuple(FileSample(file.name, file, self.promise) for file in files)
        return Dataset(f"{self.own_id}:{argument}", "Pictures", samples)


@pytest.fixture
def folder(tmp_path: Path) -> str:
    for index in range(3):
        write_png(tmp_path / f"{index}.png", testing.noise(5, 7, 3, 8, seed=index))
    return str(tmp_path)


def test_sound_dataset_passes(folder: str) -> None:
    testing.check_dataset(FolderInfo("pics", "Pictures", argument="PATH"), folder)


def test_faulty_datasets_are_found(folder: str, tmp_path: Path) -> None:
    wrong = digest(testing.noise(5, 7, 3, 8, seed=99))
    with pytest.raises(PluginError, match="promises the digest"):
        testing.check_dataset(FolderInfo("pics", "Pictures", argument="PATH", promise=wrong), folder)
    with pytest.raises(PluginError, match="calls itself 'other:"):
        testing.check_dataset(FolderInfo("pics", "Pictures", argument="PATH", own_id="other"), folder)
    with pytest.raises(PluginError, match="argument is declared as ''"):
        testing.check_dataset(FolderInfo("pics", "Pictures"), folder)
    (tmp_path / "3.png").write_bytes(b"no picture")
    with pytest.raises(PluginError, match=r"sample 3\.png cannot be used"):
        testing.check_dataset(FolderInfo("pics", "Pictures", argument="PATH"), folder)
    (empty := tmp_path / "empty").mkdir()
    with pytest.raises(PluginError, match="it has no samples"):
        testing.check_dataset(FolderInfo("pics", "Pictures", argument="PATH"), str(empty))
