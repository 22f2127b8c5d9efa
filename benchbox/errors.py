"""Every error that benchbox raises on purpose. Each message names the thing and the remedy in one line.

::

    BenchboxError                     exit code 1
    ├── UsageError                    exit code 2: the request is wrong, nothing was done
    │   ├── PlanError                 a plan file or flag: place, problem, "did you mean"
    │   ├── UnknownIdError            no codec, metric, data set or report has that id
    │   ├── OptionError               a codec option: unknown, or its value refused
    │   └── QualityError              a quality outside the codec's axis
    ├── ImageError                    a picture file
    │   ├── CorruptImageError         truncated, empty, or not a picture
    │   └── UnsupportedImageError     sound, but of an unsupported kind (CMYK, animation, 32-bit ...);
    │                                 also raised by a codec that does not support a picture
    ├── CodecError                    a codec failed
    │   ├── CorruptBitstream          the bytes are not a whole stream of this codec
    │   └── CodecUnavailableError     its library is missing; names the command that installs it
    ├── NotApplicable                 a metric has no value here (stored as null with the reason)
    ├── DatasetError                  a data set is missing or broken
    │   └── ChecksumError             a file or picture is not the one the manifest names
    ├── PluginError                   a plugin could not be loaded or breaks its contract
    ├── StoreError                    the results database or its folder
    ├── RunEndedError                 a cluster's worker is asked to go on with a run that has ended
    └── RunInterrupted                Ctrl-C; says how to continue
"""

from __future__ import annotations

import difflib
import re
import unicodedata
from collections.abc import Iterable


class BenchboxError(Exception):
    """Base of all errors raised on purpose; ``str(error)`` is one line for the user."""

    exit_code = 1

    def __str__(self) -> str:
        # A file name that is not valid UTF-8 (PEP 383) must not break the terminal or the store that gets the message.
        return super().__str__().encode("utf-8", "backslashreplace").decode("utf-8")


class UsageError(BenchboxError):
    """The request is wrong; nothing was done."""

    exit_code = 2


class PlanError(UsageError):
    """A plan file or a flag is wrong; the message names the place."""


class UnknownIdError(UsageError):
    """No codec, metric, data set or report has that id."""


class OptionError(UsageError):
    """An option is unknown or its value is refused."""


class QualityError(UsageError):
    """A quality is outside the codec's axis, or a lossless codec was given one."""


class ImageError(BenchboxError):
    """A picture file cannot be used."""


class CorruptImageError(ImageError):
    """The file is truncated, empty, damaged or not a picture."""


class UnsupportedImageError(ImageError):
    """The picture is sound but of a kind that the reader or the codec does not support."""


class CodecError(BenchboxError):
    """A codec failed on a picture."""


class CorruptBitstream(CodecError):  # noqa: N818 - the field says "corrupt bitstream"
    """The bytes are not a whole stream of this codec."""


class CodecUnavailableError(CodecError):
    """The library behind a codec is missing."""


class NotApplicable(BenchboxError):  # noqa: N818 - a statement, not a failure
    """A metric has no value for this pair of pictures; stored as null with this reason."""


class DatasetError(BenchboxError):
    """A data set is missing or broken."""


class ChecksumError(DatasetError):
    """A file or picture is not the one its manifest names."""


class PluginError(BenchboxError):
    """A plugin could not be loaded or breaks its contract."""


class StoreError(BenchboxError):
    """The results database or its folder cannot be used."""


class RunEndedError(BenchboxError):
    """A cluster's worker is asked to go on with a run that is over, or whose client is gone."""

    def __init__(self) -> None:
        super().__init__("the run is over, or its client is gone")


class RunInterrupted(BenchboxError):  # noqa: N818 - the user's wish, not a failure
    """The user stopped the run; the message says how to continue."""

    exit_code = 130


def one_line(text: object, longest: int = 500) -> str:
    """`text` as one printable line of at most `longest` characters: what others wrote may hold anything.

    Line ends and control characters become spaces, surrogates (bytes that were no UTF-8) become ``?``.
    """
    # str() of a third party's exception may fail too; and only the beginning of 50 MB is looked at
    try:
        head = str(text)[: 4 * longest]
    except Exception:
        head = f"{type(text).__name__} without a readable message"
    printable = "".join(c if c.isprintable() else "?" if "\ud800" <= c <= "\udfff" else " " for c in head)
    line = " ".join(printable.split())
    return line if len(line) <= longest else line[: longest - 1] + "…"


_CONTROLS, _SURROGATES = re.compile("[\\x00-\\x1f\\x7f-\\x9f]"), re.compile("[\\ud800-\\udfff]")


def without_controls(text: str) -> str:
    """`text` of others as it can be stored and shown: control characters become spaces, surrogates ``?``; what holds
    none, as every name that benchbox stores, stays as it is."""
    return _SURROGATES.sub("?", _CONTROLS.sub(" ", text))


_INVISIBLE = re.compile("[\\u034f\\u115f\\u1160\\u17b4\\u17b5\\u180b-\\u180f\\u3164\\ufe00-\\ufe0f\\uffa0"
                        "\\U000e0100-\\U000e01ef]")  # fmt: skip
"""Fillers and selectors of forms, which Unicode counts among letters and marks."""


def plain_name(text: str) -> str:
    """A name as it is kept, so that names that look alike are alike: in Unicode's form NFC, without invisible
    characters, with single spaces for blanks of any width, and with none at its ends."""
    seen = "".join(c for c in _INVISIBLE.sub("", text) if unicodedata.category(c) != "Cf")
    return " ".join(unicodedata.normalize("NFC", seen).split())


def did_you_mean(word: str, known: Iterable[str]) -> str:
    """``"; did you mean 'jpeg'?"`` for the closest of `known`, else ``""``."""
    close = difflib.get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean '{close[0]}'?" if close else ""
