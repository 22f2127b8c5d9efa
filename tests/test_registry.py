"""What plugins offer is found by id, and the rooms of the house import one way; broken plugins: test_plugin_loading."""

from __future__ import annotations

import inspect
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
from benchbox.reference import Reference
from benchbox.report import Report

# ------------------------------------------------------------------------------------------------------- what is found


def test_bundled_plugins_come_through_the_same_door() -> None:
    found = registry.load()
    assert {"pillow", "metrics", "datasets", "reports"} <= {plugin.name for plugin in found.plugins}
    assert [plugin for plugin in found.plugins if plugin.failure] == []
    assert [plugin.name for plugin in found.plugins] == sorted(plugin.name for plugin in found.plugins)
    assert "jpeg" in found.codecs


def test_plugins_are_asked_for_a_kind_when_it_is_first_looked_for() -> None:
    asked: list[str] = []
    module = ModuleType("noting")

    def hook(kind: str) -> Callable[[], list[Any]]:
        def offer() -> list[Any]:
            asked.append(kind)
            return []

        return hookspecs.hookimpl(offer, specname=f"benchbox_{kind}")

    for kind in ("codecs", "metrics", "datasets", "reports"):
        setattr(module, f"offer_{kind}", hook(kind))
    found = registry.load([module])
    assert asked == []
    assert found.codec("jpeg") is found.codecs["jpeg"]
    assert asked == ["codecs"]
    assert "noting" in {plugin.name for plugin in found.plugins}
    assert sorted(asked) == ["codecs", "datasets", "metrics", "reports"]


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
                          lambda found: next(c for o in found.commands() for c in o.items if c.name == "x")),
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
    (lambda found: found.codec("qqqq"), "no codec is called 'qqqq'; see `benchbox list "
     "codecs`, or name the file that offers it with --plugin, or as `plugins` in a plan"),
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
