"""The codec as benchbox sees it before it is opened: availability, identity, options."""

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest
from benchbox_resnet import benchbox_codecs
from benchbox_resnet import info as module
from benchbox_resnet.info import RESNET

from benchbox.errors import CodecError, CodecUnavailableError, OptionError


def test_the_hook_imports_no_torch() -> None:
    script = (
        "import sys, benchbox_resnet; [codec] = benchbox_resnet.benchbox_codecs(); codec.unavailable();"
        "codec.axis(codec.parse_options({})); print('torch' in sys.modules, 'numba' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True, timeout=60)
    assert done.stdout.split() == ["False", "False"]


def test_the_hook_lists_one_codec() -> None:
    assert [codec.id for codec in benchbox_codecs()] == ["resnet"]


@pytest.mark.parametrize("absent", ["torch", "safetensors"])
def test_what_is_absent_is_named_with_the_remedy(absent: str, monkeypatch: pytest.MonkeyPatch) -> None:
    real = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == absent else real(name))
    with pytest.raises(CodecUnavailableError, match=rf'{absent}.*pip install "benchbox\[resnet\]"'):
        RESNET.require()


def test_without_weights_the_remedy_is_training(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "WEIGHTS", tmp_path)
    assert "benchbox resnet train" in (RESNET.unavailable() or "")
    with pytest.raises(CodecUnavailableError, match="no trained weights"):
        RESNET.require(RESNET.parse_options({}))
    RESNET.require(RESNET.parse_options({"weights": "mine.safetensors"}))


def test_identity_names_the_weights(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.write_bytes(b"some weights")
    options = RESNET.parse_options({"weights": str(path)})
    first = RESNET.identity(options)
    path.write_bytes(b"other weights")
    assert RESNET.identity(options) != first
    with pytest.raises(CodecError, match="cannot read the weights"):
        RESNET.identity(RESNET.parse_options({"weights": str(tmp_path / "absent")}))


def test_unknown_options_are_refused() -> None:
    with pytest.raises(OptionError, match="threads"):
        RESNET.parse_options({"thread": 2})


def test_a_tune_that_is_not_bundled_names_those_that_are(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mse.safetensors").write_bytes(b"some weights")
    monkeypatch.setattr(module, "WEIGHTS", tmp_path)
    RESNET.identity(RESNET.parse_options({"tune": "mse"}))
    with pytest.raises(OptionError, match="'ssim'; there are: mse"):
        RESNET.identity(RESNET.parse_options({"tune": "ssim"}))
