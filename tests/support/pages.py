"""Runs a page of the documentation as a reader would, from its first block to its last, in an empty folder."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

BLOCK = re.compile(r'^```(?P<language>\w+)(?: title="(?P<title>[^"]+)")?\n(?P<text>.*?)^```$', re.DOTALL | re.MULTILINE)


@dataclass(frozen=True)
class Block:
    """A fenced block: with a title, the contents of that file, or a ``diff`` of it; ``console`` blocks hold commands
    (``$ ...``); others are not run."""

    language: str
    title: str | None
    text: str


def blocks(page: Path) -> list[Block]:
    """The blocks of a page, in order."""
    return [Block(m["language"], m["title"], m["text"]) for m in BLOCK.finditer(page.read_text(encoding="utf-8"))]


def run_page(page: Path, folder: Path) -> list[tuple[str, str]]:
    """Write the files of the page and run its commands, each of which must succeed, in ``folder / "work"``, which may
    hold what the page takes for granted; (command, what it printed)."""
    surroundings = environment(folder / "bin")
    here = folder / "work"
    here.mkdir(exist_ok=True)
    printed = []
    for block in blocks(page):
        if block.title is not None:
            _write(folder / "work" / block.title, block)
        elif block.language == "console":
            for line in block.text.splitlines():
                command = line.removeprefix("$ ")
                assert command != line, f"{page.name}: '{line}' is no command"
                if command.startswith("cd "):
                    here = here / command.removeprefix("cd ")
                    continue
                done = subprocess.run(["bash", "-c", command], cwd=here, env=surroundings, capture_output=True,
                                      text=True, check=False, timeout=600)  # fmt: skip
                assert done.returncode == 0, f"{page.name}: {command}\n{done.stdout}\n{done.stderr}"
                printed.append((command, done.stdout))
    return printed


def _write(file: Path, block: Block) -> None:
    if block.language != "diff":
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(block.text, encoding="utf-8")
        return
    lines = block.text.splitlines(keepends=True)
    old = "".join(line[1:] for line in lines if line.startswith("-"))
    new = "".join(line[1:] for line in lines if line.startswith("+"))
    text = file.read_text(encoding="utf-8")
    assert text.count(old) == 1, f"{file.name} has not exactly one place that reads {old}"
    file.write_text(text.replace(old, new), encoding="utf-8")


def environment(programs: Path) -> dict[str, str]:
    """An environment in which `benchbox` and `python` are those of this test."""
    programs.mkdir(parents=True, exist_ok=True)
    for name, arguments in (("benchbox", "-m benchbox "), ("python", "")):
        (programs / name).write_text(f'#!/bin/sh\nexec "{sys.executable}" {arguments}"$@"\n')
        (programs / name).chmod(0o755)
    return {**os.environ, "PATH": f"{programs}{os.pathsep}{os.environ['PATH']}"}
