"""The hook that gives an object, so that another process finds the same one."""

from __future__ import annotations

import importlib.util
import re
import sys
from collections.abc import Callable, Iterable, Mapping
from dataclasses import asdict, dataclass
from types import ModuleType
from typing import Any

_ADDRESS = re.compile(r" at 0x[0-9a-f]+")


@dataclass(frozen=True)
class Origin:
    """A plugin's module, its file, the hook that gives an object, and what tells that object from others."""

    module: str
    file: str
    hook: str
    mark: str

    @classmethod
    def of(cls, item: Any, hook: str) -> Origin | None:
        """The origin of `item`; None where no loaded module gives an object like it through `hook`."""
        mark = _mark(item)
        for module in _modules(type(item).__module__):
            function = getattr(module, hook, None)
            file = getattr(module, "__file__", None)
            if callable(function) and file and any(_mark(other) == mark for other in _given(function)):
                return cls(module.__name__, str(file), hook, mark)
        return None

    def values(self) -> dict[str, str]:
        """As JSON values."""
        return asdict(self)

    def load(self) -> ModuleType:
        """The plugin's module, imported here."""
        spec = importlib.util.find_spec(self.module)
        if spec is not None and spec.origin == self.file:
            return importlib.import_module(self.module)
        spec = importlib.util.spec_from_file_location(self.module, self.file)
        if spec is None or spec.loader is None:
            raise ImportError(f"{self.file} is no Python module")
        module = sys.modules[self.module] = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    @property
    def function(self) -> Callable[[], Iterable[Any]]:
        """The hook of the module that `load` imported."""
        function: Callable[[], Iterable[Any]] = getattr(sys.modules[self.module], self.hook)
        return function

    def item(self) -> Any:
        """The object that the hook gives; None if it gives none like it."""
        return next((other for other in _given(self.function) if _mark(other) == self.mark), None)


def _modules(name: str) -> list[Any]:
    """The loaded modules that may be the plugin's: that of the class, its packages, then all others."""
    parts = name.split(".")
    first = [".".join(parts[:count]) for count in range(len(parts), 0, -1)]
    others = [other for other in list(sys.modules) if other.partition(".")[0] not in sys.stdlib_module_names]
    return [sys.modules[known] for known in dict.fromkeys([*first, *others]) if known in sys.modules]


def _given(hook: Callable[[], Iterable[Any]]) -> list[Any]:
    try:
        return list(hook())
    except Exception:  # not the one that gave the object
        return []


def _mark(item: Any) -> str:
    """The class and the attributes of an object, without addresses in memory and without its version, to which the
    loader of a plugin file adds a digest."""
    values: Mapping[str, Any] = getattr(item, "__dict__", {})
    shown = sorted(f"{name}={value!r}" for name, value in values.items() if name != "version")
    return _ADDRESS.sub("", f"{type(item).__module__}.{type(item).__qualname__} {' '.join(shown)}")
