"""The page of 20 codecs x 20 qualities x 100 pictures: its size, and the seconds that Chromium takes to draw it.

``python benchmarks/page.py`` fills a store as `scale.py` does, makes the report with the command, and opens the page
from disk in headless Chromium, a fresh process each time. It opens an empty page in turn and prints its time too.
"""

from __future__ import annotations

import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from machine import machine
from scale_store import RUN, fill

SIZES = 20, 20, 100
SECONDS, MEGABYTES = 1.0, 3.0
"""The aims."""
TURNS = 7


def main() -> None:
    """Make the page and print its figures."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        sys.exit("no Chromium is installed here (apt install chromium)")
    with tempfile.TemporaryDirectory() as folder:
        base = Path(folder, "page")
        fill(base, *SIZES)
        subprocess.run([sys.executable, "-m", "benchbox", "report", RUN, "--workspace", str(base / "runs")], check=True,
                       stdout=subprocess.DEVNULL)
        page, empty = base / "runs" / RUN / "report" / "index.html", base / "empty.html"
        empty.write_text("<!doctype html><title>empty</title>")
        size = page.stat().st_size / 1e6
        took = {file: [opened(chromium, file, base) for _ in range(TURNS)] for file in (empty, page)}
    blank, whole = (statistics.median(took[file]) for file in (empty, page))
    print(machine())
    print(f"{' x '.join(map(str, SIZES))} operating points, 2 metrics: {size:.2f} MB "
          f"({'met' if size < MEGABYTES else 'MISSED'}: < {MEGABYTES:g})")
    print(f"Chromium from its start to the page drawn: {whole:.2f} s, an empty page {blank:.2f} s, so the page "
          f"{whole - blank:.2f} s ({'met' if whole - blank < SECONDS else 'MISSED'}: < {SECONDS:g}), median of {TURNS}")


def opened(chromium: str, page: Path, base: Path) -> float:
    """Seconds until Chromium has loaded a page, run its scripts and printed its document."""
    command = [chromium, "--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={base / 'profile'}",
               "--dump-dom", page.as_uri()]
    start = time.perf_counter()
    document = subprocess.run(command, check=True, capture_output=True, text=True, env=dict(os.environ)).stdout
    wall = time.perf_counter() - start
    if page.name == "index.html" and 'class="curve"' not in document:
        sys.exit("the page drew no curve")
    return wall


if __name__ == "__main__":
    main()
