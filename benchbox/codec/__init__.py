"""Codecs: what a plugin author implements, and the options and facts that belong to it."""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from types import NoneType
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from benchbox.codec.capabilities import Capabilities, QualityAxis
from benchbox.codec.file_options import FileOption, anchored_options, options_by_content, shown_options
from benchbox.errors import (
    CodecUnavailableError,
    OptionError,
    QualityError,
    UnsupportedImageError,
    did_you_mean,
    one_line,
)
from benchbox.guard import breach
from benchbox.image import Image
from benchbox.mistakes import wrongly_made
from benchbox.stated import Stated, stated
from benchbox.values import boolean_as_number, wrong

__all__ = ["Capabilities", "CheckedCodec", "Codec", "CodecInfo", "FileOption", "OptionsModel", "QualityAxis",
           "anchored_options", "options_by_content", "options_json", "validated_options"]  # fmt: skip


class OptionsModel(BaseModel):
    """Base class of a codec's options: immutable; unknown names are refused. A codec without options uses it as is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Codec(ABC):
    """An opened codec. Its contract: pixels in, bytes out; bytes in, pixels out.

    - `encode` returns the whole stream as one byte string. The rate is computed from its length, so headers count.
    - `decode` gets those bytes and nothing else: no settings, no side channel.
    - Both return data in the host's memory (bytes, numpy arrays), so neither can return before its device has finished.
    - `decode` gives back the height, width, channel count and dtype that `encode` got; a picture for which this cannot
      be done is refused with UnsupportedImageError, never flattened or converted.
    - A Codec object lives in one worker process and is used by one thread at a time.
    """

    @abstractmethod
    def encode(self, image: Image, quality: float | None) -> bytes:
        """Encode one picture.

        Args:
            image: (H, W, C) uint8 or uint16 under the pixel contract.
            quality: a quality on the codec's axis; None for a lossless codec.

        Raises:
            UnsupportedImageError: the codec cannot encode this picture; the message says why.
            QualityError: `quality` does not lie on the axis.
        """

    @abstractmethod
    def decode(self, data: bytes) -> Image:
        """Decode a stream of `encode` to (H, W, C) of the encoded picture's shape and dtype: a new, writeable array.

        Raises:
            CorruptBitstream: `data` is not a whole stream of this codec.
        """

    def encode_batch(self, images: Sequence[Image], quality: float | None) -> list[bytes]:
        """Encode several pictures, to the same bytes as `encode` one by one. Used in timing plans only."""
        return [self.encode(image, quality) for image in images]

    def decode_batch(self, streams: Sequence[bytes]) -> list[Image]:
        """Decode several streams. Used in timing plans only."""
        return [self.decode(data) for data in streams]

    def close(self) -> None:
        """Release what the codec holds (processes, device memory). Called once, as the last call."""
        return


class CheckedCodec(Codec):
    """A codec whose `encode` checks the quality and the picture before `compress` sees them.

    A subclass implements `compress` and `decode`. `CodecInfo.open` makes it from these arguments.

    Args:
        info: the codec that it opens; raises CodecUnavailableError if it is unavailable here.
        options: its validated options.
        device: "cpu", "cuda" or "cuda:1".
    """

    def __init__(self, info: CodecInfo, options: Any, device: str = "cpu") -> None:
        info.require(options)
        self.info = info
        self.options = options
        self.device = device
        self.axis = info.axis(options)

    def encode(self, image: Image, quality: float | None) -> bytes:
        value = _checked_quality(self.axis, quality, self.info.id)
        reason = self.refusal(image, value)
        if reason is not None:
            raise UnsupportedImageError(f"{self.info.id}: {reason}")
        return self.compress(image, value)

    def refusal(self, image: Image, quality: float) -> str | None:
        """The reason why this picture is refused at this quality, or None; by default that of the capabilities."""
        return self.info.capabilities.refusal(image)

    @abstractmethod
    def compress(self, image: Image, quality: float) -> bytes:
        """Encode a picture that was not refused, at a quality on the axis; `quality` is 0 for a lossless codec."""


@dataclass(frozen=True)
class CodecInfo(Stated, ABC):
    """The facts about a codec that need no opening; plugins subclass it and list instances in their hook.

    Each attribute is an argument, or is written on the subclass (``id = "toy"``); an argument goes before that.

    Attributes:
        id: lower-case, stable, unique among all plugins, e.g. ``"jpeg"``.
        title: the name in legends and tables, e.g. ``"JPEG (libjpeg-turbo)"``.
        Options: the options model; its fields carry defaults, bounds and descriptions. By default no options.
        capabilities: the pictures that the codec accepts, and its promises. By default `Capabilities()`.
        suffix: the suffix of files that hold its streams, e.g. ``".jpg"``; `benchbox decode` finds the codec by it, or
            where that is "" by its id, as ``".toy"``.
        quality: the quality axis; None for a lossless codec, or where `axis` is overridden.
        codec_class: what `open` calls as ``codec_class(info, options, device)``, e.g. a subclass of `CheckedCodec`;
            None where `open` is overridden.
    """

    id: str = stated(str)
    title: str = stated(str)
    Options: type[OptionsModel] = stated(type, default=OptionsModel)
    capabilities: Capabilities = stated(Capabilities, default=Capabilities())
    suffix: str = stated(str, default="")
    quality: QualityAxis | None = stated(QualityAxis, NoneType, default=None)
    codec_class: Callable[[CodecInfo, Any, str], Codec] | None = stated(default=None)

    _stated_as = {"axis": "quality", "open": "codec_class"}  # noqa: RUF012 (a ClassVar of Stated)

    @abstractmethod
    def identity(self, options: Any) -> str:
        """All that the bytes depend on besides options and quality: the plugin, the real versions of its libraries,
        the digest of every file that the options name. One line, e.g. ``"benchbox_pillow 1 libjpeg-turbo 3.2.0"``."""

    def axis(self, options: Any) -> QualityAxis | None:
        """The quality axis under these options; None for a lossless codec. Override it if it depends on them."""
        return self.quality

    def open(self, options: Any, device: str) -> Codec:
        """Open the codec with validated `options` on `device` ("cpu", "cuda", "cuda:1"), with one thread unless an
        option says otherwise. Override it if the class takes other arguments or its import is slow."""
        if self.codec_class is None:
            raise breach(self.open, f"class {type(self).__name__} has no codec_class; set it or override open", self.id)
        wrong = wrongly_made(self.codec_class, self, options, device)
        if wrong is not None:
            raise breach(self.open, wrong[0], self.id, at=wrong[1])
        return self.codec_class(self, options, device)

    def unavailable(self) -> str | None:
        """None if the codec can be opened here; else the reason, with the command that installs what is missing."""
        return None

    def renamed_for(self, reason: str) -> CodecInfo | None:
        """This codec under another id, unavailable for `reason`, to be listed where another plugin offers its id too.
        None, the default, makes the clash an error."""
        return None

    def parse_options(self, values: Mapping[str, Any]) -> OptionsModel:
        """Validate option names and values (strings from a command line are converted). Raises OptionError, which names
        the codec, the option, the problem and the choices."""
        return validated_options(self.Options, values, self.id)

    def label(self, options: OptionsModel) -> str:
        """The id, and the options that differ from their defaults: ``"webp method=6"``; files by name and digest."""
        given = shown_options(options)
        return " ".join([self.id, *(f"{key}={_short(value)}" for key, value in given.items())])

    def require(self, options: Any = None) -> None:
        """Raise CodecUnavailableError with reason and remedy if the codec cannot be opened here with these `options`,
        which may name a file that is otherwise missing."""
        reason = self.unavailable()
        if reason is not None:
            raise CodecUnavailableError(f"{self.id}: {reason}")


def validated_options(model: type[OptionsModel], values: Mapping[str, Any], owner: str) -> OptionsModel:
    """The options of the codec or report `owner` from `values`; raises OptionError like `CodecInfo.parse_options`."""
    known = model.model_fields
    for name in values:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it takes {', '.join(known) or 'no options'}"
            raise OptionError(f"{owner}: unknown option '{name}'{hint}")
    try:
        options = model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "options"
        given = "" if first["type"] == "missing" else f"={one_line(repr(first['input']), 200)}"
        raise OptionError(f"{owner}: option {where}{given}: {wrong(first, got=False)}") from error
    if (place := boolean_as_number(values, options)) is not None:
        raise OptionError(f"{owner}: option {place}: must be a number, not true or false")
    return options


def _checked_quality(axis: QualityAxis | None, quality: float | None, codec: str) -> float:
    """`quality` if it lies on `axis`, 0 if there is no axis and no quality; else QualityError, which names `codec`."""
    if axis is None:
        if quality is not None:
            raise QualityError(f"{codec}: a lossless codec takes no quality, got {quality:g}")
        return 0.0
    if quality is None:
        raise QualityError(f"{codec}: needs a {axis.name} of {axis.minimum:g} to {axis.maximum:g}")
    return axis.check(quality, codec)


def options_json(options: OptionsModel) -> str:
    """All options, defaults included, as canonical JSON; the key of an encoding is made from it."""
    return json.dumps(options.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
