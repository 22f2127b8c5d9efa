"""What ``benchbox list`` imports, and that it names a package of the source tree without an installed entry point."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import benchbox


def test_a_package_without_its_entry_point_is_named(tmp_path: Path) -> None:
    ignored = shutil.ignore_patterns("__pycache__")
    shutil.copytree(Path(benchbox.__file__).parent, tmp_path / "benchbox", ignore=ignored)
    (tmp_path / "pyproject.toml").write_text("")
    (tmp_path / "plugins" / "benchbox_new").mkdir(parents=True)
    (tmp_path / "plugins" / "benchbox_new" / "__init__.py").write_text("")
    command = [sys.executable, "-m", "benchbox", "list", "plugins"]
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment, cwd=tmp_path)
    assert "warning: benchbox_new is in the source tree but its entry point is not installed" in done.stdout


def test_a_list_of_codecs_brings_neither_the_store_nor_other_kinds() -> None:
    code = ("import sys\n"
            "from benchbox.cli.main import commands\n"
            "commands.main(['list', 'codecs'], standalone_mode=False)\n"
            "idle = 'psutil', 'sqlite3', 'pandas', 'matplotlib', 'numba', 'torch', 'benchbox.plan', 'benchbox.store'\n"
            "print([name for name in (*idle, 'benchbox_metrics.psnr') if name in sys.modules], file=sys.stderr)")
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stderr.splitlines()[-1] == "[]"
    assert "available" in done.stdout
