"""Lists on the command line of ``benchbox report``: what holds a comma stands in quotes."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner
from small_runs import go, plan

from benchbox.cli import report as command
from benchbox.cli.group import commands
from benchbox.errors import OptionError, UnknownIdError

assert command  # it adds itself to `commands`
QUALITIES = [20, 40, 60, 80]


def test_a_label_and_a_file_with_a_comma_are_named(pictures: Path, tmp_path: Path) -> None:
    jpeg = {"id": "jpeg", "qualities": QUALITIES}
    go(tmp_path, plan(pictures, jpeg, {"id": "webp", "qualities": QUALITIES, "label": "ours, slow"}))
    curve = tmp_path / "a, b.csv"
    curve.write_text("codec,sample,bpp,psnr\n" + "".join(f"BPG,{k}.png,1,30\n" for k in range(3)))
    out = tmp_path / "out"

    def shown(codecs: str) -> list[str]:
        arguments = ["report", "t", "--workspace", str(tmp_path / "runs"), "--output", str(out), "--codecs", codecs,
                     "--format", "compressai", "--literature", f"'{curve}'"]  # fmt: skip
        CliRunner().invoke(commands, arguments, catch_exceptions=False)
        return sorted(json.loads(file.read_text())["name"] for file in out.rglob("*.json"))

    said = r'no codec of this run is called \'ours\'; .* jpeg, "ours, slow", "BPG, published"'
    with pytest.raises(UnknownIdError, match=said):
        shown("ours, slow")
    with pytest.raises(OptionError, match=r"--option anchor: write --option KEY=VALUE"):
        CliRunner().invoke(commands, ["report", "t", "--workspace", str(tmp_path / "runs"), "--option", "anchor"],
                           catch_exceptions=False)
    assert any("ours, slow" in name for name in shown('"ours, slow"'))
