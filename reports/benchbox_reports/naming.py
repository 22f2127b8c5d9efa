"""Names fit to publish: reports show a folder of this machine by its last part, never by its path."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

from benchbox.dataset import public_name
from benchbox.report import Results

_SOURCE = "Source: "


def public(results: Results) -> Results:
    """`results` with every data set under its public name (`benchbox.dataset.public_name`): in the frame and its
    reasons, in the plan, in notes and references. A number distinguishes two folders of the same name. Keys do not
    change, so `Results.pixels` and `Results.original` still work.
    """
    named = _names([str(name) for name in results.frame["dataset"].drop_duplicates()] + list(results.dataset_notes))
    paths = {private.partition(":")[2]: shown.partition(":")[2] for private, shown in named.items() if private != shown}
    notes = {named[dataset]: tuple(_note(note, paths) for note in given)
             for dataset, given in results.dataset_notes.items()}
    if not paths:
        return replace(results, dataset_notes=notes)
    frame = results.frame.copy(deep=False)
    known = {name: named[str(name)] for name in frame["dataset"].drop_duplicates()}
    frame["dataset"] = frame["dataset"].map(known).astype("category")
    reasons = frame["reason"].drop_duplicates()
    if any(path in str(reason) for reason in reasons for path in paths):
        frame["reason"] = frame["reason"].map({r: _without(r, paths) for r in reasons if isinstance(r, str)})
    references = [replace(r, dataset=named.get(r.dataset, r.dataset)) for r in results.references]
    return replace(results, frame=frame, plan=_without(results.plan, paths), dataset_notes=notes, references=references)


def _names(datasets: Sequence[str]) -> dict[str, str]:
    """Data set -> public name, all different."""
    named: dict[str, str] = {}
    for dataset in dict.fromkeys(datasets):
        shown = name = public_name(dataset)
        number = 1
        while name in named.values():
            number += 1
            name = f"{shown} ({number})"
        named[dataset] = name
    return named


def _note(note: str, paths: Mapping[str, str]) -> str:
    """A note without paths of this machine; a folder given as the source is named by its last part."""
    source = Path(note.removeprefix(_SOURCE))
    if note.startswith(_SOURCE) and source.is_absolute():
        return f"{_SOURCE}folder {source.name}"
    return _without(note, paths)


def _without(text: str, paths: Mapping[str, str]) -> str:
    for path in sorted(paths, key=len, reverse=True):  # a folder before the one that holds it
        text = text.replace(path, paths[path])
        text = text.replace(json.dumps(path, ensure_ascii=False)[1:-1], paths[path])  # as TOML writes it
    return text
