"""The table ``[report]`` of a plan and its flags: they change how reports look, and no measurement."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pandas as pd
import pytest
from encoded_crops import PSNR, Rows, results_of
from two_runs import results

from benchbox.appearance import PLAIN, Appearance, Nameable
from benchbox.cli.appearance import with_flags
from benchbox.errors import OptionError, PlanError, UnknownIdError
from benchbox.plan import load_plan, make_plan
from benchbox.reference import Reference
from benchbox.report import Results
from benchbox.results.several import united
from benchbox.results.shape import shaped

VTM = Reference("vtm", "VTM", "crops", "means", "a paper", (0.2, 0.5, 1.0, 2.0), {"psnr": (28.0, 31.0, 34.0, 38.0)})
PLAN = {"name": "p", "dataset": "samples", "codec": [{"id": "jpeg"}]}


@pytest.fixture(scope="module")
def run(crop_rows: Rows) -> Results:
    return results_of(crop_rows, references=[VTM], codec_settings={"jpeg": {"id": "jpeg"}, "webp": {"id": "webp"}})


def with_table(run: Results, **table: object) -> Results:
    return shaped(replace(run, appearance=Appearance.model_validate(table)))


def test_codecs_are_chosen_ordered_and_named(run: Results) -> None:
    shown = with_table(run, codecs=["webp", "jpeg", "vtm"], labels={"webp": "Ours", "vtm": "VVC reference"},
                       highlight="webp", colours={"webp": "#B60D22"}, families={"vtm": "vvc"})
    assert list(shown.codec_settings) == ["Ours", "jpeg"]
    assert list(shown.frame["label"].cat.categories) == ["Ours", "jpeg"] == list(
        pd.unique(shown.frame["label"].sort_values().astype(str)))
    assert [r.title for r in shown.references] == ["VVC reference"]
    assert shown.appearance.highlight == "Ours"
    assert shown.appearance.colours == {"Ours": "#B60D22"}
    assert shown.appearance.families == {"VVC reference, published": "vvc"}
    ours, webp = shown.frame[shown.frame["label"] == "Ours"], run.frame[run.frame["label"] == "webp"]
    assert ours["psnr"].to_list() == webp["psnr"].to_list()


def test_an_id_stands_for_all_its_variants(run: Results) -> None:
    frame = run.frame[run.frame["label"] != "jpeg"]
    shown = with_table(replace(run, frame=frame), codecs=["jpeg"])
    assert set(shown.frame["label"]) == {"jpeg progressive=yes"}


def test_without_a_table_nothing_changes(run: Results) -> None:
    assert shaped(run) is run


@pytest.mark.parametrize(("table", "said"), [
    ({"codecs": ["wepb"]}, "did you mean"),
    ({"highlight": "ours"}, "no codec of this run is called 'ours'"),
    ({"metrics": ["vmaf"]}, "not scored by 'vmaf'"),
    ({"ranges": {"bppp": (0, 2)}}, "no axis is called 'bppp'; did you mean 'bpp'"),
    ({"labels": {"jpeg": "X", "webp": "X"}}, "two codecs would be called 'X'"),
])  # fmt: skip
def test_a_name_that_the_run_lacks_is_refused(run: Results, table: dict[str, object], said: str) -> None:
    with pytest.raises(UnknownIdError, match=said):
        with_table(run, **table)


def test_a_label_that_two_runs_share_keeps_what_the_table_says_of_it() -> None:
    table = {"codecs": ["mine"], "labels": {"mine": "Ours"}, "colours": {"mine": "#b60d22"},
             "families": {"mine": "vp8"}, "highlight": "mine"}  # fmt: skip
    look = Appearance.model_validate(table)
    shown = shaped(united([Results(name, results(2, rate=rate), [PSNR], "", {}, appearance=look)
                           for name, rate in (("first", 1.0), ("second", 1.1))]))  # fmt: skip
    assert list(shown.frame["label"].cat.categories) == ["Ours (first)", "Ours (second)"]
    assert shown.appearance.highlight == "Ours (first)"
    assert shown.appearance.colours == {"Ours (first)": "#b60d22", "Ours (second)": "#b60d22"}
    assert shown.appearance.families == {"Ours (first)": "vp8", "Ours (second)": "vp8"}


def test_flags_go_before_the_table() -> None:
    table = Appearance(highlight="webp", labels={"webp": "W", "jpeg": "J"})
    found = with_flags(table, {"labels": ("jpeg=JPEG",), "ranges": ("bpp=0:2", "psnr=28:42"), "codecs": "webp, jpeg",
                               "widths": "3.25,6.5", "font": "Times", "families": (), "highlight": None},
                       NAMES)
    assert found.labels == {"webp": "W", "jpeg": "JPEG"}
    assert found.ranges == {"bpp": (0, 2), "psnr": (28, 42)}
    assert (found.codecs, found.widths, found.font, found.highlight) == (("webp", "jpeg"), (3.25, 6.5), "Times", "webp")
    assert with_flags(PLAIN, {"codecs": None, "labels": ()}, NAMES) is PLAIN


NAMES = Nameable.of({"jpeg": "jpeg", "webp": "webp", "a": "webp", "avif tune=psnr": "avif", "a=b": "avif"}, (),
                    ["psnr"], {})  # fmt: skip


def test_names_and_values_may_hold_equals_signs() -> None:
    """The name of a flag NAME=VALUE is the one that the run knows; new labels of the same command are known too."""
    given = {"labels": ("avif tune=psnr=A=1", "jpeg=J", "'a'=b=c", '"a=b"=c'), "colours": ("A=1=#112233",),
             "families": ("avif tune=psnr=x=y", "jpeg=z"), "ranges": ("psnr=1:2",)}  # fmt: skip
    found = with_flags(PLAIN, given, NAMES)
    assert found.labels == {"avif tune=psnr": "A=1", "jpeg": "J", "a": "b=c", "a=b": "c"}
    assert found.colours == {"A=1": "#112233"}
    assert found.families == {"avif tune=psnr": "x=y", "jpeg": "z"}
    for flag, key in (("--label", "labels"), ("--colour", "colours"), ("--family", "families")):
        with pytest.raises(OptionError, match=f"{flag} a=b=c: 'a' and 'a=b' are names in this run; put the one"):
            with_flags(PLAIN, {key: ("a=b=c",)}, NAMES)
        with pytest.raises(UnknownIdError, match=f"{flag} x=y=z: this run has neither 'x' nor 'x=y'; take one of jpeg"):
            with_flags(PLAIN, {key: ("x=y=z",)}, NAMES)


@pytest.mark.parametrize(("given", "said"), [
    ({"ranges": ("bpp=2:0",)}, "--range bpp: .*low.*write --range AXIS=LOW:HIGH"),
    ({"ranges": ("bpp",)}, "--range bpp: write"),
    ({"colours": ("jpeg=red",)}, "--colour jpeg: must be a colour as # and six hexadecimal digits, such as #b60d22, "
     "got 'red'; write --colour CODEC=#RRGGBB"),
    ({"ranges": ("bpp=2",)}, "--range bpp: entry 2 is missing; add it; write --range AXIS=LOW:HIGH"),
    ({"widths": "3.5"}, "--widths: entry 2 is missing.*COLUMN,PAGE"),
])  # fmt: skip
def test_a_flag_of_another_form_is_named(given: dict[str, object], said: str) -> None:
    with pytest.raises(OptionError, match=said):
        with_flags(PLAIN, given, NAMES)


def test_a_plan_says_where_its_table_is_wrong(tmp_path: Path) -> None:
    plan = make_plan({**PLAN, "report": {"highlight": "jpeg", "ranges": {"bpp": [0, 2]}}}, "plan")
    assert plan.report.highlight == "jpeg"
    with pytest.raises(PlanError, match=r"unknown key 'report\.color'"):
        make_plan({**PLAN, "report": {"color": {}}}, "plan")
    with pytest.raises(PlanError, match=r"report\.ranges\.bpp"):
        make_plan({**PLAN, "report": {"ranges": {"bpp": [2, 0]}}}, "plan")
    (tmp_path / "p.toml").write_text('dataset = "samples"\n[[codec]]\nid = "jpeg"\n[report]\nfont = "Times"\n')
    assert load_plan(tmp_path / "p.toml").report.font == "Times"
