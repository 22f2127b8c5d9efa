"""Scores of two versions of a metric do not stand in one table: a published folder says which version it has."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import skimage.data
from click.testing import CliRunner

import benchbox
from benchbox import image, registry
from benchbox.cli.main import commands
from benchbox.errors import UsageError


@pytest.fixture(scope="module")
def base(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The run ``one`` in ``runs`` and the same, published, in ``shared``."""
    base = tmp_path_factory.mktemp("versions")
    (base / "photos").mkdir()
    image.write_png(base / "photos" / "a.png", np.ascontiguousarray(skimage.data.astronaut()[7:70, 90:181]))
    plan = {"name": "one", "dataset": f"folder:{base / 'photos'}", "metrics": ["psnr", "ssim"],
            "codec": [{"id": "jpeg", "qualities": [10, 30, 50, 70]}]}
    benchbox.run(plan, workspace=base / "runs", workers=1, reports=[])
    asked = ["publish", "one", "--workspace", str(base / "runs"), "--output", str(base / "shared")]
    done = CliRunner().invoke(commands, asked)
    assert done.exit_code == 0, done.output
    return base


def test_a_published_folder_says_the_versions_and_they_are_held_together(base: Path, tmp_path: Path) -> None:
    file = base / "shared" / "settings.json"
    kept = json.loads(file.read_text(encoding="utf-8"))
    metrics = registry.load().metrics
    assert kept["metric_versions"] == {name: metrics[name].version for name in ("psnr", "ssim")}
    pair = [base / "runs" / "one", base / "shared"]
    assert benchbox.load(pair)["psnr"].notna().all()

    other = {**kept, "metric_versions": {**kept["metric_versions"], "psnr": "0.1"}}
    file.write_text(json.dumps(other), encoding="utf-8")
    said = f"psnr is of version {metrics['psnr'].version} in the run 'one' and of version 0.1 in 'shared'"
    with pytest.raises(UsageError, match=said):
        benchbox.load(pair)
    with pytest.raises(UsageError, match=said):
        benchbox.compare(*pair)
    for asked in (["report", *map(str, pair), "--output", str(tmp_path / "out")], ["compare", *map(str, pair)]):
        done = CliRunner().invoke(commands, asked)
        assert isinstance(done.exception, UsageError)
        assert said in str(done.exception)
        assert "\n" not in str(done.exception)
    assert CliRunner().invoke(commands, ["compare", *map(str, pair), "--metric", "ssim"]).exit_code == 0
    assert len(benchbox.load(base / "shared")) == 4

    older = {name: value for name, value in kept.items() if name != "metric_versions"}
    file.write_text(json.dumps(older), encoding="utf-8")
    assert benchbox.load(pair)["psnr"].notna().all()
