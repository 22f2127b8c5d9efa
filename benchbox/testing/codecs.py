"""The rules for a codec, in the order in which they are tried."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from benchbox.codec import CodecInfo
from benchbox.image import Image
from benchbox.testing import codec_calls as calls
from benchbox.testing import codec_facts as facts
from benchbox.testing import codec_pictures as pictures
from benchbox.testing import manners
from benchbox.testing.check import Check, Rule, run_all
from benchbox.testing.subject import CodecSubject
from benchbox.testing.trial import Trial


def check_codec(info: CodecInfo, options: Mapping[str, Any] | None = None, images: Mapping[str, Image] | None = None,
                device: str = "cpu") -> None:
    """Run every check of `codec_checks`; raises PluginError with a line for each breach."""
    run_all(codec_checks(info, options, images, device))


def codec_checks(info: CodecInfo, options: Mapping[str, Any] | None = None, images: Mapping[str, Image] | None = None,
                 device: str = "cpu") -> list[Check]:
    """The checks for a codec, one callable each, for pytest to parametrise over.

    Args:
        info: the codec; raises CodecUnavailableError if it is unavailable here.
        options: the option values to test with; the defaults for those that are not given.
        images: further pictures to encode and decode, by name, under the pixel contract.
        device: the device to open it on, e.g. "cpu" or "cuda".
    """
    info.require()
    return Trial(CodecSubject(info, options or {}, device, images or {}), CODEC_RULES).checks()


_STATED = "declarations options axis_values"
_SOUND = "types input_untouched own_array fresh_decoder deterministic"

CODEC_RULES: tuple[Rule[CodecSubject], ...] = (
    Rule(facts.names),
    Rule(facts.declarations),
    Rule(facts.options, needs="declarations"),
    Rule(facts.identity, needs="declarations options"),
    Rule(facts.axis_values, needs="declarations options"),
    Rule(calls.opens, needs=_STATED),
    Rule(calls.types, needs="opens", seconds=120),
    Rule(manners.surroundings, needs="types"),
    Rule(manners.threads, needs="types"),
    Rule(manners.leftovers, needs="types"),
    Rule(calls.input_untouched, needs="types"),
    Rule(calls.own_array, needs="input_untouched"),
    Rule(calls.fresh_decoder, needs="types"),
    Rule(calls.deterministic, needs="types"),
    Rule(pictures.axis, needs=_SOUND),
    Rule(pictures.declared_kinds, needs=_SOUND),
    Rule(pictures.undeclared_kinds, needs="declared_kinds"),
    Rule(pictures.round_trip, needs="declared_kinds"),
    Rule(pictures.tempting_pictures, needs="round_trip"),
    Rule(pictures.axis_ends, needs="axis tempting_pictures"),
    Rule(pictures.option_choices, needs="axis_ends"),
    Rule(calls.batch, needs=_SOUND),
    Rule(pictures.damage, needs=_SOUND),
    Rule(manners.import_time, apart=True),
    Rule(calls.other_process, needs="declared_kinds", apart=True),
)
