"""One Python file is a plugin, found under its path and known by its contents; one at fault is named, with a remedy."""

from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest
from plugin_files import HOOK, TOY

from benchbox import registry
from benchbox.errors import BenchboxError, PluginError, UsageError
from benchbox.plugin_file import plugin_files

METRIC = """
from benchbox import Display, Metric, hookimpl

class Some(Metric):
    def open(self, device): raise NotImplementedError

@hookimpl
def benchbox_metrics():
    return [Some("some", "Some", "1", "", "higher", Display("some"))]
"""


def load(*paths: Path) -> registry.Registry:
    return registry.load(files=plugin_files(paths))


def identity(path: Path) -> str:
    found = load(path)
    info = found.codec("toy")
    return found.identity(info, info.parse_options({}))


def test_the_file_is_a_plugin_whose_identity_carries_its_digest(toy_file: Path) -> None:
    before = identity(toy_file)
    assert before.endswith(f"; mycodec.py sha256 {hashlib.sha256(toy_file.read_bytes()).hexdigest()}")
    assert identity(toy_file) == before
    toy_file.write_text(TOY + "\n# changed\n", encoding="utf-8")
    assert identity(toy_file) != before
    assert [path.name for path in toy_file.parent.iterdir()] == ["mycodec.py"]  # nothing was written


def test_a_changed_file_runs_anew_in_the_same_process(toy_file: Path) -> None:
    first = load(toy_file).codec("toy")
    assert type(load(toy_file).codec("toy")) is type(first)
    toy_file.write_text(TOY.replace("Toy (zlib)", "Changed"), encoding="utf-8")
    assert load(toy_file).codec("toy").title == "Changed"


def test_a_metrics_version_carries_the_digest_once(tmp_path: Path) -> None:
    path = tmp_path / "mymetric.py"
    path.write_text(METRIC, encoding="utf-8")
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    versions = [load(path).metric("some").version for _ in range(2)]
    assert versions == [f"1; mymetric.py sha256 {digest}"] * 2


def test_the_environment_names_files_too(toy_file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (other := toy_file.with_name("mymetric.py")).write_text(METRIC, encoding="utf-8")
    monkeypatch.setenv("BENCHBOX_PLUGINS", f"{toy_file}{os.pathsep}{other}{os.pathsep}")
    found = load(toy_file)  # named twice, loaded once
    assert [file.path for file in found.files] == [toy_file, other]
    assert found.codec("toy").title == "Toy (zlib)"
    monkeypatch.setenv("BENCHBOX_PLUGINS", str(toy_file.with_name("gone.py")))
    with pytest.raises(UsageError, match=r"^BENCHBOX_PLUGINS: plugin file .*gone\.py: there is no such file; "):
        registry.load()


@pytest.mark.parametrize(("source", "reason"), [
    ("def f(:\n", r"line 1: SyntaxError: invalid syntax; correct the file"),
    (b"\xff\xfe", r"SyntaxError: .*; correct the file"),
    ("x = 1\nimport nozfp\n", r"line 2: ModuleNotFoundError: No module named 'nozfp'; install it"),
    ("from benchbox import Kodec\n", r"line 1: ImportError: .*Kodec.*; see whether the right version"),
    ("def f():\n    raise OSError('disk')\nf()\n", r"line 2: OSError: disk; correct the file"),
    ("import sys\nsys.exit(3)\n", r"line 2: SystemExit: 3; correct the file"),
    (TOY.replace(HOOK, ""), r"offers nothing; add a hook, e\.g\. `@hookimpl` above .*\[ToyInfo\(\.\.\.\)\]`"),
    ("", r"offers nothing; add a hook"),
    (TOY.replace("benchbox_codecs", "benchbox_codec"), r"unknown hook 'benchbox_codec'; did you mean '"),
    (TOY.replace("codecs()", "codecs(config)"), r"hook 'benchbox_codecs' takes no arguments; write it as"),
    (TOY.replace("return [", "return [1 / 0, "), r"benchbox_codecs raised ZeroDivisionError: .*\(mycodec\.py:\d+\)"),
    (TOY.replace("[ToyInfo(", "[str(").replace('id="toy", title="Toy (zlib)"', ""), r"gave a str; it must give instan"),
    (TOY.replace('"toy"', '"jpeg"'), r"'jpeg' is the id of one of pillow of benchbox; give it another"),
    (TOY.replace("return [", 'return [ToyInfo(id="toy", title=""), '), r"'toy' is the id of another one of its own"),
])  # fmt: skip
def test_a_file_at_fault_is_named_with_the_remedy(toy_file: Path, source: str | bytes, reason: str) -> None:
    toy_file.write_bytes(source.encode() if isinstance(source, str) else source)
    with pytest.raises(PluginError, match=rf"^plugin file {toy_file}: .*{reason}") as error:
        load(toy_file)
    assert "\n" not in str(error.value)


def test_a_file_that_cannot_be_one_is_refused(toy_file: Path, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    for name in ("mycodec.txt", "my.codec.py", "json.py", "other/mycodec.py"):
        (tmp_path / name).write_text(TOY, encoding="utf-8")
    for paths, reason in [
        (["gone.py"], "there is no such file; check the path"),
        (["other"], "is a folder; name one .py file"),
        (["mycodec.txt"], "is not called NAME.py with no other dot; rename it"),
        (["my.codec.py"], "is not called NAME.py with no other dot; rename it"),
        (["json.py"], r"its name is that of the module json \(.*\); rename it"),
        (["mycodec.py", "other/mycodec.py"], r".*/mycodec.py has the same name; rename one of them"),
    ]:
        with pytest.raises(BenchboxError, match=rf"^plugin file {tmp_path / paths[-1]}: {reason}"):
            load(*(tmp_path / path for path in paths))


def test_a_file_that_changed_since_it_was_named_is_refused(toy_file: Path) -> None:
    files = plugin_files([toy_file])
    toy_file.write_text(TOY + "\n", encoding="utf-8")
    with pytest.raises(PluginError, match=r"mycodec\.py: has changed since the command began, .*; run again"):
        registry.load(files=files)


def test_the_file_is_compiled_as_itself_and_a_link_keeps_its_name(toy_file: Path, tmp_path: Path) -> None:
    noted = "\nclass Noted:\n    x: int\n\nassert Noted.__annotations__ == {'x': int}\n"
    toy_file.write_text(TOY + noted, encoding="utf-8")
    (link := tmp_path / "linked.py").symlink_to(toy_file)
    assert identity(toy_file).replace("mycodec.py", "linked.py") == identity(link)


def test_a_file_that_fails_leaves_no_module_behind(toy_file: Path) -> None:
    toy_file.write_text("raise OSError", encoding="utf-8")
    for _ in range(2):
        with pytest.raises(PluginError, match="OSError"):
            load(toy_file)
    toy_file.write_text(TOY, encoding="utf-8")
    assert load(toy_file).codec("toy").title == "Toy (zlib)"
