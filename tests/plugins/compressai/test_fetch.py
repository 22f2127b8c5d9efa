"""``benchbox compressai fetch`` and the module that was its name before."""

from __future__ import annotations

import hashlib
from pathlib import Path

import benchbox_compressai
import pytest
from benchbox_compressai import __main__ as former
from benchbox_compressai import library, weights
from click.testing import CliRunner, Result

from benchbox.errors import CodecError, CodecUnavailableError, UnknownIdError


@pytest.fixture
def checkpoints(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that weights are fetched into."""
    folder = tmp_path / "checkpoints"
    monkeypatch.setenv("BENCHBOX_COMPRESSAI", str(folder))
    return folder


@pytest.fixture
def zoo(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in the zoo's place: mbt2018-7 is sound, the file of mbt2018-8 is not what its name says."""
    reason = library.missing()
    if reason is not None:
        pytest.skip(reason)
    library.architectures()
    from compressai.zoo import image

    prefix = hashlib.sha256(b"weights").hexdigest()[:8]
    for name, quality, metric in ((f"mbt2018-7-{prefix}", 7, "mse"), ("mbt2018-8-00000000", 8, "ms-ssim")):
        file = tmp_path / f"{name}.pth.tar"
        file.write_bytes(b"weights")
        monkeypatch.setitem(image.model_urls, "mbt2018", {**({} if quality == 7 else image.model_urls["mbt2018"]),
                                                          metric: {quality: file.as_uri()}})
    return tmp_path


def invoke(*arguments: str) -> Result:
    (command,) = benchbox_compressai.benchbox_commands()
    return CliRunner().invoke(command, arguments)


def test_weights_are_fetched_once(zoo: Path, checkpoints: Path) -> None:
    done = invoke("fetch", "mbt2018")
    (path,) = weights.find("mbt2018", "mse").values()
    assert path.parent == checkpoints
    assert path.read_bytes() == b"weights"
    assert done.stdout.splitlines()[-1] == str(path)
    assert invoke("fetch", "mbt2018").stdout == ""


def test_a_file_that_is_not_what_its_name_says_is_refused(zoo: Path, checkpoints: Path) -> None:
    error = invoke("fetch", "mbt2018", "--metric", "ms-ssim").exception
    assert isinstance(error, CodecError)
    assert str(error).endswith(f"fetch it elsewhere and put it into {checkpoints}")
    assert weights.find("mbt2018", "ms-ssim") == {}


def test_a_model_that_the_zoo_lacks(zoo: Path, checkpoints: Path) -> None:
    error = invoke("fetch", "mbt2081").exception
    assert isinstance(error, UnknownIdError)
    assert str(error) == "CompressAI's zoo has no mse weights of 'mbt2081'; did you mean 'mbt2018'?"


def test_without_compressai_the_command_says_how_to_install_it(checkpoints: Path,
                                                               monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("importlib.util.find_spec", lambda name: None)
    error = invoke("fetch", "mbt2018").exception
    assert isinstance(error, CodecUnavailableError)
    assert "; run: pip install torch" in str(error)


def test_the_former_name_names_the_new_one_and_works(zoo: Path, checkpoints: Path,
                                                     capsys: pytest.CaptureFixture[str]) -> None:
    assert former.main(["mbt2018"]) == 0
    assert list(weights.find("mbt2018", "mse")) == [7]
    assert capsys.readouterr().err.startswith("python -m benchbox_compressai is now: benchbox compressai fetch MODEL")
    assert former.main(["mbt2018", "ms-ssim"]) == 1
    assert "fetch it elsewhere" in capsys.readouterr().err
    assert former.main(["no-such-model"]) == 2
    assert former.main(["mbt2018", "psnr"]) == 2
    assert former.main([]) == 0
    assert "Usage: benchbox compressai fetch" in capsys.readouterr().out
