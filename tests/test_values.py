"""What is wrong with a value is said in benchbox's words, whatever model it was validated by; never in pydantic's."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Any, Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, field_validator

from benchbox.codec import OptionsModel, validated_options
from benchbox.errors import BenchboxError, OptionError
from benchbox.plan import load_plan, make_plan
from benchbox.registry import load
from benchbox.values import form, listed, pairs_in, wrong

PYDANTIC = re.compile(r"(?i)input should|field required|valid (integer|number|string|boolean|list|tuple|dict)|"
                      r"Extra inputs|Value error|unable to parse|should have|pydantic|of the form")


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid")
    size: int


class All(BaseModel):
    """A field of every kind that plans, options, descriptions, manifests and records have."""

    model_config = ConfigDict(extra="forbid")
    text: str = ""
    named: Annotated[str, Field(pattern="^a+$")] = "a"
    formed: Annotated[str, AfterValidator(form("a+", "letters a"))] = "a"
    short: Annotated[str, Field(min_length=1, max_length=3)] = "a"
    whole: int = 0
    bounded: Annotated[int, Field(ge=1, le=9)] = 1
    number: Annotated[float, Field(gt=0, lt=9, allow_inf_nan=False)] = 1
    flag: bool = False
    one: Literal["a", 2] = "a"
    names: tuple[str, ...] = ()
    pair: tuple[int, int] = (1, 2)
    numbers: Annotated[list[int], Field(min_length=1, max_length=2)] = [1]
    some: frozenset[int] = frozenset()
    table: dict[str, int] = {}
    inner: Inner | None = None
    checked: int = 0

    @field_validator("checked")
    @classmethod
    def _even(cls, value: int) -> int:
        if value % 2:
            raise ValueError("7, or any odd number, is not even; take 8")
        return value


WRONG: list[tuple[str, Any, str]] = [
    ("text", 5, "must be text, got 5"), ("text", None, "must be text, got None"),
    ("named", "b", "must be text of the form ^a+$, got 'b'"), ("formed", "ab", "must be letters a, got 'ab'"),
    ("formed", "a\n", "must be letters a, got 'a\\n'"), ("formed", 5, "must be text, got 5"),
    ("short", "", "must have at least 1 character"), ("short", "aaaa", "must have at most 3 characters"),
    ("whole", "x", "must be a whole number, got 'x'"), ("whole", 1.5, "must be a whole number, got 1.5"),
    ("whole", [], "must be a whole number, got []"), ("whole", "9" * 5000, "must be a smaller whole number, got '999"),
    ("bounded", 0, "must be at least 1, got 0"), ("bounded", 10, "must be at most 9, got 10"),
    ("number", 0, "must be above 0"), ("number", 9, "must be below 9"), ("number", "x", "must be a number, got 'x'"),
    ("number", float("nan"), "must be a finite number, got nan"),
    ("flag", "maybe", "must be true or false, got 'maybe'"), ("flag", 7, "must be true or false, got 7"),
    ("one", "b", "must be 'a' or 2, got 'b'"), ("names", 5, "must be a list, got 5"),
    ("pair", [1], "entry 2 is missing; add it"), ("some", 5, "must be a list, got 5"),
    ("pair", [1, 2, 3], "must have at most 2 entries"), ("numbers", [], "must have at least 1 entry, got []"),
    ("table", [], "must be a table, got []"), ("inner", 5, "must be a table, got 5"),
    ("inner", {}, "is missing; add it"), ("inner", {"size": 1, "more": 2}, "is not known; remove it"),
    ("checked", 7, "7, or any odd number, is not even; take 8"),
]  # fmt: skip


@pytest.mark.parametrize(("field", "value", "words"), WRONG)
def test_every_kind_of_value(field: str, value: Any, words: str) -> None:
    with pytest.raises(ValidationError) as caught:
        All.model_validate({field: value})
    said = wrong(caught.value.errors()[0])
    assert said.startswith(words)
    assert len(said) < 200


ODD: tuple[Any, ...] = (None, True, -1, 0, 10**400, 1e308, float("nan"), float("inf"), "", "x", "\0", "é\u202e", [],
                        [[]], {}, {"a": 1}, [None], b"x", {1: 2})  # fmt: skip
PLAN: dict[str, Any] = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg"}], "limits": {}, "report": {}}
PLACES = ["name", "dataset", "metrics", "codec", "limits", "timing", "match", "plugins", "description", "report",
          "codec.id", "codec.options", "codec.qualities", "codec.label", "codec.device", "codec.optional",
          "limits.point_seconds", "limits.memory_mib", "report.widths", "report.codecs", "report.ranges",
          "report.colours"]  # fmt: skip


def refusal(plan: dict[str, Any]) -> str | None:
    """Why a plan is refused; None if it is taken."""
    try:
        make_plan(plan, "plan")
    except BenchboxError as error:
        return str(error)
    return None


@pytest.mark.parametrize("place", PLACES)
def test_odd_values_in_a_plan(place: str) -> None:
    """Each is taken, or refused in one line that names the place."""
    outer, _, inner = place.partition(".")
    for value in ODD:
        held: Any = {**(PLAN[outer] if outer != "codec" else PLAN["codec"][0]), inner: value} if inner else value
        said = refusal(PLAN | {outer: [held] if inner and outer == "codec" else held})
        assert said is None or (outer in said and "\n" not in said and len(said) < 600)
        assert not PYDANTIC.search(said or ""), said


@pytest.mark.parametrize("place", ["codec.qualities", "limits.point_seconds", "limits.memory_mib", "timing.repeats",
                                   "timing.batch", "timing.core"])  # fmt: skip
def test_true_is_no_number(place: str) -> None:
    """It would count as 1 in silence."""
    outer, _, inner = place.partition(".")
    held: Any = {"id": "jpeg", inner: [50, True]} if outer == "codec" else {inner: True}
    said = refusal(PLAN | {outer: [held] if outer == "codec" else held})
    assert said is not None
    assert said.endswith(f"{inner}: must be a number, not true")


@pytest.mark.parametrize(("key", "value", "place"), [
    ("ranges", {"psnr": [False, True]}, "ranges.psnr.0"), ("widths", [3.5, True], "widths"),
])  # fmt: skip
def test_true_is_no_number_in_the_look_of_a_report(key: str, value: Any, place: str) -> None:
    said = refusal(PLAN | {"report": {key: value}})
    assert said is not None
    assert said.startswith(f"plan: report.{place}")


class Held(OptionsModel):
    """Options of every form in which numbers come."""

    one: int | None = None
    pair: tuple[float, float] = (1, 2)
    some: tuple[int, ...] = ()
    any_of: frozenset[Literal[1, 3]] = frozenset({3})
    choice: Literal[0, 1] = 0
    named: dict[str, float] = Field({})
    flag: bool = False
    flags: dict[str, list[bool]] = Field({})
    either: bool | int = 0
    anything: Any = None


@pytest.mark.parametrize(("given", "place"), [
    ({"one": True}, "one"), ({"pair": [1, False]}, "pair.1"), ({"some": [2, 3, True]}, "some.2"),
    ({"any_of": [3, True]}, "any_of.1"), ({"choice": False}, "choice"), ({"named": {"a": 1, "b": True}}, "named.b"),
    ({"flag": True}, None), ({"flags": {"a": [True]}}, None), ({"either": True}, None), ({"anything": [True]}, None),
    ({"one": 1, "some": [0, 1], "any_of": [1], "choice": 1}, None),
])  # fmt: skip
def test_true_is_no_number_at_any_depth(given: dict[str, Any], place: str | None) -> None:
    if place is None:
        validated_options(Held, given, "it")
    else:
        with pytest.raises(OptionError, match=rf"^it: option {place}: must be a number, not true or false$"):
            validated_options(Held, given, "it")


def test_an_empty_sweep_is_refused() -> None:
    said = refusal(PLAN | {"codec": [{"id": "jpeg", "qualities": []}]})
    assert said == "plan: codec.0.qualities: holds no value; leave it out for the codec's own"


def test_options_and_plan_files(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"^webp: option method='fast': must be a whole number$"):
        load().codec("webp").parse_options({"method": "fast"})
    with pytest.raises(OptionError, match=r"^webp: option method: must be a number, not true or false$"):
        load().codec("webp").parse_options({"method": True})
    long = PLAN | {"codec": [{"id": "jpeg", "label": "x" * 2000}]}
    assert "label: must have at most 1000 characters, got 'xxx" in str(refusal(long))
    assert refusal(PLAN | {"limits": {"point_seconds": 0}}) == "plan: limits.point_seconds: must be above 0, got 0"
    path = tmp_path / "plan.toml"
    path.write_text('dataset = "samples"\ncodec = [{ id = "jpeg", optional = "perhaps" }]\n')
    with pytest.raises(BenchboxError, match=r"plan\.toml: codec\.0\.optional: must be true or false, got 'perhaps'$"):
        load_plan(path)


NAMES = st.text("ab,;\"' =5", min_size=1).filter(lambda name: not ("'" in name and '"' in name))


def quoted(name: str) -> str:
    return f"'{name}'" if '"' in name else f'"{name}"'


@given(st.lists(NAMES), st.sampled_from(",;"))
def test_entries_in_quotes_come_back_as_they_are(names: list[str], separator: str) -> None:
    assert listed(f" {separator} ".join(map(quoted, names)), separator) == names


@given(st.lists(st.text("ab-=. 5", min_size=1).map(str.strip).filter(bool)))
def test_plain_entries_need_no_quotes(names: list[str]) -> None:
    assert listed(", ".join(names)) == names
    assert listed(f",{','.join(names)},") == names


def test_a_quote_that_ends_nowhere_is_a_letter() -> None:
    assert listed("5\" screen, it's, 'a' b") == ['5" screen', "it's", "'a' b"]


@given(NAMES.filter(str.strip), NAMES.map(str.strip).filter(bool))
def test_a_name_and_its_value_may_hold_equals_signs(name: str, value: str) -> None:
    assert pairs_in(f" {quoted(name)} = {value} ") == [(name, value)]
    ways = pairs_in(f"{name.strip()}={value}")
    assert all(left and right for left, right in ways)
    if not name.strip().startswith(("'", '"')):
        assert (name.strip(), value) in ways or not name.strip("= ") or not value.strip("= ")


def test_what_is_no_name_and_value_gives_none() -> None:
    assert not [text for text in ("", "=", "a", "a=", "=a", " = ", "'a'", "'a'=", '""=') if pairs_in(text)]
