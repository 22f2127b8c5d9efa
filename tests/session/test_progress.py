"""The time left that a run's lines and its bar give is that of the steps to come, without the start of the workers."""

from __future__ import annotations

import re
import time

import pytest

from benchbox.session.progress import Bar, Lines


def test_the_start_does_not_count_for_the_time_left(capsys: pytest.CaptureFixture[str]) -> None:
    lines = Lines(every=0.0)
    lines.begin(200, "run")
    time.sleep(1.0)
    lines.step("ok")
    first = time.monotonic()
    for _ in range(4):
        time.sleep(0.1)
        lines.step("failed")
    each = (time.monotonic() - first) / 4
    found = re.search(r"^run: 5/200 points, ([\d.]+)/s, (\d+) s left, 4 not ok$", capsys.readouterr().err, re.MULTILINE)
    assert found is not None
    assert float(found[1]) == pytest.approx(1 / each, rel=0.3)
    assert int(found[2]) == pytest.approx(195 * each, rel=0.3, abs=1.0)


def test_the_start_does_not_count_in_the_bar(capsys: pytest.CaptureFixture[str]) -> None:
    bar = Bar()
    bar.begin(100, "run")
    time.sleep(1.0)
    bar.step("ok")
    first = time.monotonic()
    for _ in range(20):
        time.sleep(0.02)
        bar.step("failed")
    each = (time.monotonic() - first) / 20
    bar.end()
    rates = re.findall(r"([\d.]+) points/s", capsys.readouterr().err)
    assert rates
    assert float(rates[0]) > 0.3 / each
