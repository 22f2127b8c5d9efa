"""A run whose codec has changed: says what changed, and keeps what the run was before as ``NAME~1``."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from benchbox.codec import options_json
from benchbox.errors import StoreError
from benchbox.files import what_to_do
from benchbox.plan import Configuration, Resolved
from benchbox.session.progress import Progress
from benchbox.store import MeasuredWith, Since, Store, WritableStore

MOST_LINES = 8
"""Codecs of which is said one by one that they changed."""

_RECORD = ("plan.toml", "settings.json", "environment.json")
"""Files of a run's folder that belong to what was measured."""


def changes(store: Store, resolved: Resolved) -> list[str]:
    """A line for each codec of the plan that measured this run's points as another version or with other options, or,
    where such points are measured again, with other files of its plugin."""
    now = {configuration.label: configuration for configuration in resolved.configurations}
    name = resolved.plan.name
    found = []
    if any(any(_differences(was, now[was.label])) for was in store.first_measured(name, now)):
        found = [(was.label, "; ".join(words), was.points) for was in store.measured_with(name)  # a pass over the run
                 if was.ok and was.label in now and (words := list(_differences(was, now[was.label])))]  # fmt: skip
    said = {label for label, _, _ in found}
    found += [(label, "the files of its plugin", points)
              for label, points in store.to_replace(name, resolved.renewed).items()
              if label in now and label not in said]  # fmt: skip
    return [f"{label} has changed since {name} was last run: {words}; {points} of its points were measured before"
            for label, words, points in found]


def keep_former(
    store: WritableStore, resolved: Resolved, folder: Path, session: str, progress: Progress
) -> str | None:
    """If codecs of the run have changed, say so and keep what the run was; returns its name now, ``NAME~1``.

    Args:
        folder: the run's folder; its record is copied to one beside it, named by `session`.

    Raises:
        StoreError: the folder cannot be written.
    """
    lines = changes(store, resolved)
    if not lines:
        return None
    beside = folder.with_name(f"{folder.name}~{session}")
    try:
        beside.mkdir(exist_ok=True)
        for name in _RECORD:
            if (folder / name).exists():
                shutil.copyfile(folder / name, beside / name)
    except OSError as error:
        raise StoreError(f"cannot write {beside}: {error.strerror}; {what_to_do(error)} or choose another --workspace"
                         ) from error
    former = store.set_aside(resolved.plan.name, beside.name)
    for line in summary_of(lines):
        progress.say(line)
    progress.say(f"what {resolved.plan.name} was stays as {former}")
    return former


def say_what_differs(store: Store, former: str, name: str, progress: Progress) -> None:
    """Say for each codec how many points have other bytes than in the former run, decode to other pixels, fail now, or
    cannot be compared."""
    found = store.since(former, name)
    lines = [f"{since.label}: {'; '.join(words)}" for since in found if (words := list(_words(since, former)))]
    if not lines:
        some = any(since.compared for since in found)
        lines = [f"no point has other bytes than in {former}" if some else f"no point can be compared with {former}"]
    for line in summary_of(lines):
        progress.say(line)
    progress.say(f"is it better? benchbox compare {former} {name}")


def _words(since: Since, former: str) -> Iterator[str]:
    """What is other than in the former run."""
    if since.changed:
        yield f"{since.changed} of {since.compared} points have other bytes than in {former}"
    if since.decoded:
        yield f"{since.decoded} of {since.compared} points have the bytes of {former} and decode to other pixels"
    if since.broken:
        yield f"{since.broken} points went through in {former} and fail now"
    if since.unpaired:
        some = f"{since.unpaired} points cannot" if since.compared or since.broken else "no point can"
        yield f"{some} be compared, {former} has none of such a picture and quality"


def summary_of(lines: Sequence[str]) -> list[str]:
    """The first lines, and the number of others."""
    more = [f"and {len(lines) - MOST_LINES} other codecs"] if len(lines) > MOST_LINES else []
    return [*lines[:MOST_LINES], *more]


def _differences(was: MeasuredWith, now: Configuration) -> Iterator[str]:
    """What differs, in words."""
    if was.codec != now.info.id:
        yield f"codec {was.codec} -> {now.info.id}"
    if was.identity != now.identity:
        yield f"'{was.identity}' -> '{now.identity}'"
    options = options_json(now.options)
    if was.options != options:
        old, new = _object(was.options), _object(options)
        yield from (f"{key} {old.get(key)} -> {new.get(key)}" for key in {**old, **new} if old.get(key) != new.get(key))
    device = now.device.partition(":")[0]
    if was.device != device:
        yield f"device {was.device} -> {device}"


def _object(text: str) -> dict[str, Any]:
    found = json.loads(text)
    return found if isinstance(found, dict) else {}
