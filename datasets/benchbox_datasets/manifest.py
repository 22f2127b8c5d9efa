"""A manifest: a TOML file that defines a set of picture files, so that anyone can check that theirs is the same set.

::

    id = "mine"                               # lower-case letters, digits, hyphens
    title = "Twelve pictures of my cat"
    version = "1"                             # change it when the contents change
    licence = "CC0-1.0"
    homepage = "https://example.org/cats"     # optional
    count = 12                                # optional
    notes = ["what every report must say"]    # optional
    select = "*.png"                          # the names that belong to it, if the files are not listed

    [archive]                                 # if one archive holds all the files; or:
    urls = ["https://example.org/cats.zip"]
    bytes = 123456                            # optional
    sha256 = "..."                            # optional: recorded by the first fetch if it is missing here

    [source]                                  # if each file has an address of its own
    urls = ["https://example.org/cats/{file}"]

    [[files]]                                 # in the order of the samples
    file = "a.png"                            # path below the folder, forward slashes
    bytes = 1234                              # optional
    sha256 = "..."                            # of the file, optional
    pixels_sha256 = "..."                     # benchbox.image.digest, optional
    note = "its source is a JPEG"             # optional
"""

from __future__ import annotations

import json
import tomllib
from collections.abc import Mapping
from pathlib import Path, PurePosixPath
from typing import Annotated, Any, TypeVar
from urllib.parse import urlsplit

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, model_validator

from benchbox.errors import DatasetError, did_you_mean
from benchbox.values import form, wrong

MAX_MANIFEST_BYTES = 32 << 20
"""Longest manifest that is read; one of 100,000 files with all checksums is shorter."""


def _relative(name: str) -> str:
    problem = unsafe_name(name)
    if problem:
        raise ValueError(f"'{name}' {problem}")
    return name


def _web_address(url: str) -> str:
    parts = urlsplit(url)
    if parts.scheme not in ("http", "https") or not parts.hostname or not url.isprintable() or " " in url:
        raise ValueError(f"'{url}' is not an http or https address")
    return url


Sha256 = Annotated[str, AfterValidator(form("[0-9a-f]{64}", "a SHA-256 sum, 64 hexadecimal digits, lower-case"))]
Size = Annotated[int, Field(gt=0, lt=1 << 50)]
Url = Annotated[str, AfterValidator(_web_address)]
Urls = Annotated[tuple[Url, ...], Field(strict=False, min_length=1)]
NamePattern = Annotated[str, AfterValidator(form(r"[^/\\]+", "a pattern of names without a folder, such as *.png"))]
FileName = Annotated[str, AfterValidator(_relative)]
M = TypeVar("M", bound=BaseModel)


class StrictModel(BaseModel):
    """Base of all tables of a manifest: immutable, converts no types, refuses unknown keys."""

    model_config = ConfigDict(frozen=True, extra="forbid", strict=True)


class FileEntry(StrictModel):
    """One file of a set: its path below the folder, and its size and checksums if they are known."""

    file: FileName
    bytes: Size | None = None
    sha256: Sha256 | None = None
    pixels_sha256: Sha256 | None = None
    note: str = ""


class Source(StrictModel):
    """Addresses of single files; ``{file}`` stands for the file's name. Later ones are tried if earlier ones fail."""

    urls: Urls

    @model_validator(mode="after")
    def _placeholder(self) -> Source:
        lacking = [url for url in self.urls if "{file}" not in url]
        if lacking:
            raise ValueError(f"'{lacking[0]}' does not say where the name goes: write {{file}} in it")
        return self


class Archive(StrictModel):
    """One archive (zip, or tar with any compression that Python reads) that holds all the files."""

    urls: Urls
    bytes: Size | None = None
    sha256: Sha256 | None = None

    @property
    def name(self) -> str:
        """The archive's file name: the last part of its first address."""
        return PurePosixPath(urlsplit(self.urls[0]).path).name or "archive"


class Manifest(StrictModel):
    """A set of picture files; the module's docstring shows the TOML."""

    id: Annotated[str, AfterValidator(form("[a-z0-9]+(-[a-z0-9]+)*", "lower-case letters and digits, joined by '-'"))]
    title: Annotated[str, Field(min_length=1)]
    version: str = ""
    licence: str = ""
    homepage: Url | None = None
    count: Annotated[int, Field(gt=0)] | None = None
    notes: Annotated[tuple[str, ...], Field(strict=False)] = ()
    select: NamePattern | None = None
    archive: Archive | None = None
    source: Source | None = None
    files: Annotated[tuple[FileEntry, ...], Field(strict=False)] = ()

    @model_validator(mode="after")
    def _consistent(self) -> Manifest:
        names = [entry.file for entry in self.files]
        if not names and self.select is None:
            raise ValueError("it names no files: write [[files]] tables, or select = \"*.png\"")
        if names and self.select is not None:
            raise ValueError("select is for sets whose files are not listed: remove it or the [[files]] tables")
        seen: set[str] = set()
        for name in names:
            if name in seen:
                raise ValueError(f"the file '{name}' is listed twice")
            seen.add(name)
        if names and self.count not in (None, len(names)):
            raise ValueError(f"count is {self.count}, but {len(names)} files are listed")
        if self.source and self.archive:
            raise ValueError("it has [source] and [archive]: keep the one that holds all the files")
        if self.source and not names:
            raise ValueError("[source] needs the files listed: write [[files]] tables")
        return self


def unsafe_name(name: str) -> str | None:
    """Why `name` must not be a path below a folder (absolute, a step up, a drive, control characters), or None."""
    parts = name.replace("\\", "/").split("/")
    if name.startswith(("/", "\\")) or (len(parts[0]) == 2 and parts[0][1] == ":"):
        return "is an absolute path"
    if ".." in parts:
        return "leads out of the folder"
    if "" in parts or "." in parts:
        return "is not a plain path"
    if any(ord(c) < 32 or ord(c) == 127 for c in name):
        return "has control characters"
    return None


def parse(text: bytes, place: str) -> Manifest:
    """Parse a manifest from `text` (TOML, UTF-8); errors call it `place`.

    Raises:
        DatasetError: `text` is not TOML or not a manifest; the message names the place, the key and the problem.
    """
    if len(text) > MAX_MANIFEST_BYTES:
        raise DatasetError(f"{place}: longer than {MAX_MANIFEST_BYTES >> 20} MiB; name a shorter manifest")
    try:
        table = tomllib.loads(text.decode("utf-8-sig"))
    except RecursionError:
        raise DatasetError(f"{place}: nested too deeply for a manifest; see docs/datasets.md for its form") from None
    except ValueError as error:  # TOMLDecodeError, UnicodeDecodeError, and integers of thousands of digits
        raise DatasetError(f"{place}: not TOML: {_printable(str(error))}; correct it there") from error
    return validate(Manifest, table, place)


def load(path: Path) -> Manifest:
    """Read the manifest in the file `path`; raises DatasetError as `parse` does, and if the file cannot be read."""
    try:
        with path.open("rb") as file:
            text = file.read(MAX_MANIFEST_BYTES + 1)
    except (OSError, ValueError) as error:  # ValueError: a null byte in the path
        reason = getattr(error, "strerror", None) or str(error)
        raise DatasetError(f"manifest {path}: cannot be read ({reason}); name a TOML file: manifest:PATH") from error
    return parse(text, f"manifest {path}")


def validate(model: type[M], table: Mapping[str, Any], place: str) -> M:
    """Make a `model` of `table`; raises DatasetError that names `place`, the key and the first problem in one line."""
    try:
        return model.model_validate(table)
    except ValidationError as error:
        first = error.errors()[0]
    where = _key(first["loc"])
    if first["type"] == "extra_forbidden":
        name = str(first["loc"][-1])
        hint = did_you_mean(name, _names(model, first["loc"])) or "; remove it"
        raise DatasetError(f"{place}: unknown key {_printable(where)}{hint}")
    problem = wrong(first)
    remedy = "; see docs/datasets.md for the form" if ":" not in problem else ""
    raise DatasetError(f"{place}: {_printable(where) + ': ' if where else ''}{_printable(problem)}{remedy}")


def _names(model: type[BaseModel], place: tuple[int | str, ...]) -> list[str]:
    inner: dict[str, type[BaseModel]] = {"files": FileEntry, "archive": Archive, "source": Source}
    owner = inner.get(str(place[0]), model) if len(place) > 1 else model
    return list(owner.model_fields)


def _key(place: tuple[int | str, ...]) -> str:
    text = ""
    for part in place:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text


def _printable(text: str) -> str:
    """`text` as one line of at most 300 characters, with control characters escaped."""
    line = "".join(c if c.isprintable() else json.dumps(c)[1:-1] for c in text)
    return line if len(line) <= 300 else line[:297] + "..."
