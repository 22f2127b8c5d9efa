"""The conformance kit over everything that the registry finds: ours and any other plugin installed here."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import pytest

from benchbox import loading, registry, testing
from benchbox.image import write_png

REGISTRY = registry.load()

HEAVY = {"vvc", "resnet"}
"""Codecs whose rules take a minute: they are checked with the slow tests."""


def parameters(things: Iterable[Any], why_not: Callable[[Any], str | None],
               checks: Callable[[Any], Sequence[testing.Check]]) -> list[Any]:
    """Every check of every thing; one skipped parameter, with its reason, for what is unavailable here."""
    found: list[Any] = []
    for thing in things:
        reason = why_not(thing)
        if reason is None:
            marks = [pytest.mark.slow] if thing.id in HEAVY else []
            found += [pytest.param(check, id=check.__name__, marks=marks) for check in checks(thing)]
        else:
            found.append(pytest.param(None, id=thing.id, marks=pytest.mark.skip(reason=f"{thing.id}: {reason}")))
    return found


def why_no_codec(info: Any) -> str | None:
    required = [name for name, field in info.Options.model_fields.items() if field.is_required()]
    if required:
        return f"needs options ({', '.join(required)}); tested by its own plugin"
    unavailable: str | None = info.unavailable()
    return unavailable


def why_no_dataset(info: Any) -> str | None:
    if info.argument:
        return f"needs an argument ({info.argument}); tested by its own plugin"
    missing: str | None = info.missing()
    return missing


@pytest.mark.parametrize("plugin", REGISTRY.plugins, ids=lambda plugin: plugin.name)
def test_plugin_loads(plugin: loading.Plugin) -> None:
    assert plugin.failure is None


@pytest.mark.parametrize("check", parameters(REGISTRY.codecs.values(), why_no_codec, testing.codec_checks))
def test_codec(check: testing.Check) -> None:
    check()


@pytest.mark.parametrize("check", parameters(REGISTRY.metrics.values(), lambda metric: metric.unavailable(),
                                             testing.metric_checks))
def test_metric(check: testing.Check) -> None:
    check()


@pytest.mark.parametrize("check", parameters(REGISTRY.datasets.values(), why_no_dataset, testing.dataset_checks))
def test_dataset(check: testing.Check) -> None:
    check()


def test_folder_dataset(tmp_path: Path) -> None:
    for index in range(3):
        write_png(tmp_path / f"{index}.png", testing.noise(9, 7, 3, 8, seed=index))
    testing.check_dataset(REGISTRY.dataset_info("folder"), str(tmp_path))
