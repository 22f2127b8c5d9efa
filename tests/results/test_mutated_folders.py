"""A published folder of which anything was changed by others is read or refused in one line, and whatever it names,
nothing outside it is written and no file outside it shows up in what is made of it."""

from __future__ import annotations

import json
import shutil
import tempfile
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from stored import stored_results, write_reports

from benchbox import registry
from benchbox.cli import main  # noqa: F401  (its imports add the commands)
from benchbox.errors import BenchboxError
from benchbox.registry import Registry
from benchbox.results import check, find_run, publish
from benchbox.store import Workspace

GOLDEN = Path(__file__).parents[1] / "golden" / "published-1"
SETTINGS = json.loads((GOLDEN / "settings.json").read_text())
ENVIRONMENT = json.loads((GOLDEN / "environment.json").read_text())
TABLE = pd.read_parquet(GOLDEN / "results.parquet")

SECRET = "the secret of another folder"
HOSTILE = st.one_of(
    st.sampled_from([None, True, -1, 0, 10**400, 2**63, 1e308, float("nan"), float("inf"), "", "..", "../../secret.png",
                     "/etc/passwd", "file:///etc/passwd", "folder:..", "folder:/", "\x1b[2J\x00", "\ud800", "<script>",
                     "x" * 200_000, [], {}, [[[]]], {"": ""}, ["../secret.png"] * 1000]),
    st.text(max_size=20), st.integers(), st.floats(), st.lists(st.text(max_size=5), max_size=3),
    st.dictionaries(st.text(max_size=5), st.text(max_size=5), max_size=3),
)  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The path of every value within a JSON value."""
    yield path
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    for key, item in items:
        yield from places(item, (*path, key))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    """`value` with `new` at `path`."""
    if not path:
        return new
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[path[0]] = put(value[path[0]], path[1:], new)
    return copy


@st.composite
def mutated(draw: st.DrawFn, whole: Any) -> str:
    """The text of a JSON file with up to three values, or names of values, replaced."""
    known = list(places(whole))[1:]
    for _ in range(draw(st.integers(1, 3))):
        path = draw(st.sampled_from(known))
        try:
            if draw(st.booleans()):
                whole = put(whole, path, draw(HOSTILE))
            elif isinstance(path[-1], str):
                parent = whole
                for key in path[:-1]:
                    parent = parent[key]
                name = draw(st.sampled_from(["..", "../../secret.png", "folder:..", "/", "\x00", "\ud800", "x" * 9000]))
                whole = put(whole, path[:-1], {**parent, name: parent[path[-1]]})
        except (LookupError, TypeError):  # an earlier change took that place away
            continue
    return json.dumps(whole)


@contextmanager
def folder_of(names: dict[str, str]) -> Iterator[Path]:
    """A copy of the golden folder with the texts of `names`, in a folder of its own with a secret beside it."""
    with tempfile.TemporaryDirectory() as place:
        folder = Path(shutil.copytree(GOLDEN, Path(place, "given", "published")))
        Path(place, "secret.png").write_text(SECRET)
        for name, text in names.items():
            (folder / name).write_text(text, encoding="utf-8", errors="surrogatepass")
        yield folder


def contents(place: Path) -> dict[str, bytes]:
    return {str(path.relative_to(place)): path.read_bytes() for path in place.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def known() -> Registry:
    return registry.load()


Deeds = Sequence[Callable[[Path, Path, Registry], object]]


def read(folder: Path, out: Path, known: Registry) -> None:
    stored_results(folder, folder.parent, known)
    list(check(folder, known, each=0))


def report(folder: Path, out: Path, known: Registry) -> None:
    write_reports(stored_results(folder, folder.parent, known), known, ["tables", "page"], out)


def publish_again(folder: Path, out: Path, known: Registry) -> None:
    publish(find_run(folder, Workspace.at(folder.parent)), known, out)


def used(folder: Path, known: Registry, deeds: Deeds = (read,)) -> None:
    """Do something with it; that is done, or one line says why not, and nothing else is touched."""
    place = folder.parent.parent
    before = contents(place)
    out = Path(tempfile.mkdtemp(dir=place))
    for number, deed in enumerate(deeds):
        try:
            deed(folder, out / str(number), known)
        except BenchboxError as error:
            assert len(str(error).splitlines()) == 1  # noqa: PT017
            assert len(str(error)) < 2000  # noqa: PT017
            str(error).encode()
    after = contents(place)
    assert {name for name in after if name not in before and not name.startswith(f"{out.name}/")} == set()
    assert all(after[name] == data for name, data in before.items())
    assert not [name for name, data in after.items() if name not in before and SECRET.encode() in data]


@pytest.mark.slow
@settings(max_examples=4)  # each takes a quarter of a minute
@given(text=mutated(SETTINGS))
def test_reports_and_publications_of_it(text: str, known: Registry) -> None:
    with folder_of({"settings.json": text}) as folder:
        used(folder, known, (read, report, publish_again))


@settings(max_examples=12)
@given(text=mutated(SETTINGS))
def test_settings(text: str, known: Registry) -> None:
    with folder_of({"settings.json": text}) as folder:
        used(folder, known)


@settings(max_examples=12)
@given(text=mutated(ENVIRONMENT), plan=st.one_of(st.text(max_size=200), st.just("name = '../../x'\n")))
def test_environment_and_plan(text: str, plan: str, known: Registry) -> None:
    with folder_of({"environment.json": text, "plan.toml": plan}) as folder:
        used(folder, known)


@settings(max_examples=12)
@given(column=st.sampled_from([str(name) for name in TABLE]), row=st.integers(0, len(TABLE) - 1),
       value=st.one_of(HOSTILE.filter(lambda value: isinstance(value, int | float | str | type(None)))))  # fmt: skip
def test_a_value_of_the_table(column: str, row: int, value: Any, known: Registry) -> None:
    table = TABLE.copy()
    table[column] = table[column].astype(object)
    table.loc[row, column] = value
    with folder_of({}) as folder:
        try:
            table.to_parquet(folder / "results.parquet")
        except Exception:  # no table holds it
            return
        used(folder, known)
