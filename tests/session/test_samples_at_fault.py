"""A data set whose samples are at fault costs their own rows, by name of plugin, method and place, and no other's."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from installed_plugins import Install

import benchbox
from benchbox import image
from benchbox.cli import main  # noqa: F401  (its imports add the commands)
from benchbox.cli.main import commands

SOURCE = '''
import sys
import numpy
from benchbox import Dataset, DatasetInfo, FileSample, Sample, hookimpl

class Sound(Sample):
    def __init__(self, name): self.id = name
    def load(self): return numpy.full((8, 8, 3), 7, "u1")
    def sha256(self): return None

{classes}

class Info(DatasetInfo):
    def open(self, argument): return Dataset("acme", "Acme", (Sound("sound"), {samples}))

@hookimpl
def benchbox_datasets(): return [Info(id="acme", title="Acme")]
'''

FAULTS = {
    "load raises": ("load", "1 / 0", "(plugin acme): load raised ZeroDivisionError: division by zero (acme.py:"),
    "load exits": ("load", "sys.exit(3)", "(plugin acme): load raised SystemExit: 3 (acme.py:"),
    "load lines": ("load", "raise ValueError('a\\nb\\x00')", "load raised ValueError: a b (acme.py:"),
    "load list": ("load", "return [[0]]", "load list: expected a numpy array (H, W, C), got list"),
    "sha raises": ("sha256", "1 / 0", "(plugin acme): sha256 raised ZeroDivisionError: division by zero (acme.py:"),
    "sha bytes": ("sha256", "return b'7'", "sha bytes: sha256 must give 64 hexadecimal digits or None, got b'7'"),
    "stamp raises": ("stamp", "1 / 0", ""), "stamp 7": ("stamp", "return 7", ""),
    "notes raise": ("notes", "1 / 0", ""), "notes None": ("notes", "return None", ""),
}  # fmt: skip
"""Id of a sample -> its method at fault, what that does, and the words of its rows' reason; "" where rows are ok."""

FIELDS = {
    "path 7": ("7", "load raised TypeError: expected str, bytes or os.PathLike object, not int"),
    "digest 7": ("__file__, 7", "digest 7: sha256 must give 64 hexadecimal digits or None, got 7"),
}
"""Id of a `FileSample` -> its other fields, and the words of its rows' reason."""


def test_each_costs_its_own_row(install: Install, tmp_path: Path) -> None:
    deeds = enumerate(f"def {method}(self): {deed}" for method, deed, _ in FAULTS.values())
    classes = [f"class F{k}(Sound):\n    {method}" for k, method in deeds]
    samples = ", ".join([f"F{k}({name!r})" for k, name in enumerate(FAULTS)]
                        + [f"FileSample({name!r}, {fields})" for name, (fields, _) in FIELDS.items()])  # fmt: skip
    install("acme", SOURCE.format(classes="\n\n".join(classes), samples=samples))
    plan = {"name": "t", "dataset": "acme", "metrics": ["psnr"], "codec": [{"id": "jpeg", "qualities": [50]}]}
    frame = benchbox.run(plan, workspace=tmp_path / "runs", workers=1, reports=[]).set_index("sample")
    assert frame.loc["sound", "status"] == "ok"
    for name, (*_, words) in {**FAULTS, **FIELDS}.items():
        assert frame.loc[name, "status"] == ("failed" if words else "ok"), name
        reason = str(frame.loc[name, "reason"])
        assert words in reason
        assert "\n" not in reason


STAMPED = """
from pathlib import Path
from benchbox import Dataset, DatasetInfo, FileSample, Sample, hookimpl, image

class Stamped(Sample):
    def __init__(self, path): self.id, self.path = path.name, path
    def load(self): return image.read(self.path).pixels
    def sha256(self): return None
    def stamp(self): return "always the same"

class Constant(FileSample):
    def stamp(self): return "always the same"

class Info(DatasetInfo):
    def open(self, argument):
        paths = sorted(Path(argument).glob("*.png"))
        samples = [Constant(path.name, path) if "files" in argument else Stamped(path) for path in paths]
        return Dataset(f"acme:{argument}", "Acme", tuple(samples))

@hookimpl
def benchbox_datasets(): return [Info(id="acme", title="Acme", argument="PATH")]
"""


@pytest.mark.parametrize("kind", ["files", "own"])
def test_a_stamp_that_never_changes(kind: str, install: Install, photo: Any, tmp_path: Path) -> None:
    """It is neither believed of a picture that has changed, nor of another picture."""
    install("acme", STAMPED)
    folder = tmp_path / kind
    folder.mkdir()
    for k in range(2):
        image.write_png(folder / f"{k}.png", photo[:40, k : k + 40])
    plan = {"name": "t", "dataset": f"acme:{folder}", "metrics": ["psnr"], "codec": [{"id": "jpeg", "qualities": [50]}]}

    def digests() -> dict[str, str]:
        frame = benchbox.run(plan, workspace=tmp_path / "runs", workers=1, reports=[]).set_index("sample")
        assert set(frame["status"]) == {"ok"}
        assert dict(frame["sample_sha256"]) == {p.name: image.digest(image.read(p).pixels) for p in folder.iterdir()}
        return dict(frame["stream_sha256"])

    first = digests()
    assert digests() == first
    image.write_png(folder / "1.png", photo[80:120, 90:130])
    second = digests()
    assert (second["0.png"], second["1.png"] != first["1.png"]) == (first["0.png"], True)


AWAY = """
from pathlib import Path
from benchbox import Dataset, DatasetInfo, Sample, hookimpl, image

class Distant(Sample):
    def __init__(self, path): self.id, self.path = path.stem, path
    def load(self):
        if self.path.with_suffix(".away").exists(): raise OSError("the network is down")
        return image.read(self.path).pixels
    def sha256(self): return None
    def stamp(self): return "1"

class Info(DatasetInfo):
    def open(self, argument):
        samples = tuple(Distant(path) for path in sorted(Path(argument).glob("*.png")))
        return Dataset(f"acme:{argument}", "Acme", samples)

@hookimpl
def benchbox_datasets(): return [Info(id="acme", title="Acme", argument="PATH")]
"""


def test_a_picture_that_is_away_keeps_its_points(install: Install, photo: Any, tmp_path: Path) -> None:
    """Its stamp is that of no other picture: what is measured stays, and a new point fails by the data set's fault."""
    install("acme", AWAY)
    folder = tmp_path / "pictures"
    folder.mkdir()
    for k in range(2):
        image.write_png(folder / f"{k}.png", photo[:40, k : k + 40])

    def run(*qualities: int) -> tuple[list[str], str]:
        words = ["run", "--dataset", f"acme:{folder}", "--metric", "psnr", "--no-report", "--workers", "1",
                 "--workspace", str(tmp_path / "runs"), "--codec", f"jpeg@{','.join(map(str, qualities))}"]  # fmt: skip
        result = CliRunner().invoke(commands, words)
        return list(benchbox.load("run", workspace=tmp_path / "runs")["status"]), result.output

    assert run(50)[0] == ["ok", "ok"]
    (folder / "1.away").touch()
    statuses, said = run(50)
    assert (statuses, "stamp" in said) == (["ok", "ok"], False)
    statuses, said = run(50, 60)
    assert sorted(statuses) == ["failed", "ok", "ok", "ok"]
    assert "1 (plugin acme): load raised OSError: the network is down (acme.py:8)" in said
    assert "benchbox check" not in said
