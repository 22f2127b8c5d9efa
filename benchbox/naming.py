"""Names fit to publish: what leaves this machine names folders and files by their last part, never by their path.

Data sets in folders go by `benchbox.dataset.public_name`. Other absolute paths, in options, reasons, notes and
identities, are cut to their last part too, since error messages and options of codecs name files of all kinds.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from benchbox.dataset import public_name
from benchbox.report import Results

if TYPE_CHECKING:
    import pandas as pd

_SOURCE = "Source: "
_TEXTS = ("reason", "null_reasons", "options", "label", "identity")
"""Columns of a results frame that may hold paths, beside `dataset`."""
_PART = r"[^\s/\"'`,;:()<>|{}\[\]=\\]+"
_PATH = re.compile(rf"(?:file://|(?<![\w.~%)}}\]/:\\-]))~?/(?:{_PART}/+)+({_PART}|(?=[\s\"'`,;:)]|$))")
"""An absolute path of at least two parts, or one below ``~``; the path of a URL is none."""


@dataclass(frozen=True)
class PublicNames:
    """How the texts of a run are written where others read them.

    Attributes:
        datasets: data set as the plan names it -> its public name; all different.
        paths: absolute path -> the name that replaces it; longer ones first.
    """

    datasets: Mapping[str, str]
    paths: Mapping[str, str]

    @classmethod
    def of(cls, datasets: Iterable[str], options: Iterable[Any] = ()) -> PublicNames:
        """The names for a run over `datasets`; `options` are those of its codecs, whose values may be paths."""
        named = _numbered(dict.fromkeys(datasets), public_name)
        paths = {private.partition(":")[2]: shown.partition(":")[2] for private, shown in named.items()
                 if private != shown}
        for value in _strings(options):
            if os.path.isabs(value) and os.path.exists(value):
                paths.setdefault(value.rstrip("/"), Path(value).name)
        home = str(Path("~").expanduser())
        if home.strip("/") not in ("", "~"):
            paths.setdefault(home, "~")
        return cls(named, {path: paths[path] for path in sorted(paths, key=len, reverse=True)})

    def text(self, text: str) -> str:
        """`text` without absolute paths of this machine."""
        if "/" not in text and "\\" not in text:
            return text
        for path, name in self.paths.items():
            for written in dict.fromkeys([path, json.dumps(path, ensure_ascii=False)[1:-1], json.dumps(path)[1:-1]]):
                text = re.sub(rf"{re.escape(written)}(?![\w-])", lambda _, name=name: name, text)  # type: ignore[misc]
        return _PATH.sub(lambda found: found[1] or Path(found[0]).name, text)

    def value(self, value: Any) -> Any:
        """`value`, JSON-like, with `text` applied to every string in it, keys included."""
        if isinstance(value, str):
            return self.text(value)
        if isinstance(value, Mapping):
            return {self.text(str(key)): self.value(inner) for key, inner in value.items()}
        return [self.value(inner) for inner in value] if isinstance(value, list | tuple) else value

    def dataset(self, name: str) -> str:
        """The public name of a data set."""
        return self.datasets.get(name, public_name(name))

    def note(self, note: str) -> str:
        """A note on a data set."""
        head, mark, source = note.partition(_SOURCE)
        return f"{mark}{self.source(source)}" if mark and not head else self.text(note)

    def source(self, source: str) -> str:
        """Where a data set is from; a folder is named by its last part, as the data set is."""
        return f"folder {self.paths.get(source, Path(source).name)}" if os.path.isabs(source) else self.text(source)

    def frame(self, frame: pd.DataFrame) -> pd.DataFrame:
        """A results frame with public names; the frame given, where they are that already."""
        changed: dict[str, Any] = {}
        for column in ("dataset", *(name for name in _TEXTS if name in frame.columns)):
            known = frame[column].drop_duplicates().dropna()
            rename = self.dataset if column == "dataset" else self.text
            names = {name: str(name) and rename(str(name)) for name in known}
            if column == "label":
                names = _numbered(names, names.__getitem__)
            if any(name != shown for name, shown in names.items()):
                dtype: Any = "category" if frame[column].dtype.name == "category" else frame[column].dtype
                changed[column] = frame[column].map(names).astype(dtype)
        return frame.assign(**changed) if changed else frame


def public(results: Results) -> Results:
    """`results` under public names: its frame, plan, environment, settings, notes and references. Keys do not change,
    so `Results.pixels` and `Results.original` still work."""
    names = PublicNames.of(
        [*(str(name) for name in results.frame["dataset"].drop_duplicates()), *results.dataset_notes],
        [settings.get("options") for settings in results.codec_settings.values()])
    return replace(
        results, frame=names.frame(results.frame), plan=names.text(results.plan),
        environment=names.value(results.environment), codec_settings=names.value(results.codec_settings),
        dataset_notes={names.dataset(dataset): _once(names.dataset(dataset), map(names.note, notes))
                       for dataset, notes in results.dataset_notes.items()},
        references=[replace(one, dataset=names.dataset(one.dataset)) for one in results.references])


def _once(dataset: str, notes: Iterable[str]) -> tuple[str, ...]:
    """The notes on a data set that its name does not say, nor a note before: the title and the source of a folder are
    both its name."""
    said, kept = {dataset.replace(":", " ", 1)}, []
    for note in notes:
        if (words := note.removeprefix(_SOURCE)) not in said:
            kept.append(note)
            said.add(words)
    return tuple(kept)


def published_frame(frame: pd.DataFrame) -> pd.DataFrame:
    """A results frame under public names, as files that are given away hold it."""
    options = [json.loads(text) for text in frame["options"].dropna().unique()]
    return PublicNames.of([str(name) for name in frame["dataset"].drop_duplicates()], options).frame(frame)


def _numbered(names: Iterable[str], shown: Any) -> dict[str, str]:
    """Name -> what `shown` makes of it, all different: a number distinguishes two that would be the same."""
    found: dict[str, str] = {}
    taken: set[str] = set()
    for name in names:
        base = free = shown(name)
        number = 1
        while free in taken:
            number += 1
            free = f"{base} ({number})"
        found[name] = free
        taken.add(free)
    return found


def _strings(values: Any) -> list[str]:
    """Every string in a JSON-like value."""
    if isinstance(values, str):
        return [values]
    if isinstance(values, Mapping):
        return _strings(list(values.values()))
    if isinstance(values, Sequence) or hasattr(values, "__iter__"):
        return [text for value in values for text in _strings(value)]
    return []
