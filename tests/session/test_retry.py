"""``benchbox run --retry`` also tries points that runs no longer try, in sweeps and in matched runs."""

from __future__ import annotations

import sqlite3
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import tomli_w
from small_runs import plan


@pytest.mark.parametrize("more", [{}, {"match": ["bpp=0.01"]}], ids=["sweep", "matched"])
def test_retry_tries_again_what_failed_for_good(
    more: dict[str, Any], tmp_path: Path, pictures: Path, evil: None
) -> None:
    (tmp_path / "plan.toml").write_text(tomli_w.dumps(plan(pictures, {"id": "raise"}, **more)))
    for flags, attempts in (((), 1), ((), 2), ((), 2), (("--retry",), 3)):
        command = [sys.executable, "-m", "benchbox", "run", "plan.toml", "--no-report", *flags]
        subprocess.run(command, cwd=tmp_path, check=False, capture_output=True)
        with sqlite3.connect(tmp_path / "runs" / "store.sqlite") as db:
            tried = {a for (a,) in db.execute("SELECT attempts FROM encodings WHERE status = 'failed'")}
        assert tried == {attempts}
