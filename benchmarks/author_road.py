"""The road of a codec's author: from an empty folder to a row in a report. A tool to run by hand.

    python benchmarks/author_road.py [--packaged]

Each command is printed with its wall time; at most `MOST` commands are needed. The codec is used from its file; with
--packaged it is installed by pip (below a temporary folder, so that this environment stays as it is).
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine

MOST = 6
"""Commands from an empty folder to a row in a report."""

FROM_FILE = (
    "benchbox new codec mine",
    "benchbox check --plugin mine/mine.py",
    "benchbox run --plugin mine/mine.py --name first --codec mine --codec jpeg",
)
PACKAGED = (
    "benchbox new codec mine",
    "pip install --quiet --no-deps --no-build-isolation --target site ./mine",
    "benchbox check mine",
    "benchbox run --name first --codec mine --codec jpeg",
)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--packaged", action="store_true", help="install the codec and do not name its file")
    commands = PACKAGED if parser.parse_args().packaged else FROM_FILE
    print(machine())
    with tempfile.TemporaryDirectory(prefix="benchbox-road-") as name:
        started = time.perf_counter()
        for command in commands:
            print(f"{timed(command, Path(name)):7.1f} s  {command}", flush=True)
        seconds = time.perf_counter() - started
        row = row_of("mine", Path(name, "runs", "first", "report", "index.html"))
    print(f"{seconds:7.1f} s  in all, {len(commands)} commands (at most {MOST})")
    print(f"in the report: {row}")
    if len(commands) > MOST or row is None:
        sys.exit(1)


def timed(command: str, folder: Path) -> float:
    """Run a command in `folder`; returns its wall time in seconds. What it prints is shown if it fails."""
    paths = [str(folder / "site"), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    started = time.perf_counter()
    done = subprocess.run([sys.executable, "-m", *shlex.split(command)], cwd=folder, env=environment,
                          capture_output=True, text=True, check=False)  # fmt: skip
    if done.returncode:
        sys.exit(f"{command}: exit code {done.returncode}\n{done.stdout}{done.stderr}")
    return time.perf_counter() - started


def row_of(label: str, page: Path) -> str | None:
    """The text of the first row of a table on `page` whose first cell begins with `label`."""
    for row in re.findall(r"<tr.*?</tr>", page.read_text(encoding="utf-8"), flags=re.DOTALL):
        text = " ".join(re.sub(r"<[^>]+>", " ", row).split())
        if text.startswith(f"{label} "):
            return text
    return None


if __name__ == "__main__":
    main()
