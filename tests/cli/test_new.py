"""``benchbox new`` writes a folder that works as it is, or nothing."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest

from benchbox.cli.main import main

Call = Callable[..., tuple[int, str, str]]

KINDS = {
    "codec": ("codec",), "torch": ("codec", "--torch"), "command": ("codec", "--command"), "metric": ("metric",),
    "dataset": ("dataset",), "report": ("report",), "references": ("references",),
}  # fmt: skip
"""Name of a test -> arguments of ``benchbox new``."""

@pytest.fixture
def call(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Call:
    """Run the command line in this process, in a folder of its own: (exit code, standard output, standard error)."""

    def run(*arguments: str) -> tuple[int, str, str]:
        monkeypatch.chdir(tmp_path)
        monkeypatch.setattr(sys, "argv", ["benchbox", *arguments])
        with pytest.raises(SystemExit) as stop:
            main()
        out, err = capsys.readouterr()
        return int(str(stop.value.code)), out, err

    return run


def in_folder(folder: Path, *arguments: str) -> str:
    """Run a module of Python in a folder whose plugin is found as an installed one is; returns what it prints."""
    paths = [str(folder), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    done = subprocess.run([sys.executable, "-m", *arguments], cwd=folder, env=environment, capture_output=True,
                          text=True, check=False)  # fmt: skip
    assert done.returncode == 0, f"{arguments}:\n{done.stdout}\n{done.stderr}"
    return done.stdout


def as_if_installed(folder: Path) -> None:
    """The metadata that pip would write for the folder's `pyproject.toml`."""
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    info = folder / f"{project['name'].replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {project['name']}\nVersion: {project['version']}\n")
    (entry,) = project["entry-points"]["benchbox"].items()
    (info / "entry_points.txt").write_text("[benchbox]\n{} = {}\n".format(*entry))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("name", ["ac-me.two_3", "a" * 40])
def test_a_folder_is_written_and_ruff_finds_nothing(kind: str, name: str, call: Call, tmp_path: Path) -> None:
    code, out, err = call("new", KINDS[kind][0], name, *KINDS[kind][1:])
    assert (code, err) == (0, "")
    folder = tmp_path / name
    module = name.replace("-", "_").replace(".", "_")
    files = {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}
    code_file = f"{module}/__init__.py" if (folder / module).is_dir() else f"{module}.py"
    assert files >= {"README.md", "pyproject.toml", f"test_{module}.py", code_file}
    assert all(f"{name}/{file}" in out for file in files)
    assert not [file for file in files if "$" in file or "MODULE" in file or file.endswith(".in")]
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))
    assert project["project"]["entry-points"]["benchbox"] == {name: module}
    readme = (folder / "README.md").read_text(encoding="utf-8")
    assert "pip install -e ." in readme
    assert f"benchbox check {name}" in readme
    in_folder(folder, "ruff", "check", "--no-cache", ".")


@pytest.mark.slow
@pytest.mark.parametrize("kind", KINDS)
def test_what_is_written_passes_its_own_test(kind: str, call: Call, tmp_path: Path) -> None:
    name = f"acme-{kind}"
    assert call("new", KINDS[kind][0], name, *KINDS[kind][1:])[0] == 0
    in_folder(tmp_path / name, "pytest", "-q", "-W", "error", "-p", "no:cacheprovider")
    as_if_installed(tmp_path / name)
    checked = in_folder(tmp_path / name, "benchbox", "check", name)
    assert " 0 failed" in checked
    assert f"  {name}" in in_folder(tmp_path / name, "benchbox", "list", "plugins", name)


@pytest.mark.slow
def test_what_is_written_is_typed(call: Call, tmp_path: Path) -> None:
    for kind, arguments in KINDS.items():
        assert call("new", arguments[0], f"acme-{kind}", *arguments[1:])[0] == 0
    folders = sorted(str(path) for path in tmp_path.iterdir())
    in_folder(tmp_path, "mypy", "--strict", "--cache-dir", str(tmp_path / "cache"), *folders)


NO_NAME = ("is no name of a plugin; write at most 40 lower-case letters and digits, joined by '-', '_' or '.', a "
           "letter first")
NO_MODULE = "would be the module {}, a name that Python, pip or pytest uses; choose another"


@pytest.mark.parametrize(("arguments", "message"), [
    (["codec", "My Codec"], f"'My Codec' {NO_NAME}, as in 'my-codec'"),
    (["codec", "../up"], f"'../up' {NO_NAME}, as in 'up'"),
    (["codec", "a" * 41], f"'{'a' * 41}' {NO_NAME}, as in '{'a' * 40}'"),
    (["codec", "2nd"], f"'2nd' {NO_NAME}, as in 'nd'"),
    (["codec", ""], f"'' {NO_NAME}\n"),
    (["codec", "zlib"], f"'zlib' {NO_MODULE.format('zlib')}, as 'my-zlib'"),
    (["codec", "lambda"], f"'lambda' {NO_MODULE.format('lambda')}, as 'my-lambda'"),
    (["codec", "setup"], f"'setup' {NO_MODULE.format('setup')}, as 'my-setup'"),
    (["codec", "jpeg"], "a codec is called 'jpeg' already; choose another name"),
    (["metric", "psnr"], "a metric is called 'psnr' already; choose another name"),
    (["metric", "bpp"], "'bpp' is a column of results "),
    (["metric", "ms_ssim"], "'ms_ssim' is the column of the metric ms-ssim; choose another name"),
    (["dataset", "kodak"], "a data set is called 'kodak' already; choose another name"),
    (["report", "page"], "a report is called 'page' already; choose another name"),
    (["references", "av1"], "a published curve is called 'av1' already; choose another name"),
    (["codec", "pillow"], "a plugin is called 'pillow' already; choose another name"),
    (["codec", "numpy"], "an installed distribution is called 'numpy' already; choose another name"),
    (["codec", "yaml"], "a module called yaml is installed ("),
    (["metric", "acme", "--torch"], "--torch and --command are for codecs; write: benchbox new metric acme"),
    (["codec", "acme", "--torch", "--command"], "--torch and --command exclude each other; choose one"),
])
def test_a_name_that_cannot_be_is_refused(arguments: list[str], message: str, call: Call, tmp_path: Path) -> None:
    code, out, err = call("new", *arguments)
    assert (code, out) == (2, "")
    assert err.startswith(f"benchbox: {message}")
    assert err.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("there", ["folder", "file", "link"])
def test_what_is_there_stays(there: str, call: Call, tmp_path: Path) -> None:
    target = tmp_path / "acme"
    if there == "folder":
        target.mkdir()
    elif there == "file":
        target.touch()
    else:
        target.symlink_to("nowhere")
    code, _, err = call("new", "codec", "acme")
    assert (code, err) == (2, "benchbox: acme: is there already; choose another name or remove it\n")
    assert [path.name for path in tmp_path.rglob("*")] == ["acme"]


def test_a_folder_is_whole_or_absent(tmp_path: Path) -> None:
    """The weights do not fit below the limit of a file's size; the files before them do."""
    command = [sys.executable, "-m", "benchbox", "new", "codec", "acme", "--torch"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False,
                          preexec_fn=lambda: resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192)))  # fmt: skip
    assert done.returncode == 1
    assert done.stderr == "benchbox: acme: cannot be written: File too large; make room or choose another place\n"
    assert list(tmp_path.iterdir()) == []
