"""Plugins are found, broken ones cost only themselves, and the rooms of the house import one way."""

from __future__ import annotations

import ast
import importlib.util
import inspect
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

import benchbox
from benchbox import hookspecs, registry
from benchbox.codec import Codec, CodecInfo
from benchbox.dataset import Dataset, DatasetInfo
from benchbox.errors import DatasetError, PluginError, UnknownIdError
from benchbox.metric import Display, Metric, Scorer
from benchbox.reference import Reference
from benchbox.report import Report

Install = Callable[..., None]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Put a distribution with one entry point on sys.path, as pip would: ``install("acme", source)``."""
    modules: list[str] = []

    def put(distribution: str, source: str, entry: str | None = None, module: str | None = None) -> None:
        folder = tmp_path / distribution
        module = module or distribution.replace("-", "_")
        info = folder / f"{distribution.replace('-', '_')}-1.5.dist-info"
        info.mkdir(parents=True)
        (folder / f"{module}.py").write_text(source)
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {distribution}\nVersion: 1.5\n")
        (info / "entry_points.txt").write_text(f"[benchbox]\n{entry or distribution} = {module}\n")
        monkeypatch.syspath_prepend(str(folder))
        modules.append(module)

    yield put
    for name in modules:
        sys.modules.pop(name, None)


CODEC_SOURCE = """
from benchbox import CodecInfo, hookimpl

class Info(CodecInfo):
    def identity(self, options): return "acme 1"
    def axis(self, options): return None
    def open(self, options, device): raise NotImplementedError

@hookimpl
def benchbox_codecs():
    return [Info(id="{id}", title="Acme")]
"""


def failure(found: registry.Registry, name: str) -> str:
    reasons = [plugin.failure for plugin in found.plugins if plugin.name == name]
    assert len(reasons) == 1
    assert reasons[0] is not None
    assert "\n" not in reasons[0]
    return reasons[0]


# ------------------------------------------------------------------------------------------------------- what is found


def test_a_third_partys_plugin_is_found(install: Install) -> None:
    install("acme-codec", CODEC_SOURCE.format(id="acme"), entry="acme")
    found = registry.load()
    assert found.codec("acme").title == "Acme"
    plugin = next(plugin for plugin in found.plugins if plugin.name == "acme")
    assert (plugin.module, plugin.distribution, plugin.version) == ("acme_codec", "acme-codec", "1.5")
    assert plugin.failure is None


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
}


def module_with(name: str = "given", /, **hooks: Callable[[], Sequence[Any]]) -> ModuleType:
    module = ModuleType(name)
    for hook, function in hooks.items():
        setattr(module, hook, benchbox.hookimpl(function))
    return module


@pytest.mark.parametrize("hook", HOOKS)
def test_hook(hook: str) -> None:
    """What a hook gives is found by its id; what is not of the hook's kind is refused."""
    item, find = HOOKS[hook]
    assert find(registry.load([module_with(**{hook: lambda: [item]})])) is item
    if hook != "benchbox_references":  # read on demand, so no plugin list could show it
        found = registry.load([module_with(**{hook: lambda: ["x"]})])
        assert failure(found, "given").startswith(f"{hook} gave a str; it must give instances of ")


def test_every_hook_has_a_test() -> None:
    specified = {name for name, function in vars(hookspecs).items() if hasattr(function, "benchbox_spec")}
    assert len(specified) == 5
    assert specified == set(HOOKS)


@pytest.mark.parametrize("hook", HOOKS)
def test_every_hook_is_documented(hook: str) -> None:
    assert len(inspect.getdoc(getattr(hookspecs, hook)) or "") > 20


# ------------------------------------------------------------------------------------------------- what may go wrong


@pytest.mark.parametrize(("source", "reason"), [
    ("import no_such_library", "ModuleNotFoundError: No module named 'no_such_library'"),
    ("raise RuntimeError('two\\nlines')", "RuntimeError: two"),
    ("import sys\nsys.exit(3)", "SystemExit: 3"),
    ("def f(:", "SyntaxError: "),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codec(): return []", "unknown hook 'benchbox_codec'"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(config): return []", "hook 'benchbox_codecs'"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): raise OSError('disk')",
     "benchbox_codecs raised OSError: disk"),
    ("from benchbox import hookimpl\n@hookimpl\ndef benchbox_codecs(): return 3", "benchbox_codecs raised TypeError"),
], ids=["import", "error", "exit", "syntax", "misspelt-hook", "wrong-signature", "hook-raises", "hook-gives-3"])
def test_a_broken_plugin_costs_only_itself(source: str, reason: str, install: Install) -> None:
    usual = registry.load()
    install("aaa-broken", source)
    install("zzz-sound", CODEC_SOURCE.format(id="zzz"))
    found = registry.load()
    assert reason in failure(found, "aaa-broken")
    assert set(found.codecs) == {*usual.codecs, "zzz"}
    assert set(found.metrics) == set(usual.metrics)
    assert [plugin.name for plugin in found.plugins if plugin.failure] == ["aaa-broken"]


def test_a_hook_that_fails_keeps_the_plugins_other_hooks(install: Install) -> None:
    install("half", CODEC_SOURCE.format(id="half") + "\n@hookimpl\ndef benchbox_metrics(): raise OSError('disk')\n")
    found = registry.load()
    assert failure(found, "half") == "benchbox_metrics raised OSError: disk"
    assert "half" in found.codecs


def test_one_id_from_two_plugins_names_both_distributions(install: Install) -> None:
    install("acme-codec", CODEC_SOURCE.format(id="acme"))
    install("other-codec", CODEC_SOURCE.format(id="acme"))
    with pytest.raises(PluginError) as caught:
        registry.load()
    assert str(caught.value) == ("two plugins offer 'acme' in benchbox_codecs: acme-codec of acme-codec and "
                                 "other-codec of other-codec; rename or remove one of them")


def test_one_name_in_two_distributions(install: Install) -> None:
    install("first", CODEC_SOURCE.format(id="one"), entry="acme", module="acme_a")
    install("second", CODEC_SOURCE.format(id="two"), entry="acme", module="acme_b")
    found = registry.load()
    assert "one" in found.codecs
    assert "two" not in found.codecs
    loser = next(plugin for plugin in found.plugins if plugin.module == "acme_b")
    assert loser.failure == "a plugin of this name is loaded from first; rename the entry point of one of them"


def test_one_distribution_seen_twice_is_one_plugin(install: Install) -> None:
    install("first", CODEC_SOURCE.format(id="one"), entry="acme", module="acme_a")
    install("first-again", "", entry="acme", module="acme_a")
    names = [plugin.name for plugin in registry.load().plugins]
    assert names.count("acme") == 1


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
    "deep",
    "image",
    "codec metric dataset reference",
    "report curves pchip",
    "hookspecs bd",
    "registry bdstats",
    "plan environment comparison literature",
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
          "comparison", "columns", "reference", "testing"}
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
    assert top <= {f"benchbox.{name}" for name in ("codec", "dataset", "hookspecs", "image", "metric",
                                                 "reference", "report")}


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
