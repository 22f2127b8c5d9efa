"""Options that name files: their paths start from the plan's folder, and keys and labels hold digest and name."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Annotated, Any, get_args

from pydantic import BaseModel

from benchbox.errors import OptionError


class _Mark:
    """Marks the type of an option as the path of a file."""


FileOption = Annotated[str, _Mark()]
"""The type of an option that names a file, ``""`` for none: ``weights: FileOption = Field("", description=...)``."""


def anchored_options(model: type[BaseModel], values: Mapping[str, Any], base: Path, owner: str) -> dict[str, Any]:
    """The option `values` of `model` with the paths of its `FileOption`s made absolute; relative ones start from the
    folder `base`.

    Raises:
        OptionError: there is no such file; names the option of `owner`.
    """

    def anchored(name: str, path: str) -> str:
        try:
            place = Path(os.path.abspath(base / Path(path).expanduser()))  # a link keeps its own name
            if place.is_file():
                return str(place)
        except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: no home folder
            raise OptionError(f"{owner}: option {name}={path!r}: {error}; give the file's full path") from error
        raise OptionError(f"{owner}: option {name}={path!r}: there is no file {place}; check the path, which starts "
                          "from the plan's folder, or from the current one on the command line")

    return _replaced(model, values, anchored)


def options_by_content(options: BaseModel) -> str:
    """All options as canonical JSON, as `benchbox.codec.options_json` gives them, but every file by its name and
    SHA-256: the same wherever the file lies, and another one when it changes."""
    values = _replaced(type(options), options.model_dump(mode="json"), lambda _, path: file_name(path, 64))
    return json.dumps(values, sort_keys=True, separators=(",", ":"))


def shown_options(options: BaseModel) -> dict[str, Any]:
    """The options that differ from their defaults, for a label: files by name and the beginning of their SHA-256."""
    given = options.model_dump(mode="json", exclude_defaults=True)
    return _replaced(type(options), given, lambda _, path: file_name(path, 8))


def file_name(path: str, digits: int) -> str:
    """``"a.pt sha256:1b2c"``: a file's name and the first `digits` of its SHA-256, which is ``absent`` without it."""
    try:
        with open(path, "rb") as file:
            digest = hashlib.file_digest(file, "sha256").hexdigest()[:digits]
    except OSError:
        digest = "absent"
    return f"{Path(path).name} sha256:{digest}"


def _replaced(
    model: type[BaseModel], values: Mapping[str, Any], change: Callable[[str, str], str]
) -> dict[str, Any]:
    """`values` with each path that is not empty of a `FileOption`, or of a list of them, changed."""

    def changed(name: str, value: Any) -> Any:
        if isinstance(value, str) and value:
            return change(name, value)
        return [changed(name, one) for one in value] if isinstance(value, list | tuple) else value

    files = set(_file_fields(model))
    return {name: changed(name, value) if name in files else value for name, value in values.items()}


def _file_fields(model: type[BaseModel]) -> Iterator[str]:
    for name, field in model.model_fields.items():
        if any(isinstance(mark, _Mark) for mark in field.metadata) or _mentions_mark(field.annotation):
            yield name


def _mentions_mark(kind: Any) -> bool:
    marks = getattr(kind, "__metadata__", ())
    return any(isinstance(mark, _Mark) for mark in marks) or any(_mentions_mark(inner) for inner in get_args(kind))
