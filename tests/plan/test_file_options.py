"""Options that name files: relative to the plan, in keys and labels by content and name; and how values are quoted."""

from __future__ import annotations

import hashlib
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from benchbox import Capabilities, Codec, CodecInfo, FileOption, OptionsModel, hookimpl, registry
from benchbox.errors import OptionError, PlanError
from benchbox.plan import Configuration, make_plan, parse_codec, resolve


class Options(OptionsModel):
    weights: FileOption = ""
    others: tuple[FileOption, ...] = ()
    either: FileOption | None = None
    name: str = ""


class Info(CodecInfo):
    id, title, Options, capabilities = "filed", "Filed", Options, Capabilities(lossless=True)

    def identity(self, options: Any) -> str:
        return "filed 1"

    def open(self, options: Any, device: str) -> Codec:
        raise NotImplementedError


def configuration(folder: Path, options: dict[str, Any]) -> Configuration:
    module = ModuleType("filed")
    module.__dict__["benchbox_codecs"] = hookimpl(lambda: [Info()])
    module.__dict__["benchbox_codecs"].__name__ = "benchbox_codecs"
    made = make_plan({"name": "t", "dataset": "samples", "codec": [{"id": "filed", "options": options}]}, "plan")
    resolved = resolve(made, registry.load([module]), folder)
    stored = resolved.plan.codec[0].options  # means the same from any folder
    assert stored == {name: value for name, value in resolved.configurations[0].options.model_dump(mode="json").items()
                      if name in options}
    return resolved.configurations[0]


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "a.pt").write_bytes(b"one")
    (tmp_path / "copy").mkdir()
    (tmp_path / "copy" / "a.pt").write_bytes(b"one")
    return tmp_path


def test_a_path_starts_from_the_plan(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir("/")
    given = {"weights": "copy/../a.pt", "others": ["a.pt", "copy/a.pt"], "either": "a.pt", "name": "a.pt"}
    options: Any = configuration(folder, given).options
    assert options.weights == options.either == str(folder / "a.pt")
    assert options.others == (str(folder / "a.pt"), str(folder / "copy" / "a.pt"))
    assert options.name == "a.pt"  # no file


def test_key_and_label_hold_digest_and_name(folder: Path) -> None:
    digest = hashlib.sha256(b"one").hexdigest()
    here, there = configuration(folder, {"weights": "a.pt"}), configuration(folder, {"weights": "copy/a.pt"})
    assert here.label == there.label == f"filed weights=a.pt sha256:{digest[:8]}"
    assert here.key(None, "") == there.key(None, "")
    (folder / "a.pt").write_bytes(b"two")
    changed = configuration(folder, {"weights": "a.pt"})
    assert changed.key(None, "") != here.key(None, "")
    assert changed.label != here.label


def test_without_a_file_the_key_is_what_it_was(folder: Path) -> None:
    asked = ('{"codec": "filed", "device": "cpu", "identity": "filed 1", "options": '
             '"{\\"either\\":null,\\"name\\":\\"x\\",\\"others\\":[],\\"weights\\":\\"\\"}", "quality": null, '
             '"sample": "s"}')  # fmt: skip
    made = configuration(folder, {"name": "x", "weights": ""})
    assert made.key(None, "s") == hashlib.sha256(asked.encode()).hexdigest()


def test_a_missing_file_is_named(folder: Path) -> None:
    with pytest.raises(OptionError, match=rf"^filed: option weights='b\.pt': there is no file {folder}/b\.pt; check"):
        configuration(folder, {"weights": "b.pt"})


@pytest.mark.parametrize(("text", "options", "qualities"), [
    ('resnet:weights="a@b.pt"', {"weights": "a@b.pt"}, None),
    ("resnet:weights='a@b.pt',effort=2@3", {"weights": "a@b.pt", "effort": "2"}, (3,)),
    ('x:a="b,c=d",e="f@1"@1,2', {"a": "b,c=d", "e": "f@1"}, (1, 2)),
    ('x:a=""', {"a": ""}, None),
    ("x:a=it's,b=5'@7", {"a": "it's", "b": "5'"}, (7,)),
    ('x:a=say"hi"', {"a": 'say"hi"'}, None),
    ("webp:method=6@10:30:10", {"method": "6"}, (10, 20, 30)),
])  # fmt: skip
def test_values_may_be_quoted(text: str, options: dict[str, str], qualities: tuple[float, ...] | None) -> None:
    entry = parse_codec(text)
    assert (entry.options, entry.qualities) == (options, qualities)


def test_an_at_that_is_not_quoted_says_how() -> None:
    with pytest.raises(PlanError, match=r"'@b\.pt' are no qualities; .*put the value in quotes, as in 'resnet:"):
        parse_codec("resnet:weights=a@b.pt")
