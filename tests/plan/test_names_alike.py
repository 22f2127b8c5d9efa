"""Names that look alike are one name, or refused: labels of plans and of codecs, names in [report], ids of plugins, and
labels of published folders."""

from __future__ import annotations

import shutil
import unicodedata
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from installed_plugins import Install

import benchbox
from benchbox import registry
from benchbox.errors import PlanError, StoreError, plain_name
from benchbox.plan import make_plan, resolve
from benchbox.results import find_run, import_run
from benchbox.store import PUBLISHED, Workspace

GOLDEN = Path(__file__).parents[1] / "golden"
ALIKE = [
    "caf\u00e9 x", " caf\u00e9 x", "cafe\u0301 x", "caf\u00e9  x", "caf\u00e9\u00a0x", "caf\u00e9\u2003x",
    "caf\u00e9\u200b x", "\ufeffcaf\u00e9 x", "caf\u00e9 \u202ex", "ca\u00adf\u00e9 x", "caf\u00e9 x\u3164",
    "caf\u00e9 x\ufe0f", "caf\u00e9 x\u2060", "caf\u00e9 \U000e0041x", "ca\u034ff\u00e9 x",
]  # fmt: skip


@pytest.mark.parametrize("label", ALIKE, ids=ascii)
def test_labels_that_look_alike_are_one(label: str) -> None:
    plan = make_plan({"name": "p", "dataset": "samples", "codec": [
        {"id": "jpeg", "label": "caf\u00e9 x"}, {"id": "webp", "label": label}]}, "plan")  # fmt: skip
    assert [entry.label for entry in plan.codec] == ["caf\u00e9 x"] * 2
    with pytest.raises(PlanError, match="two codecs of the plan are called 'caf\u00e9 x'; give one of them a label"):
        resolve(plan, registry.load(), Path())


@pytest.mark.parametrize("label", ALIKE, ids=ascii)
def test_reports_find_a_label_by_any_spelling(label: str) -> None:
    look = {"codecs": [label], "labels": {label: label}, "colours": {label: "#000000"}, "highlight": label}
    plan = make_plan({"name": "p", "dataset": "samples", "codec": [{"id": "jpeg"}], "report": look}, "plan")
    assert plan.report.codecs == ("caf\u00e9 x",)
    assert plan.report.labels == {"caf\u00e9 x": "caf\u00e9 x"}
    assert [*plan.report.colours, plan.report.highlight] == ["caf\u00e9 x"] * 2


@given(st.text())
def test_a_plain_name_is_its_own(text: str) -> None:
    name = plain_name(text)
    assert plain_name(name) == name
    apart = unicodedata.normalize("NFD", text)
    assert plain_name(f"\u200b {apart}\u00a0") == plain_name(apart)


CODEC = """
from benchbox import Capabilities, Codec, CodecInfo, hookimpl, OptionsModel

class Options(OptionsModel):
    way: str = "a"

class Info(CodecInfo):
    Options = Options
    capabilities = Capabilities(lossless=True)
    def open(self, options, device="cpu"): raise NotImplementedError
    def identity(self, options): return "1"
    def label(self, options): return "acme " + options.way

@hookimpl
def benchbox_codecs(): return [Info(id={id!a}, title="Acme")]
"""


def test_labels_that_a_codec_gives_look_alike_neither(install: Install) -> None:
    install("acme", CODEC.replace("{id!a}", "'acme'"))
    entries = [{"id": "acme", "options": {"way": way}} for way in ("b", "b\u200b")]
    plan = make_plan({"name": "p", "dataset": "samples", "codec": entries}, "plan")
    with pytest.raises(PlanError, match="two codecs of the plan are called 'acme b'"):
        resolve(plan, registry.load(), Path())


@pytest.mark.parametrize("name", ["jpeg\u200b", "cafe\u0301", "jp\x07eg", "jpeg\u3164", "\ufeffjpeg"], ids=ascii)
def test_an_id_that_looks_like_another_is_refused(name: str, install: Install) -> None:
    install("acme", CODEC.replace("{id!a}", ascii(name)))
    loaded = registry.load()
    assert name not in loaded.codecs
    assert "which no plan can name; use lower-case letters" in str(
        next(plugin.failure for plugin in loaded.plugins if plugin.name == "acme"))  # fmt: skip


@pytest.mark.parametrize(("column", "other", "refused"), [
    ("label", "\u200b", True), ("label", " ", True), ("label", "\u00a0", True), ("label", "2", False),
    ("sample", "\u200b", False), ("sample", "\x01", True),
])  # fmt: skip
def test_names_that_look_alike_in_a_published_folder(
    column: str, other: str, refused: bool, tmp_path: Path
) -> None:
    folder = Path(shutil.copytree(GOLDEN / "published-1", tmp_path / "pub"))
    table = pd.read_parquet(folder / PUBLISHED)
    names = table[column].astype(object)
    first = names == names.iloc[0]
    twin = table[first].assign(**{column: f"{names.iloc[0]}{other}"})
    if other == "\x01":  # a control character is shown as a blank
        twin = pd.concat([twin, table[first].assign(**{column: f"{names.iloc[0]} "})])
    pd.concat([table.astype({column: object}), twin]).to_parquet(folder / PUBLISHED, index=False)
    if refused:
        with pytest.raises(StoreError, match=f"column {column} holds two names that look alike"):
            benchbox.load(folder)
        with pytest.raises(StoreError, match="look alike"):
            import_run(folder, "taken", Workspace.at(tmp_path / "runs"))
    else:
        assert len(benchbox.load(folder)) == len(table) + len(twin)
    assert find_run(folder, Workspace.at(tmp_path)).folder == folder
