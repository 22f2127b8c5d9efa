"""The checks for a codec."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

import numpy as np

from benchbox.codec import CodecInfo, OptionsModel, options_json
from benchbox.errors import CodecUnavailableError, OptionError
from benchbox.image import Image, check, peak
from benchbox.testing.check import Check, run_all
from benchbox.testing.pictures import AWKWARD_SIZES, noise, picture
from benchbox.testing.subject import KIND, CodecSubject, agree, attempt, attempt_at, mse, same_kind, survives


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
    subject = CodecSubject(info, info.parse_options(options or {}), device, images or {})
    return [Check(info.id, function.__name__.lstrip("_"), partial(function, subject)) for function in _CHECKS]


def _names(subject: CodecSubject) -> None:
    subject.check_names(subject.info.id, subject.info.title)


def _pickle(subject: CodecSubject) -> None:
    copy = subject.pickled(subject.info)
    if copy.id != subject.info.id or copy.identity(subject.options) != subject.info.identity(subject.options):
        subject.breach("pickled and unpickled, it has another id or identity")


def _options(subject: CodecSubject) -> None:
    info = subject.info
    if not any(field.is_required() for field in info.Options.model_fields.values()):
        info.parse_options({})
    try:
        info.parse_options({"no-such-option": 1})
    except OptionError:
        pass
    else:
        subject.breach("it accepts an unknown option; derive Options from benchbox.OptionsModel")
    again = info.parse_options(json.loads(options_json(subject.options)))
    if again != subject.options:
        subject.breach("its options change when they are written to JSON and read back, as results are")


def _option_choices(subject: CodecSubject) -> None:
    """Every value of a choice or a switch, and both ends of a bounded number, can be encoded and decoded, in the middle
    and at both ends of the axis; `open` may refuse one by CodecUnavailableError, which names what is missing."""
    source = subject.small()
    for name, value in _choices(subject.info.Options):
        values = {**subject.options.model_dump(), name: value}
        options = subject.info.parse_options(values)
        axis = subject.info.axis(options)
        with contextlib.ExitStack() as stack:
            try:
                codec = stack.enter_context(subject.opened(options))
            except CodecUnavailableError:
                continue
            middle = axis.values[len(axis.values) // 2] if axis else None
            for quality in dict.fromkeys((middle, *subject.ends(options))):
                data = codec.encode(source, quality)
                same_kind(subject, source, codec.decode(data), f"with {name}={value} at quality {quality}")


def _choices(model: type[OptionsModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is Literal:
            yield from ((name, value) for value in get_args(field.annotation))
        elif field.annotation is bool:
            yield from ((name, False), (name, True))
        elif field.annotation in (int, float):
            bounds = [getattr(rule, end) for rule in field.metadata for end in ("ge", "le") if hasattr(rule, end)]
            yield from ((name, bound) for bound in bounds)


def _identity(subject: CodecSubject) -> None:
    first, second = (subject.info.identity(subject.options) for _ in range(2))
    if not isinstance(first, str) or not first.strip() or "\n" in first:
        subject.breach(f"identity must be one line of text, got {first!r}")
    if first != second:
        subject.breach(f"identity changes from call to call: {first!r}, then {second!r}")


def _axis(subject: CodecSubject) -> None:
    axis = subject.info.axis(subject.options)
    if (axis is None) != subject.info.capabilities.lossless:
        subject.breach("a codec has either capabilities.lossless or a quality axis, never both and never neither")
    if axis is None:
        return
    source = subject.photograph()
    with subject.opened() as codec:
        streams = [codec.encode(source, value) for value in axis.values]
        errors = [mse(source, codec.decode(streams[index])) for index in (0, -1)]
    for (value, data), (following, longer) in pairwise(zip(axis.values, streams, strict=True)):
        if len(data) >= len(longer):
            subject.breach(f"sizes must rise along the axis, but {axis.name} {value:g} gives {len(data)} bytes and "
                           f"{following:g} gives {len(longer)} on a photograph")
    if errors[0] < errors[1]:
        subject.breach(f"more bytes must not look worse, but the mean squared error is {errors[0]:g} at {axis.name} "
                       f"{axis.values[0]:g}, {errors[1]:g} at {axis.values[-1]:g}")
    top = peak(source)
    if errors[1] > top * top / 100:  # 20 dB: channels swapped, picture shifted or turned
        subject.breach(f"at {axis.name} {axis.values[-1]:g} a photograph comes back below 20 dB; "
                       "are channels or axes swapped?")


def _axis_ends(subject: CodecSubject) -> None:
    """Both ends of the axis, and a lossless codec, encode a photograph and flat pictures; noise and strips may be
    refused with a reason."""
    height, width = subject.at_least(63, 65)
    least = subject.info.capabilities.min_size
    with subject.opened() as codec:
        for quality in subject.ends(subject.options):
            for channels, bits in subject.accepted(codec):
                flat = np.full_like(picture(height, width, channels, bits), 1 << (bits - 1))
                if channels == 4:
                    flat[0, 0, 3] = 0  # nowhere opaque, as `picture`
                for name, pixels, due in (
                    ("photograph", picture(height, width, channels, bits), True),
                    ("flat picture", flat, True),
                    ("noise", noise(height, width, channels, bits), False),
                    ("noise one row high", noise(least, width, channels, bits), False),
                    ("noise one column wide", noise(height, least, channels, bits), False),
                ):
                    what = f"{KIND[channels]} {bits}-bit {name}" + ("" if quality is None else f" at {quality:g}")
                    if not attempt_at(subject, codec, pixels, quality, what) and due:
                        subject.breach(f"{what}, an end of its axis, was refused; declare no more than it encodes")


def _round_trip(subject: CodecSubject) -> None:
    with subject.opened() as codec:
        for channels, bits in subject.kinds:
            for height, width in AWKWARD_SIZES:
                name = f"a {KIND[channels]} {bits}-bit {width}x{height} picture"
                attempt(subject, codec, picture(height, width, channels, bits), name)
        for name, pixels in subject.images.items():
            attempt(subject, codec, check(pixels, name), name)


def _declared_kinds(subject: CodecSubject) -> None:
    taken = []
    size = subject.at_least(63, 65)
    with subject.opened() as codec:
        for channels, bits in subject.kinds:
            if attempt(subject, codec, picture(*size, channels, bits), f"a {KIND[channels]} {bits}-bit picture"):
                taken.append((channels, bits))
    for place, declared, unit in ((0, subject.info.capabilities.channels, "channels"),
                                  (1, subject.info.capabilities.bit_depths, "bits")):
        for value in sorted(declared - {kind[place] for kind in taken}):
            subject.breach(f"it declares {value} {unit} but refuses every such picture")


def _undeclared_kinds(subject: CodecSubject) -> None:
    """A picture that is not declared is refused by the capabilities or by the codec, or comes back in the same kind."""
    size = subject.at_least(63, 65)
    with subject.opened() as codec:
        for channels, bits in ((c, b) for c in KIND for b in (8, 16) if (c, b) not in subject.kinds):
            name = f"an undeclared {KIND[channels]} {bits}-bit picture"
            attempt(subject, codec, picture(*size, channels, bits), name)


def _tempting_pictures(subject: CodecSubject) -> None:
    """Pictures that libraries often return as another kind."""
    height, width = subject.at_least(15, 17)
    with subject.opened() as codec:
        for channels, bits in subject.kinds:
            pixels = picture(height, width, channels, bits).copy()
            top = peak(pixels)
            if channels == 3:
                pixels[:] = pixels[:, :, :1]
                attempt(subject, codec, pixels, "an RGB picture without colour")
            if channels == 4:
                for alpha, name in ((top, "opaque"), (0, "transparent")):
                    pixels[:, :, 3] = alpha
                    attempt(subject, codec, pixels, f"an RGBA picture that is {name} everywhere")
            for value, name in ((0, "black"), (top, "white")):
                pixels[:] = value
                attempt(subject, codec, pixels, f"a {KIND[channels]} picture that is {name} everywhere")
            attempt(subject, codec, noise(height, width, channels, bits), f"{KIND[channels]} noise")


def _deterministic(subject: CodecSubject) -> None:
    if not subject.info.capabilities.deterministic:
        return
    source = subject.small()
    other = np.ascontiguousarray(source[::-1])
    with subject.opened() as codec:
        first = codec.encode(source, subject.quality)
        codec.encode(other, subject.quality)
        second = codec.encode(source, subject.quality)
    with subject.opened() as codec:
        third = codec.encode(source, subject.quality)
    if first != second:
        subject.breach("one picture encoded twice gives different bytes though deterministic is declared")
    if first != third:
        subject.breach("a newly opened codec gives different bytes though deterministic is declared")


def _fresh_decoder(subject: CodecSubject) -> None:
    source = subject.small()
    with subject.opened() as codec:
        data = codec.encode(source, subject.quality)
        ours = codec.decode(data)
    with subject.opened() as codec:
        theirs = codec.decode(data)
    agree(subject, ours, theirs, "a newly opened codec decodes a stream to other pixels than the one that wrote it")


def _input_untouched(subject: CodecSubject) -> None:
    source = subject.small().copy()
    before = source.copy()
    with subject.opened() as codec:
        data = codec.encode(source, subject.quality)
        if not isinstance(data, bytes):
            subject.breach(f"encode must return bytes, got {type(data).__name__}")
        if not np.array_equal(source, before):
            subject.breach("encode changed the picture that it was given")
        source.setflags(write=False)
        codec.encode(source, subject.quality)


def _batch(subject: CodecSubject) -> None:
    source = subject.small()
    pictures = [source, np.ascontiguousarray(source[::-1]), np.ascontiguousarray(source[:, ::-1])]
    with subject.opened() as codec:
        streams = [codec.encode(pixels, subject.quality) for pixels in pictures]
        if codec.encode_batch(pictures, subject.quality) != streams:
            subject.breach("encode_batch gives other bytes than encode for each picture")
        decoded = [codec.decode(data) for data in streams]
        together = codec.decode_batch(streams)
    if len(together) != len(decoded):
        subject.breach(f"decode_batch gave {len(together)} pictures for {len(decoded)} streams")
    for one, other in zip(decoded, together, strict=True):
        agree(subject, one, other, "decode_batch gives other pixels than decode for each stream")


def _damage(subject: CodecSubject) -> None:
    """Damaged bytes raise CorruptBitstream or decode to some picture; foreign and empty bytes must be refused."""
    source = subject.small()
    with subject.opened() as codec:
        data = codec.encode(source, subject.quality)
        before = codec.decode(data)
        for name, foreign in (("empty bytes", b""), ("a text", b"no stream of any codec\n" * 20),
                              ("zeros", bytes(400)), ("the bytes 0 to 255", bytes(range(256)))):
            if survives(subject, codec, foreign, name):
                subject.breach(f"decode accepts {name}; raise CorruptBitstream for what is no stream of this codec")
        for kept in sorted({1, 2, 8, 16, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}):
            if 0 < kept < len(data):
                survives(subject, codec, data[:kept], f"a stream cut to {kept} of {len(data)} bytes")
        rng = np.random.default_rng(3)
        for place in (*range(min(24, len(data))), *(int(place) for place in rng.integers(0, len(data), 24))):
            bit = int(rng.integers(8))
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            survives(subject, codec, bytes(flipped), f"a stream with bit {bit} of byte {place} flipped")
        agree(subject, before, codec.decode(data), "after damaged streams, a sound one decodes to other pixels")


_CHECKS: tuple[Callable[[CodecSubject], None], ...] = (
    _names, _pickle, _options, _identity, _axis, _axis_ends, _declared_kinds, _undeclared_kinds, _round_trip,
    _tempting_pictures, _option_choices, _deterministic, _fresh_decoder, _input_untouched, _batch, _damage,
)  # fmt: skip
