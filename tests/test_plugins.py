"""The conformance kit over everything that the registry finds: ours and any other plugin installed here."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from benchbox import registry, testing

REGISTRY = registry.load()


def codec_parameters() -> Iterator[Any]:
    """Every check of every codec; one skipped parameter for a codec that is unavailable here."""
    for info in REGISTRY.codecs.values():
        reason = info.unavailable()
        if reason is None:
            yield from (pytest.param(check, id=check.__name__) for check in testing.codec_checks(info))
        else:
            yield pytest.param(None, id=info.id, marks=pytest.mark.skip(reason=f"{info.id}: {reason}"))


@pytest.mark.parametrize("check", list(codec_parameters()))
def test_codec(check: testing.Check) -> None:
    check()
