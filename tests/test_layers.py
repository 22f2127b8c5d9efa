"""Imports go one way: through the hall and the wings of the core, and between no two modules of the repository."""

from __future__ import annotations

import ast
import importlib.util
import subprocess
import sys
from collections.abc import Iterator, Mapping
from itertools import pairwise
from pathlib import Path

import pytest

import benchbox
from benchbox import registry

CORE = Path(benchbox.__file__).parent

LAYERS = (
    "deadline errors machine place processes stopping trace written",
    "files fork_server mistakes plugin_file program sources stated values", "guard reading",
    "image", "codec metric dataset reference", "appearance", "report", "naming", "hookspecs testing", "hooks offered",
    "loading", "registry", "plan", "store", "work", "execution results", "session", "curves", "frames", "api", "cli",
    "__main__",
)  # fmt: skip
"""Rooms of the core from the ground up. A room imports from rooms below its own only, never beside or above it."""

LOWER = {"curves": {"errors", "metric"}, "results": {"deadline", "errors", "files", "values", "guard", "image", "codec",
         "dataset", "metric", "appearance", "report", "naming", "reference", "registry", "plan", "store",
         "work"}}  # fmt: skip
"""Rooms that stand beside the others, and all that they may import."""

WINGS = {"reading", "plan", "store", "work", "execution", "session", "results", "curves", "cli"}

HEAVY = {"benchbox.store.frame", "benchbox.execution.dask", "benchbox.execution.cluster"}
"""Modules of wings that others import directly, since what they bring (pandas, dask) is not for everyone."""

PUBLIC = {"", "errors", "files", "values", "image", "codec", "metric", "dataset", "appearance", "report", "naming",
          "reference", "hookspecs", "program", "curves", "store", "testing"}  # fmt: skip
"""What a plugin may import; of `store`, the table of columns alone."""


def nodes_for_use(file: Path) -> Iterator[ast.AST]:
    """The syntax tree, also inside functions, without what is imported for type checking only."""
    tree = ast.parse(file.read_text(encoding="utf-8"))
    skipped = {id(node) for branch in ast.walk(tree) if isinstance(branch, ast.If) and "TYPE_CHECKING" in
               ast.unparse(branch.test) for node in ast.walk(branch)}
    return (node for node in ast.walk(tree) if id(node) not in skipped)


def imports(file: Path, known: Mapping[str, Path]) -> set[str]:
    """Modules that a file imports, in full. ``from a import b`` imports ``a.b`` where that is a module, unless the
    package ``a`` itself hands on something of that name."""
    found: set[str] = set()
    for node in nodes_for_use(file):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{file}: relative import; write it in full"
            base = node.module or ""
            inner = {f"{base}.{alias.name}" for alias in node.names if alias.name not in handed_on(known.get(base))}
            found |= (inner & known.keys()) or {base}
    return found


def handed_on(init: Path | None) -> set[str]:
    """Names that a package's ``__init__.py`` imports from its modules."""
    if init is None or init.name != "__init__.py":
        return set()
    tree = ast.parse(init.read_text(encoding="utf-8"))
    return {alias.name for node in tree.body if isinstance(node, ast.ImportFrom) for alias in node.names}


def plugin_folders() -> list[Path]:
    """The package folders of our own plugins, wherever they are installed."""
    found = []
    for plugin in registry.load().plugins:
        spec = importlib.util.find_spec(plugin.module)
        if plugin.module.startswith("benchbox_") and spec is not None and spec.origin is not None:
            found.append(Path(spec.origin).parent)
    return found


def modules() -> dict[str, Path]:
    """Every module of the core and of our plugins."""
    found = {}
    for folder in (CORE, *plugin_folders()):
        for file in sorted(folder.rglob("*.py")):
            parts = (folder.name, *file.relative_to(folder).with_suffix("").parts)
            found[".".join(parts).removesuffix(".__init__")] = file
    return found


MODULES = modules()
IMPORTS = {name: imports(file, MODULES) & MODULES.keys() for name, file in MODULES.items()}


def room(module: str) -> str:
    """The room of a core module: ``benchbox.store.frame`` is in ``store``; "" for the package itself."""
    return ".".join(module.split(".")[1:2])


def core() -> list[str]:
    return [name for name in MODULES if name.split(".")[0] == "benchbox"]


@pytest.mark.parametrize("module", [name for name in core() if room(name) not in ("", "testing")])
def test_a_room_imports_from_rooms_below_it(module: str) -> None:
    height = {name: index for index, names in enumerate(LAYERS) for name in names.split()}
    here = room(module)
    assert here in height, f"{module} is in no layer of tests/test_layers.py: say where it belongs"
    for name in IMPORTS[module]:
        there = room(name)
        if not name.startswith("benchbox.") or there == here:
            continue
        assert height[there] < height[here], f"{module} imports {name}, which does not lie below it"
        assert there in LOWER.get(here, {there}), f"{module} imports {name}; {here} stands beside it"


@pytest.mark.parametrize("module", core())
def test_other_wings_are_entered_by_their_door(module: str) -> None:
    for name in IMPORTS[module]:
        parts = name.split(".")
        if parts[0] == "benchbox" and len(parts) > 2 and parts[1] in WINGS and parts[1] != room(module):
            assert name in HEAVY or module == "benchbox.__main__", f"{module} imports {name}; take it from its wing"


def test_no_two_modules_import_each_other() -> None:
    """Also inside functions, and also by way of others; a package importing its own modules is no circle."""
    seen: set[str] = set()

    def visit(name: str, path: tuple[str, ...]) -> None:
        assert name not in path, " -> ".join((*path[path.index(name):], name))
        if name in seen:
            return
        for other in sorted(IMPORTS[name]):
            if not name.startswith(f"{other}."):
                visit(other, (*path, name))
        seen.add(name)

    for name in MODULES:
        visit(name, ())


def test_the_package_itself_imports_the_nouns_only() -> None:
    nouns = {"codec", "dataset", "hookspecs", "image", "metric", "report", "reference"}
    assert {room(name) for name in IMPORTS["benchbox"]} <= nouns


@pytest.mark.parametrize("module", [name for name in core() if room(name) == "testing"])
def test_the_kit_imports_the_nouns_only(module: str) -> None:
    rooms = {room(name) for name in IMPORTS[module]}
    assert rooms <= {"", "errors", "place", "processes", "written", "mistakes", "image", "codec", "metric", "dataset",
                     "reference", "report", "registry", "store", "testing"}  # fmt: skip


@pytest.mark.parametrize("module", core())
def test_the_core_imports_neither_torch_nor_a_plugin(module: str) -> None:
    tops = {name.split(".")[0] for name in imports(MODULES[module], MODULES)}
    assert not tops & {"torch", "torchvision"}
    assert not {top for top in tops if top.startswith("benchbox_")}


@pytest.mark.parametrize("module", [name for name in MODULES if name.startswith("benchbox_")])
def test_plugins_import_public_names_only(module: str) -> None:
    for name in IMPORTS[module]:
        top = name.split(".")[0]
        if top == "benchbox":
            assert room(name) in PUBLIC, f"{module} imports {name}, which is the core's own"
            assert room(name) != "store" or name == "benchbox.store.columns", f"{module} imports {name}"
        else:
            assert top == module.split(".")[0], f"{module} imports the plugin {top}"


@pytest.mark.parametrize("module", MODULES)
def test_nothing_is_pickled(module: str) -> None:
    """What travels between processes or lies in files is JSON or bytes of known form, which run no code when read."""
    tops = {name.split(".")[0] for name in imports(MODULES[module], MODULES)}
    assert not tops & {"pickle", "cPickle", "dill", "cloudpickle", "shelve", "marshal"}
    calls = [node for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8")))
             if isinstance(node, ast.Call) and ast.unparse(node.func) in ("torch.load", "np.load", "numpy.load")]
    for call in calls:  # which unpickle on demand
        given = {word.arg: ast.unparse(word.value) for word in call.keywords}
        assert given.get("weights_only") == "True" or ast.unparse(call.func) != "torch.load", ast.unparse(call)
        assert given.get("allow_pickle", "False") == "False", ast.unparse(call)


def test_the_word_stands_in_comments_and_tests_only() -> None:
    root = Path(__file__).parents[1]
    for file in [file for room in ("benchbox", "plugins", "datasets", "reports", "benchmarks", "docs")
                 for file in (root / room).rglob("*") if file.suffix in (".py", ".in", ".toml", ".md", ".sh")]:
        lines = file.read_text(encoding="utf-8").splitlines()
        assert not [line for line in lines if "pickle" in line.partition("#")[0].lower()], file


def test_layers_name_each_room_once() -> None:
    names = [name for names in LAYERS for name in names.split()]
    assert len(names) == len(set(names))
    present = {room(name) for name in core()} - {"", "testing"}
    assert present <= set(names)
    assert all(a != b for a, b in pairwise(LAYERS))


@pytest.mark.parametrize(("code", "absent"), [
    ("import benchbox", {"torch", "pandas", "numba", "PIL", "matplotlib", "numpy", "pydantic"}),
    ("import benchbox; [getattr(benchbox, n) for n in benchbox.__all__]", {"torch", "pandas", "numba", "matplotlib"}),
    ("from benchbox import registry; registry.load().codecs", {"torch", "pandas", "numba", "matplotlib"}),
    ("from benchbox import registry; registry.load().commands()", {"torch", "numpy", "pydantic", "psutil", "PIL"}),
    ("import benchbox.testing", {"torch", "pandas", "numba", "pytest", "skimage"}),
    ("import benchbox.cli.main", {"torch", "pandas", "numba", "numpy", "pluggy", "pydantic", "psutil"}),
    ("import benchbox.curves", {"torch", "scipy.interpolate", "matplotlib"}),
    ("import benchbox.session, benchbox.results", {"torch", "pandas", "pyarrow", "numba", "matplotlib"}),
])
def test_what_an_import_does_not_load(code: str, absent: set[str]) -> None:
    script = f"{code}\nimport sys\nprint(*sorted({absent!r} & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-P", "-c", script], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []


@pytest.mark.parametrize("folder", ["benchbox", "plugins", "datasets", "reports", "tests", "benchmarks", "docs"])
def test_a_file_stays_under_three_hundred_lines(folder: str) -> None:
    root = Path(__file__).parents[1] / folder
    lengths = {str(file.relative_to(root)): file.read_text(encoding="utf-8").count("\n") for file in root.rglob("*.py")}
    assert lengths
    assert {name: length for name, length in lengths.items() if length > 300} == {}
