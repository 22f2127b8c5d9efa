"""The codec itself: one picture to one stream, and back.

    encode: pixels -> `pipeline` (networks, rounding) -> symbols and table numbers -> `entropy` -> `bitstream`
    decode: `bitstream` -> z -> tables of the first half -> its symbols -> tables of the second -> its symbols -> pixels

Symbols are decoded with integers alone (`coding.exact`); the float networks run afterwards, on all symbols at once.
"""

import contextlib
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import torch

from benchbox.codec import Codec, CodecInfo, QualityAxis
from benchbox.errors import CodecUnavailableError, CorruptBitstream, QualityError, UnsupportedImageError
from benchbox.image import Image
from benchbox_resnet.coding.alpha import fill_hidden, pack_alpha, unpack_alpha
from benchbox_resnet.coding.bitstream import MAX_PIXELS, Stream
from benchbox_resnet.coding.denoise import denoise
from benchbox_resnet.coding.entropy import Decoder, encode
from benchbox_resnet.coding.exact import QUALITY_BITS, SYMBOL_UNKNOWN
from benchbox_resnet.coding.halves import SYMBOL_CLIP, Symbols, join_half, split_half
from benchbox_resnet.coding.pipeline import TILE_CELLS, Pipeline
from benchbox_resnet.coding.precision import Precision, fastest
from benchbox_resnet.coding.search import Search
from benchbox_resnet.coding.tables import z_table_ids
from benchbox_resnet.coding.weights import Model, file_digest, load_model
from benchbox_resnet.network.scale import Z_LIMIT


class ResnetCodec(Codec):
    """An opened model."""

    def __init__(
        self,
        info: CodecInfo,
        model: Model,
        threads: int = 1,
        effort: int = 0,
        denoise: float = 0.0,
        tile_cells: int = TILE_CELLS,
        others: Sequence[Path] = (),
        precision: Precision = "float32",
    ) -> None:
        """`model` encodes, and decodes its own streams; `others`: weights files that are opened when a stream names
        them; `threads`: CPU threads of the networks; `tile_cells`: see `Pipeline`; the rest are the codec's options."""
        self.info, self.threads, self.effort, self.denoise = info, threads, effort, denoise
        self.encoder = Pipeline(model, tile_cells, precision=precision)
        self.pipelines = {model.digest[:4]: self.encoder}
        self.others = list(others)
        last = self.encoder.config.qualities - 1
        self.axis = QualityAxis("quality", tuple(float(q) for q in range(last + 1)), 0, last)

    @classmethod
    def open(
        cls,
        info: CodecInfo,
        paths: Sequence[Path],
        device: str,
        threads: int = 1,
        effort: int = 0,
        denoise: float = 0.0,
        precision: Precision | Literal["auto"] = "float32",
    ) -> "ResnetCodec":
        """Load the first of the weights files `paths` on a device ("cpu", "cuda", "cuda:1"); the others only decode.

        `precision` `auto`: the fastest that the device has instructions for (see `precision.fastest`). Raises
        CodecUnavailableError where torch has no such device.
        """
        if device.startswith("cuda") and not torch.cuda.is_available():
            raise CodecUnavailableError(f"{info.id}: torch {torch.__version__} sees no CUDA device; use the device cpu")
        where = torch.device(device)
        chosen = fastest(where) if precision == "auto" else precision
        model = load_model(paths[0], where)
        return cls(info, model, threads, effort, denoise, others=paths[1:], precision=chosen)

    @contextlib.contextmanager
    def _session(self) -> Iterator[None]:
        """Sets this codec's thread count and restores the previous one afterwards."""
        before = torch.get_num_threads()
        if before != self.threads:
            torch.set_num_threads(self.threads)
        try:
            yield
        finally:
            if before != self.threads:
                torch.set_num_threads(before)

    def encode(self, image: Image, quality: float | None) -> bytes:
        """(H, W, C) uint8 with C = 1, 3 or 4, at a quality from 0 to qualities - 1 -> one stream."""
        height, width, channels = image.shape
        reason = self.info.capabilities.refusal(image)
        if reason is None and height * width > MAX_PIXELS:
            reason = f"{width}x{height} has more than {MAX_PIXELS} pixels"
        if reason is not None:
            raise UnsupportedImageError(f"{self.info.id}: {reason}")
        pipeline = self.encoder
        if quality is None:
            raise QualityError(f"{self.info.id}: needs a quality of 0 to {self.axis.maximum:g}")
        fixed = round(self.axis.check(quality, self.info.id) * 2**QUALITY_BITS)
        colour, alpha = np.asarray(image[:, :, :3], np.uint8), b""
        if channels == 4:
            plane = np.ascontiguousarray(image[:, :, 3], np.uint8)
            colour, alpha = fill_hidden(colour, plane), pack_alpha(plane)
        if self.denoise:
            colour = denoise(colour, self.denoise)
        if channels == 1:
            colour = np.repeat(colour, 3, axis=2)
        colour, gray = np.ascontiguousarray(colour), channels == 1
        search = Search(pipeline, colour, fixed, self.effort, gray) if self.effort else None
        with self._session():
            coded = pipeline.encode(colour, fixed, gray, search)
        symbols = encode(coded.symbols, coded.ids, pipeline.model.tables)
        return Stream(pipeline.model.digest[:4], width, height, channels, fixed, symbols, alpha).pack()

    def decode(self, data: bytes) -> Image:
        """The inverse of `encode`."""
        stream = Stream.unpack(data)
        pipeline = self._pipeline_for(stream)
        with self._session():
            z_hat, first, both = decode_symbols(pipeline, stream)
            colour = pipeline.synthesise(z_hat, first, both, (stream.height, stream.width), stream.quality)
        if stream.channels == 1:
            return gray_of(colour)
        if stream.channels == 3:
            return colour
        return np.dstack([colour, unpack_alpha(stream.alpha, stream.height, stream.width)])

    def _pipeline_for(self, stream: Stream) -> Pipeline:
        pipeline = self.pipelines.get(stream.model)
        for path in self.others if pipeline is None else ():
            if file_digest(path)[:4] == stream.model:
                model = load_model(path, self.encoder.device)
                pipeline = Pipeline(model, self.encoder.tile_cells, precision=self.encoder.precision)
                self.pipelines[stream.model] = pipeline
                break
        if pipeline is None:
            known = ", ".join(digest.hex() for digest in [*self.pipelines, *(file_digest(p)[:4] for p in self.others)])
            raise CorruptBitstream(f"the stream needs the model {stream.model.hex()}, known are {known}; "
                                   "give its weights with the option 'weights'")  # fmt: skip
        last = (pipeline.config.qualities - 1) << QUALITY_BITS
        if stream.quality > last:
            raise CorruptBitstream(f"quality {stream.quality / 256:g} is beyond this model's {last / 256:g}")
        return pipeline


def gray_of(colour: npt.NDArray[np.uint8]) -> npt.NDArray[np.uint8]:
    """(H, W, 3) -> (H, W, 1): the rounded mean of the colours."""
    total = colour.sum(2, dtype=np.uint16)
    return np.asarray((total + 1) // 3, np.uint8)[:, :, None]


@torch.inference_mode()
def decode_symbols(pipeline: Pipeline, stream: Stream) -> tuple[Symbols, Symbols, Symbols]:
    """z_hat (h/4, w/4, Z), symbols of the first half (h, w, M), `SYMBOL_UNKNOWN` elsewhere, and of both (h, w, M).

    Integers only: the same on every device and with any number of threads. Raises CorruptBitstream; the size is checked
    before anything is allocated.
    """
    config = pipeline.config
    m = config.pad_multiple
    rows, cols = -(-stream.height // m), -(-stream.width // m)
    stream.check_limits()
    stream.check_price(rows * cols * pipeline.least_bits(stream.quality, stream.channels == 1))
    decoder = Decoder(stream.symbols, pipeline.model.tables)
    z = decoder.take(z_table_ids(config, stream.quality, rows, cols))
    if int(np.abs(z).max()) > Z_LIMIT:
        raise CorruptBitstream("a hyper-latent is out of range")
    z_hat = z.astype(np.int16).reshape(rows, cols, config.hyper)
    adapter = pipeline.adapter(stream.channels == 1)
    guess = split_half(pipeline.all_indices(z_hat, stream.quality), True)
    first = np.full((4 * rows, 4 * cols, config.latents), SYMBOL_UNKNOWN, np.int16)
    join_half(adapter.decode(decoder, guess, SYMBOL_CLIP), first, True)
    guess = pipeline.refined_indices(z_hat, first, stream.quality)
    both = first.copy()
    join_half(adapter.decode(decoder, guess, SYMBOL_CLIP), both, False)
    decoder.finish()
    return z_hat, first, both
