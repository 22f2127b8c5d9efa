"""Seconds to encode and decode with the residual-network codec, in total and by part, and with CompressAI's models.

    OMP_NUM_THREADS=1 python benchmarks/resnet_speed.py FOLDER [--pictures 6] [--quality 6]

One thread, batch 1; medians over the pictures, of the best of three passes each. CompressAI's models run with random
weights, which are as fast as trained ones. Nothing else should run on the machine.
"""

import argparse
import importlib
import importlib.util
import statistics
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchbox_resnet.codec import ResnetCodec, decode_symbols
from benchbox_resnet.coding.bitstream import Stream
from benchbox_resnet.coding.entropy import Decoder, encode
from benchbox_resnet.info import RESNET

from benchbox.image import read

Pixels = np.ndarray[Any, np.dtype[np.uint8]]


def best(work: Callable[[], object], passes: int = 3) -> float:
    """Seconds of the fastest of several calls."""
    seconds = []
    for _ in range(passes):
        begun = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - begun)
    return min(seconds)


def split(codec: ResnetCodec, pixels: Pixels, quality: float) -> dict[str, float]:
    """Seconds for one picture, in total and by part."""
    data = codec.encode(pixels, quality)
    stream, pipeline = Stream.unpack(data), codec.encoder
    coded = pipeline.encode(pixels, stream.quality)
    z_hat, first, both = decode_symbols(pipeline, stream)
    entropy_decode = best(lambda: Decoder(stream.symbols, pipeline.model.tables).take(coded.ids))
    symbols = best(lambda: decode_symbols(pipeline, Stream.unpack(data)))
    size = (stream.height, stream.width)
    return {
        "encode": best(lambda: codec.encode(pixels, quality)),
        "  networks, tables, rounding": best(lambda: pipeline.encode(pixels, stream.quality)),
        "  entropy coding": best(lambda: encode(coded.symbols, coded.ids, pipeline.model.tables)),
        "  container": best(stream.pack),
        "decode": best(lambda: codec.decode(data)),
        "  exact tables": symbols - entropy_decode,
        "  entropy decoding": entropy_decode,
        "  networks": best(lambda: pipeline.synthesise(z_hat, first, both, size, stream.quality)),
        "  container ": best(lambda: Stream.unpack(data)),
    }


def compressai_models() -> dict[str, Any]:
    """The peers by name, ready to compress; empty if CompressAI is not installed."""
    if importlib.util.find_spec("compressai") is None:
        return {}
    zoo = importlib.import_module("compressai.zoo")
    models = {}
    for name in ("bmshj2018_hyperprior", "mbt2018_mean", "cheng2020_anchor"):
        model = getattr(zoo, name)(quality=3, pretrained=False).eval()
        model.update(force=True)
        models[name] = model
    return models


@torch.inference_mode()
def peer(model: Any, pixels: Pixels) -> dict[str, float]:
    """Seconds for one picture with a CompressAI model."""
    height, width = (n // 64 * 64 for n in pixels.shape[:2])
    x = torch.from_numpy(pixels[:height, :width].copy()).permute(2, 0, 1)[None].float() / 255
    packed = model.compress(x)
    return {
        "encode": best(lambda: model.compress(x)),
        "decode": best(lambda: model.decompress(packed["strings"], packed["shape"])),
    }


def show(name: str, rows: list[dict[str, float]]) -> None:
    """Print medians over the pictures, in milliseconds."""
    print(name)
    for part in rows[0]:
        print(f"  {part:30s} {1000 * statistics.median(r[part] for r in rows):8.1f} ms")


def main() -> None:
    """Time all codecs and print the medians."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path)
    parser.add_argument("--pictures", type=int, default=6)
    parser.add_argument("--quality", type=float, default=6.0)
    args = parser.parse_args()
    torch.set_num_threads(1)
    files = sorted(args.folder.glob("*.png"))[: args.pictures]
    pictures = [np.asarray(read(f).pixels, np.uint8) for f in files]
    begun = time.perf_counter()
    codec = RESNET.open(RESNET.parse_options({}), "cpu")
    print(f"opening: {time.perf_counter() - begun:.2f} s (torch is imported already)")
    assert isinstance(codec, ResnetCodec)
    show("resnet", [split(codec, p, args.quality) for p in pictures])
    for name, model in compressai_models().items():
        show(name, [peer(model, p) for p in pictures])


if __name__ == "__main__":
    main()
