"""Writes the folder of ``benchbox new``: a plugin that works as it is, from the files below ``templates/``."""

from __future__ import annotations

import importlib.util
import keyword
import os
import re
import sys
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass
from importlib import metadata
from pathlib import Path
from string import Template

from benchbox.errors import UsageError
from benchbox.files import whole_folder
from benchbox.registry import Registry
from benchbox.store import COLUMNS

_TEMPLATES = Path(__file__).with_name("templates")
_NAME = re.compile(r"[a-z][a-z0-9]*([-_.][a-z0-9]+)*")
_LONGEST = 40
_RESERVED = ("setup", "conftest", "test")
"""Modules that pip or pytest would run as their own."""


@dataclass(frozen=True)
class Scaffold:
    """A folder to be written.

    Attributes:
        kind: "codec", "metric", "dataset", "report" or "references".
        name: the id of what is offered, which is also the name of the plugin, its distribution and its folder.
        variant: the folder below ``templates/``.
    """

    kind: str
    name: str
    variant: str

    @property
    def module(self) -> str:
        """The name of the module."""
        return re.sub(r"[-.]", "_", self.name)

    def write(self, plugins: Registry) -> list[Path]:
        """Write the folder in the current one and return its files.

        Raises:
            UsageError: the name is invalid or taken, or there is something of that name; nothing was written.
            StoreError: it cannot be written; then nothing is there.
        """
        self._check_name()
        self._check_taken(plugins)
        folder = Path(self.name)
        if os.path.lexists(folder):
            raise UsageError(f"{folder}: is there already; choose another name or remove it")
        with whole_folder(folder) as part:
            written = [self._write(source, part) for source in _files(_TEMPLATES / self.variant)]
        return [folder / path for path in written]

    def _write(self, source: Path, part: Path) -> Path:
        """Copy one file of the template with its placeholders replaced; returns its path in the folder."""
        relative = source.relative_to(_TEMPLATES / self.variant)
        path = Path(*(one.replace("MODULE", self.module) for one in relative.parts))
        filled = path.suffix == ".in"
        path = path.with_suffix("") if filled else path
        target = part / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if filled:
            target.write_text(Template(source.read_text(encoding="utf-8")).substitute(self._values()), encoding="utf-8")
        else:
            target.write_bytes(source.read_bytes())
        return path

    def _values(self) -> Mapping[str, str]:
        words = re.sub(r"[-_.]", " ", self.name)
        letters = words.replace(" ", "")
        return {"id": self.name, "module": self.module, "title": words[0].upper() + words[1:],
                "magic": letters[:3].upper().ljust(3, "-"), "suffix": letters[:8]}

    def _check_name(self) -> None:
        slug = re.sub(r"[^a-z0-9]+", "-", self.name.lower()).strip("-").lstrip("0123456789-")
        if not _NAME.fullmatch(self.name) or len(self.name) > _LONGEST:
            hint = f", as in '{slug[:_LONGEST]}'" if slug else ""
            raise UsageError(f"'{self.name}' is no name of a plugin; write at most {_LONGEST} lower-case letters and "
                             f"digits, joined by '-', '_' or '.', a letter first{hint}")
        if keyword.iskeyword(self.module) or self.module in (*_RESERVED, *sys.stdlib_module_names):
            raise UsageError(f"'{self.name}' would be the module {self.module}, a name that Python, pip or pytest "
                             f"uses; choose another, as 'my-{self.name}'")  # fmt: skip

    def _check_taken(self, plugins: Registry) -> None:
        for what, known in self._known(plugins).items():
            if self.name in known:
                raise UsageError(f"{what} is called '{self.name}' already; choose another name")
        if self.kind == "metric":
            columns = {column.name: f"a column of results ({column.meaning})" for column in COLUMNS}
            columns |= {metric.column: f"the column of the metric {metric.id}" for metric in plugins.metrics.values()}
            taken = columns.get(self.name.replace("-", "_"))
            if taken:
                raise UsageError(f"'{self.name}' is {taken}; choose another name")
        spec = importlib.util.find_spec(self.module)
        if spec is not None and spec.origin is not None:
            raise UsageError(f"a module called {self.module} is installed ({spec.origin}); choose another name")

    def _known(self, plugins: Registry) -> Mapping[str, Collection[str]]:
        """Kind of thing that has a name -> the names that are taken."""
        offered: dict[str, tuple[str, Collection[str]]] = {
            "codec": ("a codec", plugins.codecs), "metric": ("a metric", plugins.metrics),
            "dataset": ("a data set", plugins.datasets), "report": ("a report", plugins.reports),
            "references": ("a published curve", {curve.id for curve in plugins.references()}
                           if self.kind == "references" else ()),
        }  # fmt: skip
        what, known = offered[self.kind]
        mine = _normalised(self.name)
        installed = {self.name for one in metadata.distributions() if _normalised(one.metadata["Name"] or "") == mine}
        return {what: known, "a plugin": {plugin.name for plugin in plugins.plugins},
                "an installed distribution": installed}


def _normalised(name: str) -> str:
    """The name of a distribution as pip compares it (PEP 503)."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _files(folder: Path) -> Iterator[Path]:
    return (path for path in sorted(folder.rglob("*")) if path.is_file() and "__pycache__" not in path.parts)
