"""Plans: valid ones are read, others are refused with a message that names the place and the remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbox.errors import PlanError
from benchbox.plan import load_plan, make_plan, parse_codec
from benchbox.plan.plan import parse_qualities, plan_text

SIMPLE = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg", "qualities": [10, 50, 90]}], "metrics": ["psnr"]}


def test_quality_ranges_include_their_stop() -> None:
    assert parse_qualities("10:95:5") == tuple(range(10, 96, 5))
    assert parse_qualities("3:1:-0.5") == (3, 2.5, 2, 1.5, 1)
    assert parse_qualities("0.1:0.3:0.1") == (0.1, 0.2, 0.3)
    assert parse_qualities("7") == (7,)
    assert parse_qualities("1,2.5,90") == (1, 2.5, 90)


@pytest.mark.parametrize("text", ["", "1:2", "a", "1:10:0", "1:10:-1", "1:nan:1", "1:1e9:0.001", "1,,2", "1:2:3:4"])
def test_bad_quality_ranges_are_quoted(text: str) -> None:
    with pytest.raises(PlanError, match="qualities"):
        parse_qualities(text)


@given(st.text(max_size=40))
def test_any_text_as_codec_is_taken_or_refused_in_one_line(text: str) -> None:
    try:
        entry = parse_codec(text)
    except PlanError:
        return
    assert text.startswith(entry.id)


@given(st.integers(-50, 50), st.integers(0, 60), st.integers(1, 7))
def test_ranges_step_evenly_up_to_their_stop(start: int, length: int, step: int) -> None:
    values = parse_qualities(f"{start}:{start + length}:{step}")
    assert values == tuple(range(start, start + length + 1, step))


def test_quick_form_of_a_codec() -> None:
    entry = parse_codec("webp:method=6,exact=yes@10:95:5")
    assert entry.id == "webp"
    assert entry.options == {"method": "6", "exact": "yes"}
    assert entry.qualities == tuple(range(10, 96, 5))
    assert parse_codec("jpeg:subsampling=4:4:4").options == {"subsampling": "4:4:4"}
    assert parse_codec("png").qualities is None


def test_a_plan_survives_being_written() -> None:
    more = {"description": 'a "quoted" plan \\ with ünicode', "limits": {"point_seconds": 5}}
    plan = make_plan(SIMPLE | more, "here")
    assert make_plan(tomllib.loads(plan_text(plan)), "again") == plan


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codecs": []}, "unknown key 'codecs'; did you mean 'codec'"),
        ({"codec": [{"id": "jpeg", "qualitys": [1]}]}, "unknown key 'codec.0.qualitys'; did you mean 'qualities'"),
        ({"limits": {"point_second": 1}}, "did you mean 'point_seconds'"),
        ({"name": "../up"}, "a name is at most 200 letters"), ({"name": "x" * 201}, "a name is at most 200 letters"),
        ({"codec": []}, "codec"),
        ({"codec": [{"id": "jpeg", "qualities": "1:x:2"}]}, "start:stop:step"),
        ({"codec": [{"id": "jpeg", "qualities": [1.0] * 1_000_000}]}, "qualities: 1000000 values; at most 1000"),
        ({"codec": [{"id": "jpeg", "qualities": "1," * 1_000_000 + "1"}]}, "...': 1000001 values; at most 1000"),
        ({"codec": [{"id": "jpeg", "label": "a\x1b[31m"}]}, "codec.0.label: 'a\\x1b[31m' has a control character"),
        ({"dataset": "folder:/a\0b"}, "dataset.0: 'folder:/a\\x00b' has a control character"),
        ({"dataset": "folder:/a\udcffb"}, "is not UTF-8; rename it"),
        ({"dataset": ["samples"] * 20_000}, "dataset"),
        ({"description": "d" * 1_000_000}, "description"),
        ({"limits": {"memory_mib": 10**30}}, "limits.memory_mib"),
        ({"codec": ["jpeg:quality"]}, "my.toml: codec: codec 'jpeg:quality': write options as key=value"),
        ({"codec": 3}, "my.toml: codec: "),
    ],
)
def test_a_typo_is_named_with_its_place(change: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(SIMPLE | change, "my.toml")
    assert message in str(caught.value)
    assert "my.toml" in str(caught.value) or "qualities" in str(caught.value)


@pytest.mark.parametrize(("wrong", "right"), [("codecs", "codec"), ("datasets", "dataset"), ("Codec", "codec")])
def test_a_misspelt_key_is_told_before_the_one_that_is_missing(wrong: str, right: str) -> None:
    table = dict(SIMPLE)
    table[wrong] = table.pop(right)
    with pytest.raises(PlanError, match=rf"^my\.toml: unknown key '{wrong}'; did you mean '{right}'\?$"):
        make_plan(table, "my.toml")


@pytest.mark.parametrize("codec", [
    ["jpeg@50", "webp:method=6"], ["jpeg@50", {"id": "webp", "options": {"method": "6"}}],
])
def test_codecs_may_be_given_in_their_short_form(codec: list[object]) -> None:
    whole = [{"id": "jpeg", "qualities": [50]}, {"id": "webp", "options": {"method": "6"}}]
    assert make_plan(SIMPLE | {"codec": codec}, "p") == make_plan(SIMPLE | {"codec": whole}, "p")
    for alone in ("jpeg@50", {"id": "jpeg", "qualities": [50]}):
        assert make_plan(SIMPLE | {"codec": alone}, "p") == make_plan(SIMPLE | {"codec": whole[:1]}, "p")


def test_a_matched_run_is_not_timed() -> None:
    with pytest.raises(PlanError, match=r"a matched run is not timed; remove either match or timing"):
        make_plan(SIMPLE | {"match": "bpp=1", "timing": {}}, "plan")


def test_files_that_are_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no such plan file"):
        load_plan(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = [1,")
    with pytest.raises(PlanError, match=r"bad\.toml"):
        load_plan(tmp_path / "bad.toml")
    for name, text in {"deep": "x = " + "[" * 9000, "long": "#" * 9_000_000, "digits": "x = " + "9" * 5000}.items():
        (tmp_path / f"{name}.toml").write_text(text)
        with pytest.raises(PlanError, match=rf"{name}\.toml: .*; give a plan"):
            load_plan(tmp_path / f"{name}.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"bytes\.toml"):
        load_plan(tmp_path / "bytes.toml")
    with pytest.raises(PlanError, match="plan file"):
        load_plan(tmp_path / "no" / "folder.toml")


def test_a_byte_order_mark_is_dropped(tmp_path: Path) -> None:
    text = 'name = "bom"\ndataset = "samples"\n[[codec]]\nid = "jpeg"\n'
    (tmp_path / "plan.toml").write_bytes(b"\xef\xbb\xbf" + text.encode())
    assert load_plan(tmp_path / "plan.toml") == make_plan(tomllib.loads(text), "plan")
