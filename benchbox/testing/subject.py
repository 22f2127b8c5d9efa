"""A codec under test, and what several of its rules have in common."""

from __future__ import annotations

import json
import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import numpy as np

from benchbox.codec import Codec, CodecInfo, options_json
from benchbox.errors import CorruptBitstream, ImageError, UnsupportedImageError
from benchbox.image import Image, check
from benchbox.testing.check import Outcome, Scene, Subject
from benchbox.testing.pictures import picture
from benchbox.testing.surroundings import kept

KIND = {1: "gray", 3: "RGB", 4: "RGBA"}


@dataclass(frozen=True)
class CodecSubject(Subject):
    """The codec under test, with the option values that were given; `images` are pictures to try besides the kit's."""

    info: CodecInfo
    given: Mapping[str, Any]
    device: str
    images: Mapping[str, Image]
    scene: Scene | None = None
    hook: ClassVar[str] = "benchbox_codecs"

    @property
    def item(self) -> CodecInfo:
        return self.info

    @property
    def id(self) -> str:
        try:
            return self.info.label(self.options)
        except Exception:  # options or label are at fault, which is for rules to say
            return super().id

    @classmethod
    def of(cls, info: CodecInfo, arguments: Mapping[str, Any], scene: Scene) -> CodecSubject:
        """The subject of another process, made from its `arguments`."""
        images = {name: np.load(path) for name, path in arguments["images"].items()}
        return cls(info, arguments["given"], arguments["device"], images, scene)

    def arguments(self, folder: str) -> dict[str, Any]:
        paths = {}
        for number, (name, pixels) in enumerate(self.images.items()):
            paths[name] = f"{folder}/image-{number}.npy"
            np.save(paths[name], pixels)
        try:
            given = json.loads(options_json(self.options)) if self.given else {}
            identity = self.info.identity(self.options)
        except Exception:  # for rules to say
            given, identity = {name: str(value) for name, value in self.given.items()}, None
        return {"given": given, "device": self.device, "images": paths, "identity": identity}

    def steps(self, height: int, width: int) -> Iterator[tuple[Any, Callable[[], Any]]]:
        with kept():
            source, quality = self.accepted_picture(height, width), self.quality
        opened: list[Codec] = []
        data: list[bytes] = []
        yield self.info.open, lambda: opened.append(self.info.open(self.options, self.device))
        codec = opened[0]
        yield codec.encode, lambda: data.append(codec.encode(source, quality))
        yield codec.decode, lambda: codec.decode(data[0])
        yield codec.close, codec.close

    def leave(self, known: Mapping[str, Outcome]) -> None:
        if self.scene is None or known["declared_kinds"].verdict != "pass":
            return
        with self.opened() as codec:  # after all that the rules encoded
            for number, pixels in enumerate(self.views()):
                data = codec.encode(pixels, self.quality)
                Path(self.scene.folder, f"{number}.stream").write_bytes(data)
                np.save(f"{self.scene.folder}/{number}.npy", codec.decode(data))

    def views(self) -> list[Image]:
        """Three pictures of one kind that differ in contents and shape."""
        source = self.small()
        return [np.ascontiguousarray(pixels) for pixels in (source, source[::-1], source[:-7, 5:])]

    @property
    def options(self) -> Any:
        """The validated options."""
        return self.info.parse_options(self.given)

    @property
    def kinds(self) -> list[tuple[int, int]]:
        """Every (channels, bits) that the capabilities declare."""
        taken = self.info.capabilities
        return [(c, b) for b in sorted(taken.bit_depths) for c in sorted(taken.channels)]

    @property
    def quality(self) -> float | None:
        """The middle value of the default sweep; None for a lossless codec."""
        axis = self.info.axis(self.options)
        return axis.values[len(axis.values) // 2] if axis else None

    def ends(self, options: Any) -> tuple[float | None, ...]:
        """Both ends of the quality axis under `options`; (None,) for a lossless codec."""
        axis = self.info.axis(options)
        return (axis.minimum, axis.maximum) if axis else (None,)

    @contextmanager
    def opened(self, options: Any = None) -> Iterator[Codec]:
        codec = self.info.open(options or self.options, self.device)
        try:
            yield codec
        finally:
            codec.close()

    def accepted(self, codec: Codec) -> list[tuple[int, int]]:
        """The declared (channels, bits) that the codec does not refuse."""
        size = self.at_least(63, 65)
        return [(channels, bits) for channels, bits in self.kinds
                if attempt(self, codec, picture(*size, channels, bits), f"{bits}-bit {KIND[channels]}")]

    def candidates(self) -> list[Image]:
        """One small picture of each declared kind, those first that most codecs accept."""
        kinds = sorted(self.kinds, key=lambda kind: (kind[1], kind[0] != 3))
        return [picture(*self.at_least(63, 65), channels, bits) for channels, bits in kinds]

    def small(self) -> Image:
        """A picture of a kind that the codec accepts, small enough to be encoded many times."""
        for candidate in self.candidates():
            with self.opened() as codec:
                try:
                    codec.encode(candidate.copy(), self.quality)  # a faulty one writes into it
                except UnsupportedImageError:
                    continue
            return candidate
        self.breach("it accepts no picture of the kinds that its capabilities declare")

    def photograph(self) -> Image:
        """A photograph of a kind that the codec accepts, at least 256x192."""
        return self.accepted_picture(192, 256)

    def accepted_picture(self, height: int, width: int) -> Image:
        """A picture of that size or more of a kind that the codec accepts."""
        sample = self.small()
        return picture(*self.at_least(height, width), sample.shape[2], sample.dtype.itemsize * 8)

    def at_least(self, height: int, width: int) -> tuple[int, int]:
        """(height, width), each raised to the smallest side that the codec accepts."""
        least = self.info.capabilities.min_size
        return max(height, least), max(width, least)


def attempt(subject: CodecSubject, codec: Codec, pixels: Image, name: str) -> bool:
    """Encode and decode one picture at the middle quality; False if it was refused, by the capabilities or by the
    codec."""
    return attempt_at(subject, codec, pixels, subject.quality, name)


def attempt_at(subject: CodecSubject, codec: Codec, pixels: Image, quality: float | None, name: str) -> bool:
    """`attempt` at a quality; None for a lossless codec."""
    if subject.info.capabilities.refusal(pixels) is not None:
        return False
    before = pixels.copy()
    try:
        data = codec.encode(pixels, quality)
    except UnsupportedImageError as error:
        if not str(error).strip():
            subject.breach(f"{name} was refused without a reason; raise UnsupportedImageError with one", at=error)
        return False
    except Exception as error:
        subject.raised(f"given {name}, encode", error, "mend it, or raise UnsupportedImageError with the reason "
                       "where such a picture cannot be encoded")
    if not isinstance(data, bytes) or not data:
        what = "0 bytes" if isinstance(data, bytes) else type(data).__name__
        subject.breach(f"encode must return non-empty bytes, got {what} for {name}; return bytes(...)", at=codec.encode)
    if not np.array_equal(before, pixels):
        subject.breach(f"encode changed the picture that it was given, {name}; let it work on a copy", at=codec.encode)
    try:
        decoded = codec.decode(data)
    except Exception as error:
        subject.raised(f"{name} was encoded, but decode", error, "decode every stream that encode gives")
    same_kind(subject, codec, pixels, decoded, name)
    if subject.info.capabilities.lossless and not np.array_equal(decoded, pixels):
        subject.breach(f"{name} came back changed in {int((decoded != pixels).any(axis=2).sum())} pixels though "
                       "lossless is declared; declare lossless=False and an axis, or keep every pixel", at=codec.decode)
    return True


def same_kind(subject: CodecSubject, codec: Codec, source: Image, decoded: Any, name: str) -> None:
    """`decoded` must keep the pixel contract and have the shape and dtype of `source`."""
    try:
        check(decoded, name)
    except ImageError as error:
        subject.breach(f"decode broke the pixel contract: {error}; return a uint8 or uint16 array (H, W, C)",
                       at=codec.decode)
    if decoded.shape != source.shape or decoded.dtype != source.dtype:
        subject.breach(f"{name} went in as {source.shape} {source.dtype} and came back as {decoded.shape} "
                       f"{decoded.dtype}; return the shape and dtype that were encoded", at=codec.decode)
    if not decoded.flags.c_contiguous:
        subject.breach(f"{name} came back in an array that is not C-contiguous; return np.ascontiguousarray(...)",
                       at=codec.decode)


def agree(subject: CodecSubject, codec: Codec, one: Image, other: Image, sentence: str) -> None:
    """Two decodings must differ by no more than the declared tolerance; `sentence` says that they do."""
    same_kind(subject, codec, one, other, "a second decoding")
    difference = int(np.abs(one.astype(np.int64) - other.astype(np.int64)).max())
    if difference > subject.info.capabilities.pixel_tolerance:
        subject.breach(f"{sentence} (by {difference} levels); everything that decode needs must be in the stream",
                       at=codec.decode)


def survives(subject: CodecSubject, codec: Codec, data: bytes, name: str) -> bool:
    """Whether `data` decodes to a picture: False for CorruptBitstream, a breach for any other exception."""
    try:
        decoded = codec.decode(data)
    except CorruptBitstream:
        return False
    except Exception as error:
        subject.raised(f"given {name}, decode", error, "raise CorruptBitstream for what is no whole stream",
                       bugs=(NameError,))
    try:
        check(decoded, name)
    except ImageError as error:
        subject.breach(f"given {name}, decode broke the pixel contract: {error}; raise CorruptBitstream", codec.decode)
    return True


def mse(one: Image, other: Image) -> float:
    """The mean squared error over all samples; infinite where the shapes differ."""
    if one.shape != other.shape:
        return math.inf
    difference = one.astype(np.float64) - other.astype(np.float64)
    return float(np.mean(difference * difference))
