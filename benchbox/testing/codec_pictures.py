"""The rules for many pictures: sizes, kinds, noise, both ends of the axis and of every option, damaged streams."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from itertools import pairwise
from typing import Any, Literal, get_args, get_origin

import numpy as np

from benchbox.codec import OptionsModel
from benchbox.errors import CodecUnavailableError
from benchbox.image import check, peak
from benchbox.testing.check import NotTriedError
from benchbox.testing.pictures import AWKWARD_SIZES, noise, picture
from benchbox.testing.subject import KIND, CodecSubject, agree, attempt, attempt_at, mse, survives


def axis(subject: CodecSubject) -> None:
    """Sizes rise along the axis, and the last value looks better than the first and like the picture."""
    axis = subject.info.axis(subject.options)
    if axis is None:
        raise NotTriedError("a lossless codec has no axis")
    source = subject.photograph()
    with subject.opened() as codec:
        streams = [codec.encode(source, value) for value in axis.values]
        errors = [mse(source, codec.decode(streams[index])) for index in (0, -1)]
    for (value, data), (following, longer) in pairwise(zip(axis.values, streams, strict=True)):
        if len(data) >= len(longer):
            subject.breach(f"sizes must rise along the axis, but {axis.name} {value:g} gives {len(data)} bytes and "
                           f"{following:g} gives {len(longer)} on a photograph; order its values by size",
                           at=codec.encode)
    if errors[0] < errors[1]:
        subject.breach(f"more bytes must not look worse, but the mean squared error is {errors[0]:g} at {axis.name} "
                       f"{axis.values[0]:g}, {errors[1]:g} at {axis.values[-1]:g}; order its values by size",
                       at=codec.decode)
    top = peak(source)
    if errors[1] > top * top / 100:  # 20 dB: channels swapped, picture shifted or turned
        subject.breach(f"at {axis.name} {axis.values[-1]:g} a photograph comes back below 20 dB; "
                       "are channels or axes swapped?", at=codec.decode)


def axis_ends(subject: CodecSubject) -> None:
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
                        subject.breach(f"{what}, an end of its axis, was refused; declare no more than it encodes",
                                       at=codec.encode)


def round_trip(subject: CodecSubject) -> None:
    """Pictures of awkward sizes, in every declared kind, and the author's own come back as they went in."""
    with subject.opened() as codec:
        for channels, bits in subject.kinds:
            for height, width in AWKWARD_SIZES:
                name = f"a {KIND[channels]} {bits}-bit {width}x{height} picture"
                attempt(subject, codec, picture(height, width, channels, bits), name)
        for name, pixels in subject.images.items():
            attempt(subject, codec, check(pixels, name), name)


def declared_kinds(subject: CodecSubject) -> None:
    """Some picture of every declared channel count and bit depth is encoded."""
    taken = []
    size = subject.at_least(63, 65)
    with subject.opened() as codec:
        for channels, bits in subject.kinds:
            if attempt(subject, codec, picture(*size, channels, bits), f"a {KIND[channels]} {bits}-bit picture"):
                taken.append((channels, bits))
    for place, declared, unit in ((0, subject.info.capabilities.channels, "channels"),
                                  (1, subject.info.capabilities.bit_depths, "bits")):
        for value in sorted(declared - {kind[place] for kind in taken}):
            subject.breach(f"it declares {value} {unit} but refuses every such picture; declare no more than it "
                           "encodes", at=codec.encode)


def undeclared_kinds(subject: CodecSubject) -> None:
    """A picture that is not declared is refused by the capabilities or by the codec, or comes back in the same kind."""
    size = subject.at_least(63, 65)
    with subject.opened() as codec:
        for channels, bits in ((c, b) for c in KIND for b in (8, 16) if (c, b) not in subject.kinds):
            name = f"an undeclared {KIND[channels]} {bits}-bit picture"
            attempt(subject, codec, picture(*size, channels, bits), name)


def tempting_pictures(subject: CodecSubject) -> None:
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


def option_choices(subject: CodecSubject) -> None:
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
                what = f"with {name}={value} at quality {quality} a picture"
                if not attempt_at(subject, codec, source, quality, what):
                    subject.breach(f"{what} was refused that it accepts with other options; declare no value of an "
                                   "option that cannot be encoded", at=codec.encode)


def _choices(model: type[OptionsModel]) -> Iterator[tuple[str, Any]]:
    for name, field in model.model_fields.items():
        if get_origin(field.annotation) is Literal:
            yield from ((name, value) for value in get_args(field.annotation))
        elif field.annotation is bool:
            yield from ((name, False), (name, True))
        elif field.annotation in (int, float):
            bounds = [getattr(rule, end) for rule in field.metadata for end in ("ge", "le") if hasattr(rule, end)]
            yield from ((name, bound) for bound in bounds)


def damage(subject: CodecSubject) -> None:
    """Damaged bytes raise CorruptBitstream or decode to some picture; foreign and empty bytes must be refused."""
    source = subject.small()
    with subject.opened() as codec:
        data = codec.encode(source, subject.quality)
        before = codec.decode(data)
        for name, foreign in (("empty bytes", b""), ("a text", b"no stream of any codec\n" * 20),
                              ("zeros", bytes(400)), ("the bytes 0 to 255", bytes(range(256)))):
            if survives(subject, codec, foreign, name):
                subject.breach(f"decode accepts {name}; raise CorruptBitstream for what is no stream of this codec",
                               at=codec.decode)
        for kept in sorted({1, 2, 8, 16, len(data) // 3, len(data) // 2, len(data) - 2, len(data) - 1}):
            if 0 < kept < len(data):
                survives(subject, codec, data[:kept], f"a stream cut to {kept} of {len(data)} bytes")
        rng = np.random.default_rng(3)
        for place in (*range(min(24, len(data))), *(int(place) for place in rng.integers(0, len(data), 24))):
            bit = int(rng.integers(8))
            flipped = bytearray(data)
            flipped[place] ^= 1 << bit
            survives(subject, codec, bytes(flipped), f"a stream with bit {bit} of byte {place} flipped")
        agree(subject, codec, before, codec.decode(data), "after damaged streams, a sound one decodes to other pixels")
