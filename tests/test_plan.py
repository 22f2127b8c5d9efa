"""Plans: what is taken, what is refused, and that refusals name the place and the remedy."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from benchbox import machine
from benchbox.errors import PlanError, UsageError
from benchbox.jobs import Have, entries, jobs, resolve
from benchbox.plan import load_plan, make_plan, parse_codec, parse_qualities, plan_text
from benchbox.registry import Registry, load

SIMPLE = {"name": "t", "dataset": "samples", "codec": [{"id": "jpeg", "qualities": [10, 50, 90]}], "metrics": ["psnr"]}


@pytest.fixture(scope="module")
def plugins() -> Registry:
    return load()


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
        ({"name": "../up"}, "a name is letters"),
        ({"name": "streams"}, "a name is letters"),
        ({"codec": []}, "codec"),
        ({"codec": [{"id": "jpeg", "qualities": "1:x:2"}]}, "start:stop:step"),
    ],
)
def test_a_typo_is_named_with_its_place(change: dict[str, object], message: str) -> None:
    with pytest.raises(PlanError) as caught:
        make_plan(SIMPLE | change, "my.toml")
    assert message in str(caught.value)
    assert "my.toml" in str(caught.value) or "qualities" in str(caught.value)


def test_files_that_are_no_plan(tmp_path: Path) -> None:
    with pytest.raises(PlanError, match="no such plan file"):
        load_plan(tmp_path / "none.toml")
    (tmp_path / "bad.toml").write_text("a = [1,")
    with pytest.raises(PlanError, match=r"bad\.toml"):
        load_plan(tmp_path / "bad.toml")
    (tmp_path / "bytes.toml").write_bytes(b"\xff\xfe\x00")
    with pytest.raises(PlanError, match=r"bytes\.toml"):
        load_plan(tmp_path / "bytes.toml")
    with pytest.raises(PlanError, match="plan file"):
        load_plan(tmp_path / "no" / "folder.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"codec": [{"id": "jpg"}]}, "no codec is called 'jpg'; did you mean 'jpeg'"),
        ({"metrics": ["ssmi"]}, "no metric is called 'ssmi'; did you mean 'ssim'"),
        ({"dataset": "kodka"}, "did you mean 'kodak'"),
        ({"dataset": "folder"}, "needs an argument: write folder:PATH"),
        ({"dataset": "samples:x"}, "takes no argument"),
        ({"codec": [{"id": "jpeg", "qualities": [101]}]}, "quality 101 is out of range; take"),
        ({"codec": [{"id": "jpeg", "qualities": [50.5]}]}, "not a whole number"),
        ({"codec": [{"id": "png", "qualities": [1]}]}, "a lossless codec has no quality"),
        ({"codec": [{"id": "webp", "options": {"methode": 6}}]}, "unknown option 'methode'; did you mean 'method'"),
        ({"codec": [{"id": "webp", "options": {"method": 99}}]}, "option method=99"),
        ({"codec": [{"id": "jpeg"}, {"id": "jpeg"}]}, "two codecs of the plan are called 'jpeg'"),
        ({"codec": [{"id": "jpeg", "device": "cuda"}]}, "runs on cpu"),
    ],
)
def test_what_cannot_be_resolved_is_a_usage_error(
    change: dict[str, object], message: str, plugins: Registry, tmp_path: Path
) -> None:
    with pytest.raises(UsageError) as caught:
        resolve(make_plan(SIMPLE | change, "plan"), plugins, tmp_path)
    assert message in str(caught.value)


@pytest.mark.parametrize(("name", "gpus", "device"), [
    ("auto", [], "cpu"), ("auto", ["a GPU"], "cuda"), ("cuda:1", [], "cuda:1"), ("cpu", ["a GPU"], "cpu"),
])  # fmt: skip
def test_auto_is_the_gpu_where_one_is(
    name: str, gpus: list[str], device: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_gpus", lambda: gpus)
    assert environment.device_for(name, ("cpu", "cuda")) == device


def test_auto_is_the_cpu_for_what_knows_no_gpu(
    plugins: Registry, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(environment, "_gpus", lambda: ["a GPU"])
    plan = make_plan(SIMPLE | {"codec": [{"id": "jpeg", "device": "auto"}]}, "plan")
    assert resolve(plan, plugins, tmp_path).configurations[0].device == "cpu"


def test_a_job_holds_all_missing_qualities_of_one_picture(plugins: Registry, tmp_path: Path) -> None:
    resolved = resolve(make_plan(SIMPLE, "plan"), plugins, tmp_path)
    samples = resolved.datasets[0].samples
    digests = {("samples", s.id): str(i) for i, s in enumerate(samples)}
    everything = list(jobs(resolved, digests, {}))
    assert [len(job.points) for job in everything] == [3] * len(samples)
    key = everything[0].points[1].key
    have = {key: Have(True, "s", frozenset({"psnr"}))}
    assert [p.quality for p in next(jobs(resolved, digests, have)).points] == [10, 90]
    have = {p.key: Have(True, "s", frozenset()) for p in everything[0].points}
    assert {p.stream for p in next(jobs(resolved, digests, have)).points} == {"s"}
    have = {key: Have(True, None, frozenset())}
    assert next(jobs(resolved, digests, have)).points[1].stream is None


def test_equal_pictures_are_encoded_once_but_stand_in_every_row(plugins: Registry, tmp_path: Path) -> None:
    resolved = resolve(make_plan(SIMPLE, "plan"), plugins, tmp_path)
    digests = {("samples", s.id): "same" for s in resolved.datasets[0].samples}
    assert len(list(jobs(resolved, digests, {}))) == 1
    rows = list(entries(resolved, digests))
    assert len(rows) == 3 * len(digests)
    assert len({row.key for row in rows}) == 3


def test_the_key_hangs_on_everything_that_is_asked(plugins: Registry, tmp_path: Path) -> None:
    plan = make_plan(SIMPLE | {"codec": [{"id": "jpeg"}, {"id": "jpeg", "options": {"optimize": True}}]}, "plan")
    first, second = resolve(plan, plugins, tmp_path).configurations
    keys = {c.key(q, s) for c in (first, second) for q in (10.0, 20.0) for s in ("a", "b")}
    assert len(keys) == 8
    assert first.key(10.0, "a") == first.key(10.0, "a")
