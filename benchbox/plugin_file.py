"""A plugin in one Python file: named on the command line, in a plan or in ``BENCHBOX_PLUGINS``, and installed nowhere.

The file is read once, and the bytes that are digested are the bytes that run: no ``.pyc`` is written or read.
"""

from __future__ import annotations

import ast
import hashlib
import importlib.util
import os
import platform
import sys
import traceback
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import Self

from benchbox.deadline import OverdueError
from benchbox.errors import BenchboxError, PluginError, UsageError, one_line

VARIABLE = "BENCHBOX_PLUGINS"
"""Environment variable that names plugin files, separated as PATH is (by ``:``)."""


@dataclass(frozen=True)
class PluginFile:
    """A plugin file: its absolute path, and the SHA-256 (hex) of its contents when it was named."""

    path: Path
    sha256: str

    @classmethod
    def at(cls, path: str | Path, base: Path | None = None) -> Self:
        """The file at `path`; a relative one starts from the folder `base`, by default the current one.

        Raises:
            UsageError: there is no such Python file.
        """
        return cls(place := _place(path, base or Path.cwd()), hashlib.sha256(_read(place)).hexdigest())

    @property
    def name(self) -> str:
        """The file's name, e.g. ``"mycodec.py"``."""
        return self.path.name

    def check(self) -> bytes:
        """The file's contents, if they are those that were named.

        Raises:
            UsageError: the file is gone.
            PluginError: it is another one now.
        """
        source = _read(self.path)
        if hashlib.sha256(source).hexdigest() != self.sha256:
            raise PluginError(f"plugin file {self.path}: has changed since the command began, or is another one on "
                              f"{platform.node() or 'this machine'}; run again with one and the same file")
        return source

    def load(self) -> ModuleType:
        """The file as a module, called as the file is without its suffix. It runs once in a process while it does not
        change.

        Raises:
            UsageError, PluginError: as `check`; or it cannot be run, or its name is that of another module.
        """
        source = self.check()
        name = self.path.stem
        present = sys.modules.get(name)
        if isinstance(present, _FileModule) and present.file == self:
            return present
        if (other := _other_module(name, self.path)) is not None:
            raise PluginError(f"plugin file {self.path}: its name is that of the module {name} ({other}); rename it")
        module = _FileModule(self)
        sys.modules[name] = module  # before it runs, since dataclasses and pydantic look there
        try:
            exec(compile(source, os.fspath(self.path), "exec", dont_inherit=True), module.__dict__)
        except BaseException as error:
            sys.modules.pop(name)
            if present is not None:
                sys.modules[name] = present
            if isinstance(error, Exception | SystemExit | OverdueError):
                raise PluginError(f"plugin file {self.path}: {_what_went_wrong(self.path, error)}") from error
            raise
        return module


class _FileModule(ModuleType):
    """The module of a plugin file."""

    def __init__(self, file: PluginFile) -> None:
        super().__init__(file.path.stem)
        self.file = file
        self.__file__ = os.fspath(file.path)
        self.__spec__ = ModuleSpec(self.__name__, None, origin=self.__file__)


def plugin_files(paths: Iterable[str | Path], base: Path | None = None) -> tuple[PluginFile, ...]:
    """The plugin files at `paths`, each once; see `PluginFile.at`."""
    return tuple(dict.fromkeys(PluginFile.at(path, base) for path in paths))


def as_values(files: Iterable[PluginFile]) -> list[list[str]]:
    """`files` as JSON values, for another process."""
    return [[os.fspath(file.path), file.sha256] for file in files]


def from_values(values: Iterable[Sequence[str]]) -> tuple[PluginFile, ...]:
    """The files of `as_values`."""
    return tuple(PluginFile(Path(path), sha256) for path, sha256 in values)


def from_environment() -> tuple[PluginFile, ...]:
    """The plugin files that the environment variable ``BENCHBOX_PLUGINS`` names. Raises UsageError that names it."""
    try:
        return plugin_files(path for path in os.environ.get(VARIABLE, "").split(os.pathsep) if path)
    except BenchboxError as error:
        raise UsageError(f"{VARIABLE}: {error}") from error


def remedy_for_nothing(file: PluginFile) -> str:
    """The line to add to a plugin file that offers nothing: it names the classes that the file defines."""
    defined = [node.name for node in ast.parse(_read(file.path)).body if isinstance(node, ast.ClassDef)]
    infos = [name for name in defined if name.endswith("Info")] or ["MyInfo"]
    made = ", ".join(f"{name}(...)" for name in infos)
    return f"add a hook, e.g. `@hookimpl` above `def benchbox_codecs(): return [{made}]`"


def _place(path: str | Path, base: Path) -> Path:
    try:
        return Path(os.path.abspath(base / Path(path).expanduser()))  # a link keeps its own name
    except (OSError, ValueError, RuntimeError) as error:  # RuntimeError: no home folder
        raise UsageError(f"plugin file {path}: {error}; give its full path") from error


def _read(path: Path) -> bytes:
    if path.is_dir():
        raise UsageError(f"plugin file {path}: is a folder; name one .py file, or install a package with pip")
    if path.suffix != ".py" or "." in path.stem:
        raise UsageError(f"plugin file {path}: is not called NAME.py with no other dot; rename it")
    if not path.is_file():
        raise UsageError(f"plugin file {path}: there is no such file; check the path (in a plan it starts from the "
                         "plan's folder)")
    try:
        return path.read_bytes()
    except OSError as error:
        raise UsageError(f"plugin file {path}: {error.strerror}; check its permissions") from error


def _other_module(name: str, path: Path) -> str | None:
    """The place of another module that is imported under `name`, or is installed and could be."""
    present = sys.modules.get(name)
    if isinstance(present, _FileModule):
        return None
    spec = present.__spec__ if present is not None else importlib.util.find_spec(name)
    if spec is None:
        return None if present is None else "already imported"
    origin = spec.origin or "a package"
    if present is None and Path(origin).resolve().parent in (path.parent, Path.cwd()):  # python -m finds those too
        return None
    return origin


def _what_went_wrong(path: Path, error: BaseException) -> str:
    """``"line 3: ModuleNotFoundError: No module named 'zfp'; install it ..."``."""
    line = error.lineno if isinstance(error, SyntaxError) else next(_lines(path, error), None)
    at = "" if line is None else f"line {line}: "
    said = one_line(error.msg if isinstance(error, SyntaxError) else error)
    remedy = "correct the file"
    if isinstance(error, ModuleNotFoundError):
        remedy = ("install it in benchbox's environment; a module of your own beside the file is not found, since "
                  "the file stands alone: make a package of both")
    elif isinstance(error, ImportError):
        remedy = "see whether the right version of it is installed"
    return f"{at}{type(error).__name__}{f': {said}' if said else ''}; {remedy}"


def _lines(path: Path, error: BaseException) -> Iterator[int]:
    """The lines of the file that `error` passed through, deepest first."""
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if frame.filename == os.fspath(path) and frame.lineno is not None:
            yield frame.lineno
