"""What a data set or a codec says of itself is text where a record of the run holds text: else the run could never be
read again."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from installed_plugins import Install
from small_runs import go, plan
from stored import stored_results

from benchbox import image, registry
from benchbox.errors import BenchboxError
from benchbox.plan import make_plan, resolve

SOURCE = """
import numpy as np
from benchbox import Capabilities, CodecInfo, Dataset, DatasetInfo, Sample, hookimpl

class One(Sample):
    def __init__(self, name): self.id = name
    def load(self): return np.zeros((8, 8, 3), np.uint8)
    def sha256(self): return None

class Info(DatasetInfo):
    def open(self, argument):
        return Dataset(**dict(id="acme", title="Acme", samples=(One("a"), One("b"))) | dict(FACTS_OF_IT))

class Away(CodecInfo):
    capabilities = Capabilities(lossless=True)
    def open(self, options, device="cpu"): raise NotImplementedError
    def identity(self, options): return "1"
    def unavailable(self): return ["no", "reason"]

@hookimpl
def benchbox_datasets(): return [Info(id="acme", title="Acme")]

@hookimpl
def benchbox_codecs(): return [Away(id="away", title="Away")]
"""


@pytest.mark.parametrize(("facts", "said"), [
    ("title=None", "data set acme: title must be text, not None"),
    ("version=3", "data set acme: version must be text, not 3"),
    ("source=b'x'", "data set acme: source must be text, not b'x'"),
    ("notes='abc'", "data set acme: notes must be a tuple of texts, not 'abc'"),
    ("notes=('a', 1)", r"data set acme: notes must be a tuple of texts, not \('a', 1\)"),
    ("passed_over=[None]", r"data set acme: passed_over must be a tuple of texts, not \[None\]"),
    ("samples=(One(name) for name in 'ab')", "data set acme: samples must be a tuple of Samples, not <generator"),
    ("samples=('a',)", "data set acme: samples must be a tuple of Samples"),
    ("samples=(One(1),)", "data set acme: the id of a sample must be text"),
    ("id='other'", r"acme \(plugin acme\): open gave the data set 'other'; its id must be 'acme' \(acme.py:"),
])  # fmt: skip
def test_a_data_set_is_refused(facts: str, said: str, install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", facts))
    with pytest.raises(BenchboxError, match=said):
        registry.load().dataset("acme")


@pytest.mark.parametrize("facts", ["", "samples=[One('a')]", "notes=['a', 'b'], source='x', version='2'"])
def test_a_sound_one_is_opened(facts: str, install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", facts))
    assert registry.load().dataset("acme").id == "acme"


def test_a_reason_that_is_no_text_does_not_spoil_the_run(tmp_path: Path, photo: np.ndarray, install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", ""))
    (tmp_path / "p").mkdir()
    image.write_png(tmp_path / "p" / "a.png", np.ascontiguousarray(photo[:32, :32]))
    asked = plan(tmp_path / "p", {"id": "jpeg", "qualities": [50]}, {"id": "away", "optional": True})
    assert resolve(make_plan(asked, "plan"), registry.load(), tmp_path).left_out == {"away": "['no', 'reason']"}
    go(tmp_path, asked, workers=1)
    assert stored_results("t", tmp_path / "runs").left_out == {"away": "['no', 'reason']"}


def test_a_title_that_is_no_text_leaves_its_plugin_out(install: Install) -> None:
    install("acme", SOURCE.replace("FACTS_OF_IT", "").replace('title="Away"', "title=None"))
    loaded = registry.load()
    assert "away" not in loaded.codecs
    (failure,) = [plugin.failure for plugin in loaded.plugins if plugin.name == "acme"]
    assert "benchbox_codecs gives away the title None; it must be text" in str(failure)
