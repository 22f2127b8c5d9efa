"""What a codec is to benchbox: pixels in, bytes out; bytes in, pixels out.

The contract:

- `Codec.encode` returns the whole stream as one byte string. The rate is computed from its length, so headers count.
- `Codec.decode` gets those bytes and nothing else: no settings, no side channel.
- Both return host data (bytes, numpy arrays), so neither can return before its device has finished.
- `decode` gives back the height, width, channel count and dtype that `encode` got; a picture for which this cannot be
  done is declined with UnsupportedImageError, never flattened or converted.
- A Codec object lives in one worker process and is used by one thread at a time.
"""

from __future__ import annotations

import json
import math
from abc import ABC, abstractmethod
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from pydantic import BaseModel, ConfigDict, ValidationError

from benchbox.errors import CodecUnavailableError, OptionError, QualityError, did_you_mean
from benchbox.image import Image


class OptionsModel(BaseModel):
    """Base of a codec's options: immutable, unknown names refused. A codec without options uses it as it is."""

    model_config = ConfigDict(frozen=True, extra="forbid")


@dataclass(frozen=True)
class QualityAxis:
    """The one setting a sweep varies.

    Args:
        name: what the library calls it, e.g. ``"quality"`` or ``"distance"``.
        values: the default sweep, in order of rising size of the stream (strictly).
        minimum, maximum: the bounds the library takes; any quality between them may be asked for.
        unit: of the values, e.g. ``"dB"``; ``""`` for a plain number.
        integer: whether only whole numbers are taken.
    """

    name: str
    values: tuple[float, ...]
    minimum: float
    maximum: float
    unit: str = ""
    integer: bool = False

    def __post_init__(self) -> None:
        if not self.values or not all(self.minimum <= v <= self.maximum for v in self.values):
            raise ValueError(f"quality axis '{self.name}': its values must lie in [{self.minimum}, {self.maximum}]")

    def check(self, quality: float, codec: str) -> float:
        """Return `quality` as a float if the axis takes it, else raise QualityError that names `codec` and bounds."""
        if not math.isfinite(quality) or not self.minimum <= quality <= self.maximum:
            raise QualityError(f"{codec}: {self.name} {quality:g} is out of range; "
                               f"take {self.minimum:g} to {self.maximum:g}")
        if self.integer and quality != int(quality):
            raise QualityError(f"{codec}: {self.name} {quality:g} is not a whole number")
        return float(quality)


@dataclass(frozen=True)
class Capabilities:
    """What a codec takes and promises.

    Args:
        channels: channel counts taken, out of 1 (gray), 3 (RGB), 4 (RGBA).
        bit_depths: 8 and/or 16.
        lossless: every decoded pixel equals its source; checked at every operating point.
        deterministic: the same picture, options and library give the same bytes on every machine of one kind.
        pixel_tolerance: greatest difference, in levels, between decodings of one stream on different devices, thread
            counts or batch sizes. 0 for integer codecs.
        min_size, max_size: bounds of each side in pixels.
        devices: device classes `CodecInfo.open` takes, out of "cpu", "cuda".
    """

    channels: frozenset[int] = frozenset({1, 3})
    bit_depths: frozenset[int] = frozenset({8})
    lossless: bool = False
    deterministic: bool = True
    pixel_tolerance: int = 0
    min_size: int = 1
    max_size: int = 65535
    devices: tuple[str, ...] = ("cpu",)

    def refusal(self, image: Image) -> str | None:
        """Why a picture of this shape and dtype is not taken, or None."""
        height, width, channels = image.shape
        bits = image.dtype.itemsize * 8
        if channels not in self.channels:
            kind = {1: "gray", 3: "RGB", 4: "RGBA"}[channels]
            return f"{kind} pictures are not supported"
        if bits not in self.bit_depths:
            return f"{bits}-bit pictures are not supported"
        if min(height, width) < self.min_size:
            return f"{width}x{height} is smaller than {self.min_size} pixels a side"
        if max(height, width) > self.max_size:
            return f"{width}x{height} is larger than {self.max_size} pixels a side"
        return None


class Codec(ABC):
    """An opened codec. See the module's docstring for the contract."""

    @abstractmethod
    def encode(self, image: Image, quality: float | None) -> bytes:
        """Encode one picture.

        Args:
            image: (H, W, C) uint8 or uint16 under the pixel contract.
            quality: a value of the codec's axis; None for a lossless codec.

        Raises:
            UnsupportedImageError: the picture cannot be taken; the message says why.
        """

    @abstractmethod
    def decode(self, data: bytes) -> Image:
        """Decode a stream of `encode` to (H, W, C) of the encoded picture's shape and dtype.

        Raises:
            CorruptBitstream: `data` is not a whole stream of this codec.
        """

    def encode_batch(self, images: Sequence[Image], quality: float | None) -> list[bytes]:
        """Encode several pictures; the same bytes as `encode` one by one. Used in timing plans only."""
        return [self.encode(image, quality) for image in images]

    def decode_batch(self, streams: Sequence[bytes]) -> list[Image]:
        """Decode several streams. Used in timing plans only."""
        return [self.decode(data) for data in streams]

    def close(self) -> None:
        """Give back what the codec holds (processes, device memory). Called once, last."""
        return


@dataclass(frozen=True)
class CodecInfo(ABC):
    """What is known of a codec without opening it; plugins subclass it and list instances in their hook.

    Attributes:
        id: lower-case, stable, unique among all plugins, e.g. ``"jpeg"``.
        title: for legends and tables, e.g. ``"JPEG (libjpeg-turbo)"``.
        Options: the options model; fields carry defaults, bounds and descriptions.
        capabilities: what the codec takes and promises.
        suffix: of files holding its streams, e.g. ``".jpg"``; tells the codec when a file is decoded by hand.
    """

    id: str
    title: str
    Options: type[OptionsModel] = OptionsModel
    capabilities: Capabilities = field(default_factory=Capabilities)
    suffix: str = ""

    @abstractmethod
    def identity(self, options: Any) -> str:
        """Everything besides options and quality that the bytes depend on: plugin, real library versions, digests of
        every file the options name. One line, e.g. ``"benchbox_pillow 1 libjpeg-turbo 3.2.0"``."""

    @abstractmethod
    def axis(self, options: Any) -> QualityAxis | None:
        """The quality axis under these options; None for a lossless codec."""

    @abstractmethod
    def open(self, options: Any, device: str) -> Codec:
        """Open the codec with validated `options` on `device` ("cpu", "cuda", "cuda:1"), one thread unless an option
        says otherwise."""

    def unavailable(self) -> str | None:
        """None if the codec can be opened here; else the reason with the command that brings what is missing."""
        return None

    def renamed_for(self, reason: str) -> CodecInfo | None:
        """This codec under another id, unavailable for `reason`, to be listed where another plugin offers its id too.
        None, the default, makes the clash an error."""
        return None

    def parse_options(self, values: Mapping[str, Any]) -> OptionsModel:
        """Validate option names and values (strings from a command line are converted).

        Raises:
            OptionError: names the codec, the option, the problem and the choices.
        """
        return validated_options(self.Options, values, self.id)

    def label(self, options: OptionsModel) -> str:
        """The id and the options that differ from their defaults: ``"webp method=6"``."""
        given = options.model_dump(mode="json", exclude_defaults=True)
        return " ".join([self.id, *(f"{key}={_short(value)}" for key, value in given.items())])

    def require(self, options: Any = None) -> None:
        """Raise CodecUnavailableError with reason and remedy if the codec cannot be opened here with these `options`,
        which may name what is otherwise missing."""
        reason = self.unavailable()
        if reason is not None:
            raise CodecUnavailableError(f"{self.id}: {reason}")


def validated_options(model: type[OptionsModel], values: Mapping[str, Any], owner: str) -> OptionsModel:
    """The options of the codec or report called `owner`; raises OptionError as `CodecInfo.parse_options` does."""
    known = model.model_fields
    for name in values:
        if name not in known:
            hint = did_you_mean(name, known) or f"; it takes {', '.join(known) or 'no options'}"
            raise OptionError(f"{owner}: unknown option '{name}'{hint}")
    try:
        return model.model_validate(dict(values))
    except ValidationError as error:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"]) or "options"
        raise OptionError(f"{owner}: option {where}={first['input']!r}: {first['msg']}") from error


def checked_quality(axis: QualityAxis | None, quality: float | None, codec: str) -> float | None:
    """What `Codec.encode` was given as `quality`, found right for `axis`; raises QualityError that names `codec`."""
    if axis is None:
        if quality is not None:
            raise QualityError(f"{codec}: a lossless codec takes no quality, got {quality:g}")
        return None
    if quality is None:
        raise QualityError(f"{codec}: needs a {axis.name} of {axis.minimum:g} to {axis.maximum:g}")
    return axis.check(quality, codec)


def options_json(options: OptionsModel) -> str:
    """All options, defaults included, as canonical JSON: what the key of an encoding is made from."""
    return json.dumps(options.model_dump(mode="json"), sort_keys=True, separators=(",", ":"))


def _short(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return f"{value:g}" if isinstance(value, float) else str(value)
