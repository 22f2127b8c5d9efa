"""Weights files and alpha sections that others made: refused by one line, before anything of their size is made."""

from __future__ import annotations

import io
import json
import os
import struct
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("torch")

from benchbox_resnet.codec import ResnetCodec
from benchbox_resnet.coding.alpha import pack_alpha, unpack_alpha
from benchbox_resnet.info import RESNET
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from safetensors import safe_open
from safetensors.numpy import save

from benchbox.errors import CodecError, CorruptBitstream


def tensors_of(path: Path) -> tuple[dict[str, np.ndarray], dict[str, str]]:
    with safe_open(path, framework="numpy") as file:
        return {name: file.get_tensor(name) for name in file.keys()}, file.metadata()  # noqa: SIM118


def refused(path: Path, data: bytes) -> str:
    """The one line by which opening these weights is refused."""
    path.write_bytes(data)
    with pytest.raises(CodecError) as caught:
        ResnetCodec.open(RESNET, [path], "cpu")
    assert "\n" not in str(caught.value)
    return str(caught.value)


@pytest.mark.slow  # half a minute
def test_every_tensor_has_the_shape_that_the_configuration_asks_for(weights: Path, tmp_path: Path) -> None:
    tensors, metadata = tensors_of(weights)
    for name, tensor in tensors.items():
        for other in (tensor.reshape(-1)[:-1], np.stack([tensor, tensor]), tensor[:0]):
            said = refused(tmp_path / "w", save(tensors | {name: np.ascontiguousarray(other)}, metadata))
            assert name in said or "frequencies of these weights" in said
        without = {key: value for key, value in tensors.items() if key != name}
        assert f"has no tensor '{name}'" in refused(tmp_path / "w", save(without, metadata))
        other_kind = tensor.astype(np.int32 if tensor.dtype.kind == "f" else np.float32)
        assert name in refused(tmp_path / "w", save(tensors | {name: other_kind}, metadata))
    assert "does not ask for" in refused(tmp_path / "w", save(tensors | {"net.more": np.zeros(3)}, metadata))
    broken = next(name for name in tensors if name.startswith("net."))
    assert "not finite" in refused(tmp_path / "w", save(tensors | {broken: tensors[broken] * np.nan}, metadata))


CHANGES: dict[str, Any] = {
    "blocks": [10**6, -1, 2.5, "3", None, [], True], "deep_blocks": [10**6], "context_blocks": [10**9],
    "channels": [10**9, "8"], "latents": [10**9, "368", 7], "hyper": [10**6], "scale_hidden": [10**7],
    "qualities": [10**7, 1, 16.5], "masking": [float("nan"), 3], "activation": [["relu"], "none", 3],
    "lambda_min": [float("nan"), float("inf")], "scale_window": [10**6 + 1], "nonsense": [1], "stride": ["16"],
}  # fmt: skip


@pytest.mark.parametrize("field", CHANGES)
def test_a_configuration_is_bounded_before_it_is_believed(field: str, weights: Path, tmp_path: Path) -> None:
    tensors, metadata = tensors_of(weights)
    for value in CHANGES[field]:
        config = json.dumps(json.loads(metadata["config"]) | {field: value})
        assert field in refused(tmp_path / "w", save(tensors, metadata | {"config": config}))


@pytest.mark.parametrize("text", ["{", "[]", "null", "[" * 100_000, "1" * 5000])
def test_metadata_that_is_no_json_is_named(text: str, weights: Path, tmp_path: Path) -> None:
    tensors, metadata = tensors_of(weights)
    assert "export the weights again" in refused(tmp_path / "w", save(tensors, metadata | {"config": text}))
    for name in ("config", "tune", "card"):
        less = {key: value for key, value in metadata.items() if key != name}
        assert f"does not say its {name}" in refused(tmp_path / "w", save(tensors, less))


def test_a_file_larger_than_any_weights_is_not_read(tmp_path: Path) -> None:
    path = tmp_path / "w.safetensors"
    path.touch()
    os.truncate(path, 1 << 40)
    with pytest.raises(CodecError, match="have more than 1024 MiB; name a weights file of this codec"):
        ResnetCodec.open(RESNET, [path], "cpu")


def test_files_that_are_no_weights(weights: Path, tmp_path: Path) -> None:
    whole = weights.read_bytes()
    length = struct.unpack("<Q", whole[:8])[0]
    for data in (b"", whole[:8], whole[: 8 + length // 2], whole[:-1], whole + b"x", bytes(5000),
                 struct.pack("<Q", 2**63) + whole[8:], struct.pack("<Q", 2**40) + whole[8:]):  # fmt: skip
        refused(tmp_path / "w", data)
    with pytest.raises(CodecError, match="are no file"):
        ResnetCodec.open(RESNET, [Path("/dev/zero")], "cpu")


PLANE = np.random.default_rng(0).integers(0, 256, (24, 40)).astype(np.uint8)


def saved(picture: Image.Image, form: str = "PNG", **options: Any) -> bytes:
    out = io.BytesIO()
    picture.save(out, form, **options)
    return out.getvalue()


def frames(form: str) -> bytes:
    pictures = [Image.fromarray(np.roll(PLANE, k)).convert("RGB" if form == "WEBP" else "L") for k in range(3)]
    return saved(pictures[0], form, save_all=True, append_images=pictures[1:], duration=10)


ALPHA: dict[str, Callable[[], bytes]] = {
    "16 bits": lambda: saved(Image.fromarray(PLANE.astype(np.uint16) * 257)),
    "1 bit": lambda: saved(Image.fromarray(PLANE).convert("1")),
    "palette": lambda: saved(Image.fromarray(PLANE).convert("P")),
    "gray and alpha": lambda: saved(Image.fromarray(PLANE).convert("LA")),
    "RGB in PNG": lambda: saved(Image.fromarray(PLANE).convert("RGB")),
    "RGBA in WebP": lambda: saved(Image.fromarray(np.dstack([PLANE] * 4)), "WEBP", lossless=True),
    "GIF": lambda: saved(Image.fromarray(PLANE), "GIF"),
    "animated WebP": lambda: frames("WEBP"), "animated PNG": lambda: frames("PNG"),
    "another size": lambda: saved(Image.fromarray(PLANE[1:])), "empty": lambda: b"",
}  # fmt: skip


@pytest.mark.parametrize("make", ALPHA.values(), ids=ALPHA)
def test_an_alpha_section_that_we_would_not_write_is_refused(make: Callable[[], bytes]) -> None:
    with pytest.raises(CorruptBitstream, match="alpha section"):
        unpack_alpha(make(), *PLANE.shape)


KINDS = ["IHDR", "IDAT", "PLTE", "tRNS", "cHRM", "iCCP", "sRGB", "pHYs", "acTL", "fcTL", "fdAT", "eXIf", "zTXt", "iTXt",
         "gAMA"]  # fmt: skip


@settings(max_examples=400)
@given(st.sampled_from(KINDS), st.binary(max_size=40), st.booleans())
def test_any_chunk_in_an_alpha_section_is_read_or_refused(kind: str, body: bytes, late: bool) -> None:
    whole = saved(Image.fromarray(PLANE))
    at = whole.index(b"IEND") - 4 if late else 33
    chunk = struct.pack(">I", len(body)) + kind.encode() + body + struct.pack(">I", zlib.crc32(kind.encode() + body))
    try:
        plane = unpack_alpha(whole[:at] + chunk + whole[at:], *PLANE.shape)
    except CorruptBitstream:
        return
    assert plane.shape == PLANE.shape
    assert plane.dtype == np.uint8


def test_what_we_write_is_read() -> None:
    for plane in (PLANE, np.zeros((1, 20_000), np.uint8)):
        np.testing.assert_array_equal(unpack_alpha(pack_alpha(plane), *plane.shape), plane)
