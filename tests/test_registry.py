"""What plugins offer is found by id, and the rooms of the house import one way; broken plugins: test_plugin_loading."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import pytest

import benchbox
from benchbox import hookspecs, registry
from benchbox.codec import Codec, CodecInfo
from benchbox.dataset import Dataset, DatasetInfo
from benchbox.errors import DatasetError, PluginError, UnknownIdError
from benchbox.metric import Display, Metric, Scorer
from benchbox.report import Reference, Report

# ------------------------------------------------------------------------------------------------------- what is found


def test_bundled_plugins_come_through_the_same_door() -> None:
    found = registry.load()
    assert {"pillow", "metrics", "datasets", "reports"} <= {plugin.name for plugin in found.plugins}
    assert [plugin for plugin in found.plugins if plugin.failure] == []
    assert [plugin.name for plugin in found.plugins] == sorted(plugin.name for plugin in found.plugins)
    assert "jpeg" in found.codecs


@dataclass(frozen=True)
class SomeCodec(CodecInfo):
    def identity(self, options: Any) -> str:
        return "some 1"

    def axis(self, options: Any) -> None:
        return None

    def open(self, options: Any, device: str) -> Codec:
        raise NotImplementedError


@dataclass(frozen=True)
class SomeMetric(Metric):
    def open(self, device: str) -> Scorer:
        raise NotImplementedError


@dataclass(frozen=True)
class SomeDataset(DatasetInfo):
    def open(self, argument: str) -> Dataset:
        return Dataset(f"{self.id}:{argument}" if argument else self.id, "Some", ())


@dataclass(frozen=True)
class SomeReport(Report):
    def render(self, results: Any, options: Any, out: Path) -> list[Path]:
        raise NotImplementedError


HOOKS: dict[str, tuple[Any, Callable[[registry.Registry], Any]]] = {
    "benchbox_codecs": (SomeCodec("x", "X"), lambda found: found.codec("x")),
    "benchbox_metrics": (SomeMetric("x", "X", "1", "", "higher", Display("X")), lambda found: found.metric("x")),
    "benchbox_datasets": (SomeDataset("x", "X"), lambda found: found.dataset_info("x")),
    "benchbox_reports": (SomeReport("x", "X"), lambda found: found.report("x")),
    "benchbox_references": (Reference("x", "X", "kodak", "mean", "us", (1.0,), {}),
                            lambda found: next(curve for curve in found.references() if curve.id == "x")),
    "benchbox_commands": (click.Command("x"),
                          lambda found: next(c for o in found.commands() for c in o.commands if c.name == "x")),
}
ON_DEMAND = {"benchbox_references", "benchbox_commands"}
"""Hooks that `registry.load` does not call."""


def module_with(name: str = "given", /, **hooks: Callable[[], Sequence[Any]]) -> ModuleType:
    module = ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, hook, benchbox.hookimpl(function))
    return module


@pytest.mark.parametrize("hook", HOOKS)
def test_hook(hook: str) -> None:
    """An item that a hook returns is found by its id; an item of another type is refused."""
    item, find = HOOKS[hook]
    assert find(registry.load([module_with(**{hook: lambda: [item]})])) is item
    if hook not in ON_DEMAND:
        plugin = registry.load([module_with(**{hook: lambda: ["x"]})]).plugins[-1]
        assert str(plugin.failure).startswith(f"{hook} gave a str; it must give instances of ")


def test_every_hook_has_a_test() -> None:
    specified = {name for name, function in vars(hookspecs).items() if hasattr(function, "benchbox_spec")}
    assert len(specified) == 6
    assert specified == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    assert len(inspect.getdoc(getattr(hookspecs, hook)) or "") > 20


# ------------------------------------------------------------------------------------------------- what may go wrong


def test_two_curves_of_one_name_on_one_dataset() -> None:
    curve = HOOKS["benchbox_references"][0]
    found = registry.load([module_with("a", benchbox_references=lambda: [curve]),
                           module_with("b", benchbox_references=lambda: [curve])])
    with pytest.raises(PluginError, match="two published curves on kodak are called 'x'"):
        found.references()


@pytest.mark.parametrize(("ask", "message"), [
    (lambda found: found.codec("jpg"), "no codec is called 'jpg'; did you mean 'jpeg'?"),
    (lambda found: found.codec("qqqq"), "no codec is called 'qqqq'; see `benchbox list codecs`"),
    (lambda found: found.metric("psnrr"), "no metric is called 'psnrr'; did you mean 'psnr'?"),
    (lambda found: found.report("pages"), "no report is called 'pages'; did you mean 'page'?"),
    (lambda found: found.dataset("kodac"), "no data set is called 'kodac'; did you mean 'kodak'?"),
    (lambda found: found.dataset("folder"), "data set folder needs an argument: write folder:PATH"),
    (lambda found: found.dataset("samples:3"), "data set samples takes no argument: write samples, not samples:3"),
])
def test_unknown_names(ask: Callable[[registry.Registry], Any], message: str) -> None:
    with pytest.raises(UnknownIdError) as caught:
        ask(registry.load())
    assert str(caught.value) == message
    assert caught.value.exit_code == 2


def test_dataset_opens_with_its_argument() -> None:
    found = registry.load([module_with(benchbox_datasets=lambda: [SomeDataset("some", "Some", argument="PATH")])])
    assert found.dataset("some:a:b").id == "some:a:b"
    with pytest.raises(DatasetError):
        found.dataset("folder:/no/such/folder")


# ----------------------------------------------------------------------------------------------- imports go one way

CORE = Path(benchbox.__file__).parent

LAYERS = (
    "errors columns cells progress",
    "depth",
    "image",
    "codec metric dataset",
    "report curves pchip",
    "hookspecs bd references",
    "registry bdstats",
    "plan environment comparison plugin_commands",
    "jobs",
    "streams worker",
    "match store measure",
    "timing",
    "execution samples frame record",
    "runner results listing byhand",
    "matched dryrun publishing",
    "api",
    "cli",
    "__main__",
)
"""The core's modules from the bottom up. A module imports from layers below its own only, never beside or above it."""

PUBLIC = {"", "errors", "image", "codec", "metric", "dataset", "report", "hookspecs", "curves", "bd", "bdstats",
          "comparison", "columns", "references", "testing"}
"""What a plugin may import; the rest is the core's own."""


def imports(file: Path) -> set[str]:
    """Modules that a file imports for use, at any depth of its code; those for type checking only are left out."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {id(node) for branch in ast.walk(tree) if isinstance(branch, ast.If) and "TYPE_CHECKING" in
               ast.unparse(branch.test) for node in ast.walk(branch)}
    found: set[str] = set()
    for node in ast.walk(tree):
        if id(node) in skipped:
            continue
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import; write it in full"
            base = node.module or ""
            modules = {alias.name for alias in node.names if base == "benchbox" and _is_core_module(alias.name)}
            found |= {f"benchbox.{name}" for name in modules} or {base}
    return found


def _is_core_module(name: str) -> bool:
    return (CORE / f"{name}.py").exists() or (CORE / name / "__init__.py").exists()


def core_files() -> list[Path]:
    return sorted(CORE.rglob("*.py"))


def room(file: Path) -> str:
    """The module, or the package for what lies in one: ``execution/local.py`` is in ``execution``."""
    first = file.relative_to(CORE).parts[0]
    return first.removesuffix(".py")


def test_core_imports_go_one_way() -> None:
    layer = {name: index for index, names in enumerate(LAYERS) for name in names.split()}
    for file in core_files():
        here = room(file)
        if here in ("__init__", "testing"):
            continue
        assert here in layer, f"benchbox/{here} is in no layer of tests/test_registry.py: say where it belongs"
        for name in imports(file):
            there = name.split(".")[1] if name.startswith("benchbox.") else None
            if there is None or there == here:
                continue
            assert layer[there] < layer[here], f"benchbox/{here} imports {name}, which does not lie below it"


def test_the_package_itself_imports_the_nouns_only() -> None:
    top = imports(CORE / "__init__.py") - {"benchbox.api", "importlib", "typing", "__future__"}
    assert top <= {f"benchbox.{name}" for name in ("codec", "dataset", "hookspecs", "image", "metric", "report")}


def test_the_kit_imports_the_nouns_only() -> None:
    for file in (CORE / "testing").glob("*.py"):
        rooms = {name.split(".")[1] for name in imports(file) if name.startswith("benchbox.")}
        assert rooms <= {"errors", "image", "codec", "metric", "dataset", "testing"}, file.name


def test_core_imports_neither_torch_nor_a_plugin() -> None:
    for file in core_files():
        for name in imports(file):
            top = name.split(".")[0]
            assert top not in ("torch", "torchvision"), f"{file} imports {name}"
            assert not top.startswith("benchbox_"), f"{file} imports the plugin {name}"


def plugin_folders() -> list[Path]:
    found = []
    for plugin in registry.load().plugins:
        spec = importlib.util.find_spec(plugin.module)
        if plugin.module.startswith("benchbox_") and spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent)
    return found


@pytest.mark.parametrize("folder", plugin_folders(), ids=lambda folder: folder.name)
def test_plugins_import_public_names_only(folder: Path) -> None:
    for file in folder.rglob("*.py"):
        for name in imports(file):
            parts = name.split(".")
            if parts[0] == "benchbox":
                assert (parts[1:] or [""])[0] in PUBLIC, f"{file} imports {name}, which is the core's own"
            elif parts[0].startswith("benchbox_"):
                assert parts[0] == folder.name, f"{file} imports the plugin {parts[0]}"


@pytest.mark.parametrize(("code", "absent"), [
    ("import benchbox", {"torch", "pandas", "numba", "PIL", "matplotlib", "numpy", "pydantic"}),
    ("import benchbox; [getattr(benchbox, n) for n in benchbox.__all__]", {"torch", "pandas", "numba", "matplotlib"}),
    ("from benchbox import registry; registry.load()", {"torch", "pandas", "numba", "matplotlib", "imagecodecs"}),
    ("import benchbox.testing", {"torch", "pandas", "numba", "pytest", "skimage"}),
])
def test_what_an_import_does_not_load(code: str, absent: set[str]) -> None:
    script = f"{code}\nimport sys\nprint(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
