"""The rules for single calls of a codec: types, what they leave behind, and that the stream holds everything."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from benchbox.codec import Codec
from benchbox.errors import CodecUnavailableError, UnsupportedImageError
from benchbox.testing.check import NotTriedError
from benchbox.testing.subject import CodecSubject, agree, attempt, same_kind

_METHODS = {"encode": "image quality", "compress": "image quality", "decode": "data",
            "encode_batch": "images quality", "decode_batch": "streams", "close": ""}  # fmt: skip
_IN_STREAM = "decode needs what encode left on self; everything must be in the stream"


def opens(subject: CodecSubject) -> None:
    """`open` gives a Codec whose methods take what they are given, and it can be closed."""
    try:
        codec: Any = subject.info.open(subject.options, subject.device)
    except CodecUnavailableError as error:
        subject.breach(f"open says that it is unavailable ({error}), `unavailable` does not; give the reason there",
                       at=subject.info.unavailable)
    except Exception as error:
        subject.raised("open", error, "where it cannot be opened, return from `unavailable` the reason and the remedy")
    if not isinstance(codec, Codec):
        subject.breach(f"open gave a {type(codec).__name__}, which is no benchbox.Codec; derive the class from Codec",
                       at=subject.info.open if codec is None else type(codec))
    for name, arguments in _METHODS.items():
        if hasattr(codec, name):
            subject.check_arguments(getattr(codec, name), *arguments.split())
    try:
        codec.close()
    except Exception as error:
        subject.raised("close", error, "close must release what the codec holds and raise nothing")


def types(subject: CodecSubject) -> None:
    """`encode` gives bytes and `decode` a picture of the kind that was encoded."""
    reason = ""
    with subject.opened() as codec:
        for pixels in subject.candidates():
            try:
                codec.encode(pixels.copy(), subject.quality)  # a faulty one writes into it
            except UnsupportedImageError as error:
                reason = str(error)
                continue
            except Exception:  # said by `attempt`, which tries it again
                pass
            height, width, channels = pixels.shape
            attempt(subject, codec, pixels, f"a {width}x{height} picture of {channels} channels")
            return
    subject.breach(f"it refuses every picture that its capabilities declare ({reason}); declare no more than it "
                   "encodes", at=codec.encode)


def input_untouched(subject: CodecSubject) -> None:
    """`encode` leaves its picture as it was, writeable or not; torch and C code write past the read-only flag."""
    for writeable in (True, False):
        source = subject.small().copy()
        before = source.copy()
        source.setflags(write=writeable)
        with subject.opened() as codec:
            data = codec.encode(source, subject.quality)
            if not np.array_equal(source, before) or source.flags.writeable != writeable:
                subject.breach("encode changed the picture that it was given; let it work on a copy", at=codec.encode)
            kept = bytes(bytearray(data))
            codec.decode(data)
            if kept != data:
                subject.breach("decode changed the bytes that it was given; let it work on a copy", at=codec.decode)


def own_array(subject: CodecSubject) -> None:
    """`decode` gives an array of its own: writeable, and left alone by later calls."""
    source = subject.small()
    with subject.opened() as codec:
        data, turned = (codec.encode(pixels, subject.quality) for pixels in (source, source[::-1].copy()))
        first = codec.decode(data)
        if not first.flags.writeable:
            subject.breach("decode gave a read-only array; return one of its own, as array.copy()", at=codec.decode)
        before = first.copy()
        codec.decode(turned)
        if not np.array_equal(before, first):
            subject.breach("decode changed the picture that it gave before; return a new array each time",
                           at=codec.decode)


def fresh_decoder(subject: CodecSubject) -> None:
    """A newly opened codec decodes a stream to the picture that the one that wrote it does."""
    source = subject.small()
    with subject.opened() as codec:
        data = codec.encode(source, subject.quality)
        ours = codec.decode(data)
    with subject.opened() as codec:
        try:
            theirs = codec.decode(data)
        except Exception as error:
            subject.raised(f"{_IN_STREAM}: in a newly opened codec it", error, "put it there", bugs=())
    if ours.shape != theirs.shape:
        same_kind(subject, codec, ours, theirs, "a stream of another instance")
    agree(subject, codec, ours, theirs,
          "a newly opened codec decodes a stream to other pixels than the one that wrote it")


def deterministic(subject: CodecSubject) -> None:
    """One picture gives the same bytes each time, after other pictures and from a newly opened codec."""
    if not subject.info.capabilities.deterministic:
        raise NotTriedError("deterministic=False is declared")
    source = subject.small()
    other = np.ascontiguousarray(source[::-1])
    with subject.opened() as codec:
        first, following = (codec.encode(source, subject.quality) for _ in range(2))
        codec.encode(other, subject.quality)
        after = codec.encode(source, subject.quality)
    with subject.opened() as codec:
        fresh = codec.encode(source, subject.quality)
    remedy = "though deterministic is declared; keep no state between calls, or declare deterministic=False"
    for data, when in ((following, "encoded twice"), (after, "encoded after another one"),
                       (fresh, "encoded by a newly opened codec")):
        if data != first:
            subject.breach(f"one picture {when} gives different bytes {remedy}", at=codec.encode)


def other_process(subject: CodecSubject) -> None:
    """A process that loads the plugin anew decodes the streams of another one, in another order and without the files
    that encoding wrote, to the same pictures, and encodes each alone to the bytes that it had after others."""
    folder = Path(subject.own_scene().folder)
    streams = sorted(folder.glob("*.stream"), reverse=True)
    if not streams:
        raise NotTriedError("no stream was encoded that another process could decode")
    remedy = "keep nothing outside the stream: not on self, in a module, a file or the environment"
    for stream in streams:
        theirs = np.load(stream.with_suffix(".npy"))
        with subject.opened() as codec:
            try:
                ours = codec.decode(stream.read_bytes())
            except Exception as error:
                subject.raised("given a stream that another process encoded, decode", error, remedy, bugs=())
            agree(subject, codec, theirs, ours, "a stream of another process decodes to other pixels")
    if subject.info.capabilities.deterministic:
        pixels = subject.views()[-1]
        with subject.opened() as codec:
            if codec.encode(pixels, subject.quality) != streams[0].read_bytes():
                subject.breach("a picture encoded in a new process gives other bytes than after other pictures; keep "
                               "no state between calls, or declare deterministic=False", at=codec.encode)


def batch(subject: CodecSubject) -> None:
    """The batch methods give what the single ones give."""
    source = subject.small()
    pictures = [source, np.ascontiguousarray(source[::-1]), np.ascontiguousarray(source[:, ::-1])]
    with subject.opened() as codec:
        streams = [codec.encode(pixels, subject.quality) for pixels in pictures]
        together = codec.encode_batch(pictures, subject.quality)
        if len(together) != len(pictures) or (subject.info.capabilities.deterministic and together != streams):
            subject.breach("encode_batch gives other bytes than encode for each picture; make them the same",
                           at=codec.encode_batch)
        decoded = [codec.decode(data) for data in streams]
        again = codec.decode_batch(streams)
    if len(again) != len(decoded):
        subject.breach(f"decode_batch gave {len(again)} pictures for {len(decoded)} streams; give one for each",
                       at=codec.decode_batch)
    for one, other in zip(decoded, again, strict=True):
        agree(subject, codec, one, other, "decode_batch gives other pixels than decode for each stream")
