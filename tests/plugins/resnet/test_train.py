"""Training from the command line: fields of the network, several processes, continuing after a kill."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

torch = pytest.importorskip("torch")

from benchbox_resnet.network.config import ModelConfig  # noqa: E402
from tiny_resnet import command, write_pictures  # noqa: E402

from benchbox.errors import UsageError  # noqa: E402

#: `benchbox resnet` as a process of its own.
PROCESS = ("-c", "from benchbox_resnet.commands import resnet; resnet()")
SMALL = ("--batch", "1", "--crop", "64", "--threads", "1")


@pytest.fixture(scope="module")
def pictures(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_pictures(tmp_path_factory.mktemp("pictures"))


@pytest.mark.slow
def test_two_processes_train_one_network(pictures: Path, tmp_path: Path) -> None:
    """torchrun with two gloo processes: both finish, one checkpoint, loss reported once."""
    torchrun = ["-m", "torch.distributed.run", "--standalone", "--nproc-per-node", "2", "--no-python"]
    train = ["train", "--data", str(pictures), "--out", str(tmp_path), *SMALL, "--seconds", "6", "--device", "cpu"]
    done = subprocess.run([sys.executable, *torchrun, sys.executable, *PROCESS, *train],
                          capture_output=True, text=True, timeout=300)  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    assert "2 processes" in done.stdout
    assert done.stdout.count("done: step") == 1
    assert torch.load(tmp_path / "last.pt", weights_only=True)["step"] > 0


def test_fields_of_a_preset_are_set_by_name(pictures: Path, tmp_path: Path) -> None:
    train = ["train", "--data", pictures, "--out", tmp_path, *SMALL, "--seconds", "0", "--set", "channels=8",
             "--set", "deep_channels=8", "--set", "context=16", "--set", "activation=gelu"]  # fmt: skip
    command(*train, "--set", "blocks=0")
    config = ModelConfig.from_json(torch.load(tmp_path / "last.pt", weights_only=True)["config"])
    assert (config.channels, config.blocks, config.activation, config.latents) == (8, 0, "gelu", 368)
    for wrong, said in (("depth=3", "no field 'depth'"), ("block=3", "did you mean 'blocks'"),
                        ("blocks=many", "takes a number"), ("stride=12", "8 or 16")):  # fmt: skip
        with pytest.raises(UsageError, match=said):
            command(*train, "--set", wrong)


@pytest.mark.slow
def test_a_killed_run_goes_on_and_exports(pictures: Path, tmp_path: Path) -> None:
    """Killed after its first checkpoint and started again, it continues from there; then export and evaluate."""
    out, weights = tmp_path / "run", tmp_path / "w.safetensors"
    train = ["train", "--data", str(pictures), "--out", str(out), *SMALL]
    process = subprocess.Popen([sys.executable, *PROCESS, *train, "--seconds", "600", "--checkpoint-every", "0.5"],
                               stdout=subprocess.DEVNULL)  # fmt: skip
    try:
        deadline = time.monotonic() + 120
        while not (out / "last.pt").exists() and time.monotonic() < deadline:
            time.sleep(0.2)
        process.send_signal(signal.SIGKILL)
    finally:
        process.kill()
        process.wait()
    before = torch.load(out / "last.pt", weights_only=True)
    command(*train, "--seconds", before["seconds"] + 2)
    assert torch.load(out / "last.pt", weights_only=True)["step"] > before["step"]
    command("export", "--checkpoint", out / "last.pt", "--data", pictures, "--out", weights)
    assert "PSNR" in command("evaluate", "--weights", weights, "--images", pictures, "--qualities", "0,8")
    assert os.path.getsize(weights) < 15e6
