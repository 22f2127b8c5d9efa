"""Every command that reads plugins takes plugin files too."""

from __future__ import annotations

import inspect
from pathlib import Path

import pandas as pd
import pytest
from click.testing import CliRunner

from benchbox.cli import group
from benchbox.cli.main import commands

METRIC = (Path(group.__file__).parent / "templates" / "metric" / "MODULE.py.in").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(commands.commands))
def test_a_command_that_loads_plugins_loads_those_of_files(name: str) -> None:
    command = commands.commands[name]
    assert command.callback is not None
    reads = any(word in inspect.getsource(inspect.unwrap(command.callback)) for word in ("plugins", "api."))
    assert ("plugin_paths" in {parameter.name for parameter in command.params}) == reads


@pytest.mark.slow
def test_export_has_the_column_of_a_metric_in_a_file(tmp_path: Path, pictures: Path) -> None:
    (tmp_path / "mae.py").write_text(METRIC.replace("$id", "mae").replace("$title", "MAE"), encoding="utf-8")
    file, runs = ["--plugin", str(tmp_path / "mae.py")], ["--workspace", str(tmp_path / "runs")]
    flags = ["--dataset", f"folder:{pictures}", "--codec", "jpeg@50", "--metric", "mae", "--name", "t", "--no-report"]
    for command in (["run", *flags, *file], ["export", "t", "--output", str(tmp_path / "t.csv"), *file]):
        done = CliRunner().invoke(commands, [*command, *runs], catch_exceptions=False)
        assert done.exit_code == 0, done.output
    assert pd.read_csv(tmp_path / "t.csv")["mae"].between(0.001, 0.1).all()
