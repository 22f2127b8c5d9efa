"""The commands: what they need to start, what they say of wrong requests, and the former console script."""

import subprocess
import sys
from pathlib import Path

import pytest
from benchbox_resnet import benchbox_commands
from benchbox_resnet.commands import resnet
from click.testing import CliRunner

from benchbox.errors import BenchboxError, DatasetError, UsageError


def test_the_hook_gives_one_group_and_imports_no_torch() -> None:
    script = ("import sys, benchbox_resnet; [group] = benchbox_resnet.benchbox_commands();"
              "print(*group.commands, 'torch' in sys.modules, 'numba' in sys.modules)")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["train", "settle", "export", "polish", "evaluate", "False", "False"]


@pytest.mark.parametrize("name", ["train", "settle", "export", "polish", "evaluate"])
def test_every_option_is_explained(name: str) -> None:
    [group] = benchbox_commands()
    assert group is resnet
    done = CliRunner().invoke(resnet, [name, "--help"])
    assert done.exit_code == 0
    assert all(getattr(option, "help", None) for option in resnet.commands[name].params)


def test_wrong_requests_are_named(tmp_path: Path) -> None:
    pytest.importorskip("torch")
    from tiny_resnet import command, write_pictures

    (empty := tmp_path / "empty").mkdir()
    (pictures := tmp_path / "pictures").mkdir()
    write_pictures(pictures)
    (junk := tmp_path / "junk.pt").write_bytes(b"junk")
    out = tmp_path / "out"
    requests: list[tuple[type[BenchboxError], str, list[object]]] = [
        (DatasetError, "no pictures", ["train", "--data", empty, "--out", out]),
        (DatasetError, "smaller --crop", ["train", "--data", pictures, "--out", out, "--crop", "4000"]),
        (UsageError, "no 'tpu'", ["train", "--data", pictures, "--out", out, "--device", "tpu"]),
        (UsageError, "not a checkpoint", ["train", "--data", pictures, "--out", out, "--resume", junk, "--crop", "64"]),
        (UsageError, "not a checkpoint", ["settle", "--checkpoint", junk, "--data", pictures, "--out", out]),
        (UsageError, "not a checkpoint", ["export", "--checkpoint", junk, "--data", pictures, "--out", out]),
        (UsageError, "--qualities takes numbers", ["evaluate", "--weights", junk, "--images", pictures,
                                                   "--qualities", "low"]),
    ]  # fmt: skip
    for error, said, arguments in requests:
        with pytest.raises(error, match=said) as raised:
            command(*arguments)
        assert "\n" not in str(raised.value)


def test_the_former_script_says_the_new_name_and_does_the_same(tmp_path: Path) -> None:
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        script = "from benchbox_resnet.cli import main; main()"
        return subprocess.run([sys.executable, "-c", script, *arguments], capture_output=True, text=True, check=False)

    done = run("evaluate", "--help")
    assert (done.returncode, done.stderr.splitlines()) == (0, [done.stderr.strip()])
    assert "`benchbox resnet`" in done.stderr
    assert "--qualities" in done.stdout
    (weights := tmp_path / "w.safetensors").write_bytes(b"nothing")
    done = run("evaluate", "--weights", str(weights), "--images", str(tmp_path), "--qualities", "high")
    assert done.returncode == 2
    assert done.stderr.splitlines()[1:] == ["benchbox-resnet: --qualities takes numbers like 0,7.5,15, not 'high'"]
    assert run("evaluate", "--weights", str(tmp_path / "absent"), "--images", str(tmp_path)).returncode == 2
