"""One picture through one codec: the work of ``benchbox encode`` and ``benchbox decode``."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from benchbox import image
from benchbox.codec import Codec, CodecInfo, OptionsModel, anchored_options
from benchbox.codec.given import given_picture, given_stream
from benchbox.errors import BenchboxError, CodecError, UnknownIdError, UnsupportedImageError, UsageError
from benchbox.files import same_file, whole_file
from benchbox.guard import answered, calling, guarded
from benchbox.plan import device_for, parse_codec
from benchbox.registry import Registry


def encode(picture: Path, codec: str, quality: float | None, output: Path, device: str, plugins: Registry) -> str:
    """Encode `picture` and write the stream to `output`; returns a line with size and bpp, and one for each note."""
    _check_output(output, picture)
    info, options = _find(codec, plugins)
    axis = answered(info.axis, options)
    if axis is None and quality is not None:
        raise UnknownIdError(f"{info.id}: a lossless codec has no quality; leave -q out")
    if axis is not None:
        quality = axis.check(quality if quality is not None else axis.values[len(axis.values) // 2], info.id)
    read = image.read(picture)
    pixels = read.pixels
    refusal = info.capabilities.refusal(pixels)
    if refusal:
        raise UnsupportedImageError(f"{picture}: {info.id}: {refusal}")
    with _opened(info, options, device) as opened:
        with calling(opened.encode, info.id):
            data = opened.encode(pixels, quality)
        data = given_stream(opened, data, info.id)
    with whole_file(output) as part:
        part.write_bytes(data)
    height, width, _ = pixels.shape
    label = answered(info.label, options) + (f" at {axis.name} {quality:g}" if axis is not None else "")
    line = f"{output}: {len(data)} bytes, {8 * len(data) / (width * height):.3f} bpp, {label}"
    return "\n".join([line, *(f"{picture}: {note}" for note in read.notes)])


def decode(stream: Path, codec: str | None, output: Path, device: str, plugins: Registry) -> str:
    """Decode the file `stream` and write a PNG to `output`; returns a line with the picture's size."""
    _check_output(output, stream)
    if output.suffix.lower() not in ("", ".png"):
        raise UsageError(f"{output}: decode writes PNG; name the file {output.with_suffix('.png').name}")
    info, options = _find(codec, plugins) if codec else _by_suffix(stream, plugins)
    try:
        data = stream.read_bytes()
    except OSError as error:
        raise CodecError(f"{stream}: cannot be opened ({error.strerror}); check the path") from error
    with _opened(info, options, device) as opened:
        try:
            with calling(opened.decode, info.id):
                given = opened.decode(data)
            pixels = given_picture(opened, given, info.id)
        except BenchboxError as error:
            raise CodecError(f"{stream}: {error}") from error
    image.write_png(output, pixels)
    height, width, channels = pixels.shape
    return f"{output}: {width}x{height}, {channels} channels, {pixels.dtype.itemsize * 8} bit"


@contextmanager
def _opened(info: CodecInfo, options: OptionsModel, device: str) -> Iterator[Codec]:
    """The codec, open inside it. Closing it that fails costs nothing: its work is done."""
    opened: Codec = guarded(info.open, options, device_for(device, info.capabilities.devices, info.id))
    try:
        yield opened
    finally:
        with suppress(BenchboxError):
            guarded(opened.close)


def _find(codec: str, plugins: Registry) -> tuple[CodecInfo, OptionsModel]:
    entry = parse_codec(codec)
    info = plugins.codec(entry.id)
    options = info.parse_options(anchored_options(info.Options, entry.options, Path.cwd(), info.id))
    answered(info.require, options)
    return info, options


def _by_suffix(stream: Path, plugins: Registry) -> tuple[CodecInfo, OptionsModel]:
    """The codec of a file's suffix. Several may write it (JPEG has three): the first that is available."""
    suffix = stream.suffix.lower()
    declared = [info for info in plugins.codecs.values() if suffix and info.suffix.lower() == suffix]
    able = declared or [info for info in plugins.codecs.values() if f".{info.id}" == suffix]
    if not able:
        raise UnknownIdError(f"{stream}: no codec writes '{suffix}' files; name it with -c (see `benchbox list "
                             "codecs`), and the file that offers it with --plugin")
    refusals: list[BenchboxError] = []
    for info in able:
        options = info.parse_options({})
        try:
            answered(info.require, options)
        except BenchboxError as error:
            refusals.append(error)
            continue
        return info, options
    raise refusals[0]


def _check_output(output: Path, source: Path) -> None:
    if same_file(output, source):
        raise UsageError(f"{output}: is the file that is read, which would be lost; choose another --output")
