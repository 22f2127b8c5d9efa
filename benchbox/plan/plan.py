"""A validated `Plan` from a TOML file, a mapping or command-line flags. No clock, no store, no plugin.

A plan as TOML::

    name = "demo"
    dataset = ["samples"]                 # or one string
    metrics = ["psnr", "ms-ssim"]

    [[codec]]                             # codec = ["jpeg", "webp:method=6@10:95:5"] does the same
    id = "jpeg"

    [[codec]]
    id = "webp"
    qualities = "10:95:5"                 # start:stop:step, stop included; or a list; default: the codec's own sweep
    options = { method = 6 }

    [limits]
    point_seconds = 300
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    ValidationError,
    field_validator,
    model_validator,
)

from benchbox.appearance import PLAIN, Appearance
from benchbox.errors import PlanError, UsageError, did_you_mean, one_line, plain_name
from benchbox.files import Foreign, read_toml
from benchbox.values import boolean_as_number, wrong

_FILE = Foreign("plan file", PlanError, "give a plan as the documentation shows it", most=8 << 20)
NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,199}")
_NAMES_ARE = "a name is at most 200 letters, digits, '.', '_' and '-', starting with a letter or digit"
_QUOTED = re.compile(r"""(?<==)("[^"]*"|'[^']*')(?=,|@|$)""")
"""The value of an option in quotes."""
_DEMO = Path(__file__).with_name("demo.toml")
DISTURBED = 0.2
"""Average number of cores that other processes may keep busy during a point's repeats before its times are refused."""

MAX_SWEEP = 1000
"""Most qualities in one sweep; a longer one comes from a mistyped step."""

_MOST_NAMES, _LONGEST_NAME, _LONGEST_TEXT = 1000, 1000, 100_000
"""Most data sets, codecs, metrics and targets of a plan, and most characters of a name and of the description."""


def parse_qualities(text: str) -> tuple[float, ...]:
    """Parse ``"10:95:5"`` (stop included) or ``"10,20,30"``. Raises PlanError that quotes `text`."""
    try:
        if ":" not in text:
            _check_count(text, text.count(",") + 1)
            return tuple(float(part) for part in text.split(","))
        start, stop, step = (float(part) for part in text.split(":"))
        if not all(map(math.isfinite, (start, stop, step))) or step == 0 or (stop - start) / step < 0:
            raise ValueError
    except ValueError:
        raise PlanError(f"qualities '{text}': write start:stop:step (10:95:5) or a comma list (10,50,90)") from None
    count = math.floor((stop - start) / step + 1e-9) + 1
    _check_count(text, count)
    return tuple(round(start + i * step, 9) for i in range(count))


def _check_count(text: str, count: int) -> None:
    if count > MAX_SWEEP:
        shown = text if len(text) <= 40 else f"{text[:40]}..."
        raise PlanError(f"qualities '{shown}': {count} values; at most {MAX_SWEEP}")


def _as_tuple(value: Any) -> Any:
    return (value,) if isinstance(value, str) else value


def _no_bool(value: Any) -> Any:
    if isinstance(value, bool):  # which would count as 1 or 0
        raise ValueError(f"must be a number, not {str(value).lower()}")
    return value


def _as_qualities(value: Any) -> Any:
    if isinstance(value, list | tuple):
        if len(value) == 0:
            raise ValueError("holds no value; leave it out for the codec's own")
        if len(value) > MAX_SWEEP:
            raise ValueError(f"{len(value)} values; at most {MAX_SWEEP}")
        value = [_no_bool(quality) for quality in value]
    try:
        return parse_qualities(value) if isinstance(value, str) else value
    except PlanError as error:  # what holds it adds where it stands
        raise ValueError(str(error)) from error


def check_name(text: str) -> str:
    """`text`, if it can be written into files and shown on one line; raises ValueError where it holds control
    characters or, as names of files do that are not UTF-8, surrogates."""
    if any(unicodedata.category(character) in ("Cc", "Cs") for character in text):
        raise ValueError(f"{text[:80]!a} has a control character or is not UTF-8; rename it")
    return text


def _as_name(value: Any) -> Any:
    return check_name(value) if isinstance(value, str) else value


_Name = Annotated[str, BeforeValidator(_as_name), Field(max_length=_LONGEST_NAME)]
"""A text of one line: an id, a path, a label."""
_Label = Annotated[_Name, AfterValidator(plain_name)]
_Names = Annotated[tuple[_Name, ...], BeforeValidator(_as_tuple), Field(max_length=_MOST_NAMES)]


class _Strict(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class CodecEntry(_Strict):
    """One codec of a plan. `label` names its curve (default: id and the options that differ from their defaults);
    `device` is ``"cpu"``, ``"cuda"``, ``"cuda:N"`` or ``"auto"`` (CUDA where the codec and the machine have it); an
    `optional` codec is left out, with a message to the user, where its library is missing."""

    id: _Name
    options: dict[str, Any] = {}
    qualities: Annotated[tuple[float, ...] | None, BeforeValidator(_as_qualities)] = None
    label: _Label | None = None
    device: _Name = "cpu"
    optional: bool = False


def _as_entries(value: Any) -> Any:
    """Codecs in their short form, and one alone, as a plan writes them in full."""
    entries = (value,) if isinstance(value, str | Mapping) else value
    if not isinstance(entries, list | tuple) or len(entries) > _MOST_NAMES:
        return entries
    try:
        return [parse_codec(entry) if isinstance(entry, str) else entry for entry in entries]
    except PlanError as error:
        raise ValueError(str(error)) from error


class Limits(_Strict):
    """Limits of one operating point: wall seconds, and memory of the worker in MiB (default: its share of RAM)."""

    point_seconds: Annotated[float, Field(gt=0), BeforeValidator(_no_bool)] = 300
    memory_mib: Annotated[int | None, Field(gt=0, le=2**40), BeforeValidator(_no_bool)] = None


class Timing(_Strict):
    """The timing protocol: `repeats` of each point after an untimed warm-up, `batch` pictures per call, on processor
    core `core` (default: the last one)."""

    repeats: Annotated[int, Field(ge=1, le=1000), BeforeValidator(_no_bool)] = 5
    batch: Annotated[int, Field(ge=1, le=1024), BeforeValidator(_no_bool)] = 1
    core: Annotated[int | None, Field(ge=0), BeforeValidator(_no_bool)] = None


class Plan(_Strict):
    """A validated plan. With `match` (``"bpp=0.5"``, ``"ms-ssim=0.98"``) the qualities are not swept: for each picture
    and codec, a search finds the one nearest each target. With `timing`, measured points are timed too. The two
    exclude each other. `plugins` are paths of plugin files, which start from the plan's folder. `report` is how its
    reports look; it changes no measurement."""

    name: str
    dataset: Annotated[_Names, Field(min_length=1)]
    metrics: _Names = ("psnr", "ms-ssim")
    codec: Annotated[tuple[CodecEntry, ...], BeforeValidator(_as_entries), Field(min_length=1, max_length=_MOST_NAMES)]
    limits: Limits = Limits()
    timing: Timing | None = None
    match: _Names = ()
    plugins: _Names = ()
    description: Annotated[str, Field(max_length=_LONGEST_TEXT)] = ""
    report: Appearance = PLAIN

    @model_validator(mode="after")
    def _not_matched_and_timed(self) -> Plan:
        if self.match and self.timing is not None:
            raise ValueError("a matched run is not timed; remove either match or timing")
        return self

    @field_validator("name")
    @classmethod
    def _safe_name(cls, name: str) -> str:
        if not NAME.fullmatch(name):
            raise ValueError(_NAMES_ARE)
        return name


def check_run_name(name: str) -> str:
    """`name`, if a run can be called so. Raises PlanError."""
    if not NAME.fullmatch(name):
        raise PlanError(f"a run cannot be called '{one_line(name, 60)}': {_NAMES_ARE}; choose another with --name")
    return name


def load_plan(path: Path) -> Plan:
    """Read a plan file. Raises PlanError that names the file, the key and the remedy."""
    return make_plan({"name": path.stem, **read_toml(path, _FILE)}, str(path))


def settle(plan: str | Path | Mapping[str, Any] | Plan | None) -> tuple[Plan, Path]:
    """(validated plan, folder that its relative paths start from) from a file, a mapping, a plan, or None for the demo.

    Raises:
        PlanError: as `load_plan`.
    """
    if plan is None:
        return load_plan(_DEMO), Path.cwd()
    if isinstance(plan, Plan):
        return plan, Path.cwd()
    if isinstance(plan, Mapping):
        return make_plan({"name": "run", **plan}, "plan"), Path.cwd()
    return load_plan(Path(plan)), Path(plan).resolve().parent


@contextmanager
def named(plan: object) -> Iterator[None]:
    """Inside it, an error in what a plan file asks for names that file; `plan` may be what `settle` takes."""
    try:
        yield
    except UsageError as error:
        if not isinstance(plan, str | Path):
            raise
        raise type(error)(f"{plan}: {error}") from error


def make_plan(table: Mapping[str, Any], where: str) -> Plan:
    """Validate a plan given as a mapping. Raises PlanError, in which `where` names the mapping."""
    try:
        plan = Plan.model_validate(dict(table))
    except ValidationError as error:
        faults = error.errors()  # a misspelt key is told before what is missing in its place
        first = next((fault for fault in faults if fault["type"] == "extra_forbidden"), faults[0])
        place = ".".join(str(part) for part in first["loc"])
        if first["type"] == "extra_forbidden":
            known = _known_keys(first["loc"])
            hint = did_you_mean(str(first["loc"][-1]), known) or f"; known: {', '.join(known)}"
            raise PlanError(f"{where}: unknown key '{place}'{hint}") from None
        raise PlanError(f"{where}: {place or 'plan'}: {wrong(first)}") from None
    if (found := boolean_as_number(table, plan)) is not None:
        raise PlanError(f"{where}: {found}: must be a number, not true or false")
    return plan


def plan_text(plan: Plan) -> str:
    """The plan as TOML; `load_plan` reads an equal plan from it."""
    import tomli_w

    return tomli_w.dumps(plan.model_dump(mode="json", exclude_none=True, exclude_defaults=True))


def _known_keys(location: Sequence[int | str]) -> list[str]:
    nested: dict[str, type[BaseModel]] = {"codec": CodecEntry, "limits": Limits, "timing": Timing, "report": Appearance}
    model = nested.get(str(location[0]), Plan) if len(location) > 1 else Plan
    return list(model.model_fields)


def parse_codec(text: str) -> CodecEntry:
    """Parse the short form ``id[:key=value,...][@qualities]``, e.g. ``"webp:method=6@10:95:5"``. A value that holds a
    comma or an @ stands in quotes: ``'resnet:weights="a@b.safetensors"@3'``. Raises PlanError."""
    quoted: list[str] = []

    def masked(found: re.Match[str]) -> str:
        quoted.append(found[1][1:-1])
        return f"\0{len(quoted) - 1}\0"

    head, at, tail = (text if "\0" in text else _QUOTED.sub(masked, text)).partition("@")
    name, _, settings = head.partition(":")
    options: dict[str, Any] = {}
    for part in filter(None, re.split(r",(?=[^,=]+=)", settings)):  # a comma inside a value stays
        key, equals, value = part.partition("=")
        if not equals:
            raise PlanError(f"codec '{text}': write options as key=value, not '{part}'")
        unmasked = re.fullmatch("\0(\\d+)\0", value.strip()) if quoted else None
        options[key.strip()] = quoted[int(unmasked[1])] if unmasked else value.strip()
    if not name:
        raise PlanError(f"codec '{text}': it needs an id, as in jpeg@50,75")
    if at and options and re.search(r"[^\d\s.,:eE+-]", tail):
        raise PlanError(f"codec '{text}': '@{tail}' are no qualities; if it is part of an option's value, put the "
                        'value in quotes, as in \'resnet:weights="a@b.safetensors"@3\'')
    try:
        return CodecEntry(id=name, options=options, qualities=parse_qualities(tail) if at else None)
    except ValidationError as error:
        first = error.errors()[0]
        raise PlanError(f"codec: {first['loc'][0]}: {wrong(first)}") from None
