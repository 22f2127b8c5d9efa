"""The codec of a description: it runs the commands on files in a private folder, which is removed after each call."""

from __future__ import annotations

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np

from benchbox import image as pictures
from benchbox import program
from benchbox.codec import Capabilities, CheckedCodec, Codec, CodecInfo, QualityAxis
from benchbox.errors import BenchboxError, CodecError, CorruptBitstream, ImageError
from benchbox.image import Image, peak
from benchbox_exec import pnm
from benchbox_exec.spec import Spec, fill

VERSION = 1
"""Part of every identity; raise it whenever this plugin changes bytes or decoded pixels."""


@dataclass(frozen=True)
class ExecInfo(CodecInfo):
    """A command-line codec. `spec` is None if the description is bad; then `problem` says why."""

    spec: Spec | None = None
    source: Path = Path()
    problem: str = ""

    def identity(self, options: Any) -> str:
        spec = self._spec()
        commands = [spec.encode, spec.decode]
        files = sorted({path for parts in commands for path in _files(self.arguments(parts))})
        digests = [program.digest(path) for path in files]
        table = json.dumps(spec.model_dump(mode="json", exclude={"title", "timeout"}), sort_keys=True,
                           default=sorted).encode()
        named = [f"{Path(path).name} sha256:{digest[:16]}" for path, digest in zip(files, digests, strict=True)]
        if spec.version:
            named.insert(0, program.first_line(tuple(self.arguments(spec.version)), "".join(digests)))
        return " ".join([f"benchbox_exec {VERSION}", *named, f"toml sha256:{hashlib.sha256(table).hexdigest()[:16]}"])

    def unavailable(self) -> str | None:
        if self.spec is None:
            return self.problem
        for parts in (self.spec.encode, self.spec.decode, self.spec.version or self.spec.encode):
            first = self.arguments(parts)[0]
            if shutil.which(first) is None:
                return f"there is no program {first}; install it or correct {self.source}"
        try:
            self.identity(None)
        except (BenchboxError, OSError) as error:
            return f"{error}; correct {self.source}"
        return None

    def renamed_for(self, reason: str) -> CodecInfo | None:
        # A bad file of the user makes its own codec unavailable and stops no other command.
        return replace(self, id=f"{self.id}-exec", title=f"{self.id}-exec (bad description)", spec=None,
                       problem=self.problem or f"{self.source}: {reason}; choose another")

    def axis(self, options: Any) -> QualityAxis | None:
        return self.spec.axis.build() if self.spec and self.spec.axis else None

    def open(self, options: Any, device: str) -> Codec:
        self.require()
        return ExecCodec(self, self._spec(), options, device)

    def arguments(self, template: list[str], values: Mapping[str, Any] | None = None) -> list[str]:
        """A command with its placeholders replaced: by `values`, else by 0 or nothing."""
        blank = {"input": "", "output": "", "quality": 0, "width": 0, "height": 0}
        return fill(template, {**blank, "here": self.source.parent, **(values or {})})

    def _spec(self) -> Spec:
        if self.spec is None:
            raise CodecError(f"{self.id}: {self.problem}")
        return self.spec


class ExecCodec(CheckedCodec):
    """Its measured time includes writing and reading the files and starting the process."""

    info: ExecInfo

    def __init__(self, info: ExecInfo, spec: Spec, options: Any, device: str) -> None:
        super().__init__(info, options, device)
        self._spec = spec

    def refusal(self, image: Image, quality: float) -> str | None:
        reason = super().refusal(image, quality)
        if reason is None and image.shape[2] == 4 and bool((image[:, :, 3] == peak(image)).all()):
            reason = "RGBA with opaque alpha would come back as RGB; drop the alpha channel first"
        return reason

    def compress(self, image: Image, quality: float) -> bytes:
        whole = self.axis is not None and self.axis.integer
        values = {"quality": int(quality) if whole else quality, "width": image.shape[1], "height": image.shape[0]}
        with tempfile.TemporaryDirectory(prefix="benchbox-exec-") as name:
            source = Path(name, "input." + _extension(self._spec.input, image.shape[2]))
            _write(source, image)
            return self._run(self._spec.encode, source, Path(name, "output" + self._spec.suffix), values)

    def decode(self, data: bytes) -> Image:
        with tempfile.TemporaryDirectory(prefix="benchbox-exec-") as name:
            source = Path(name, "input" + self._spec.suffix)
            source.write_bytes(data)
            target = Path(name, "output." + _extension(self._spec.output, 1 if self._spec.channels == {1} else 3))
            try:
                written = self._run(self._spec.decode, source, target, {})
                pixels = pictures.read(target).pixels if self._spec.output == "png" else pnm.read(written)
            except CodecError as error:
                raise CorruptBitstream(str(error)) from error
            except ImageError as error:
                raise CorruptBitstream(f"{self.info.id}: the output of `decode` cannot be read: {error}") from error
        return self._restore(pixels)

    def _run(self, template: list[str], source: Path, target: Path, values: Mapping[str, Any]) -> bytes:
        arguments = self.info.arguments(template, {**values, "input": source, "output": target})
        limit = program.Limit(self._spec.timeout, "raise `timeout` in its TOML")
        try:
            program.run(arguments, folder=source.parent, limit=limit)
        except BenchboxError as error:
            raise CodecError(f"{self.info.id}: {error}") from error
        try:
            return target.read_bytes()
        except OSError as error:
            raise CodecError(f"{self.info.id}: {Path(arguments[0]).name} succeeded but wrote no {target.name}; "
                             f"is {{output}} in the right place in {self.info.source}?") from error

    def _restore(self, pixels: Image) -> Image:
        """`pixels` with the channel count that was encoded, if the description declares only one of gray and RGB: many
        decoders return a picture without colour as the other."""
        if self._spec.channels == {3} and pixels.shape[2] == 1:
            return np.repeat(pixels, 3, axis=2)
        if self._spec.channels == {1} and pixels.shape[2] == 3 and bool((pixels == pixels[:, :, :1]).all()):
            return np.ascontiguousarray(pixels[:, :, :1])
        return pixels


def capabilities(spec: Spec) -> Capabilities:
    """The capabilities that the description declares."""
    return Capabilities(channels=frozenset(spec.channels), bit_depths=frozenset(spec.bit_depths),
                        lossless=spec.lossless, deterministic=spec.deterministic, min_size=spec.min_size,
                        max_size=spec.max_size)


def _files(arguments: list[str]) -> list[str]:
    """The program, and every further argument that is the absolute path of a file (a script, a model)."""
    path = shutil.which(arguments[0])
    return [found for found in (path, *arguments[1:]) if found and Path(found).is_absolute() and Path(found).is_file()]


def _extension(kind: str, channels: int) -> str:
    return "pgm" if kind == "ppm" and channels == 1 else kind


def _write(path: Path, image: Image) -> None:
    if path.suffix == ".png":
        pictures.write_png(path, image)
    else:
        path.write_bytes(pnm.write(image))
