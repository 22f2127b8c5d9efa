"""From a checkpoint to a weights file: freeze the tables on training pictures, write safetensors with a model card."""

import argparse
import dataclasses
import datetime
import platform
import tempfile
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import torch

from benchbox_resnet.coding.entropy import Tables
from benchbox_resnet.coding.pipeline import Pipeline
from benchbox_resnet.coding.precision import fastest
from benchbox_resnet.coding.tables import build_tables
from benchbox_resnet.coding.weights import Model, load_model, save_model
from benchbox_resnet.network.blocks import Pixels
from benchbox_resnet.network.config import LATENT_TABLES, ModelConfig
from benchbox_resnet.network.model import ResidualCodec
from benchbox_resnet.network.scale import Z_LIMIT
from benchbox_resnet.training.data import image_files, is_held_out, load_pixels

CPU = torch.device("cpu")


def count_symbols(model: Model, pictures: list[Pixels], widest: int = 1024) -> npt.NDArray[np.float64]:
    """How often each magnitude was met under each table of latents, (192, widest), over pictures and all qualities."""
    counts = np.zeros(LATENT_TABLES * widest)
    pipeline = Pipeline(model, precision=fastest(CPU))
    for number, pixels in enumerate(pictures):
        quality = number % model.config.qualities << 8
        coded = pipeline.encode(pixels, quality)
        latent = coded.ids < LATENT_TABLES
        magnitude = np.minimum(np.abs(coded.symbols[latent]), widest - 1)
        counts += np.bincount(coded.ids[latent].astype(np.int64) * widest + magnitude, minlength=len(counts))
    return counts.reshape(LATENT_TABLES, widest)


def count_z(model: Model, pictures: list[Pixels], side: int = 768) -> npt.NDArray[np.float64]:
    """How often each value of z was met at each quality, (Q, Z, 2 * Z_LIMIT + 1), in centre crops of the pictures."""
    config = model.config
    counts = np.zeros((config.qualities, config.hyper, 2 * Z_LIMIT + 1))
    pipeline = Pipeline(model, precision=fastest(CPU))
    for pixels in pictures:
        top, left = (max(0, n - side) // 2 for n in pixels.shape[:2])
        crop = np.ascontiguousarray(pixels[top : top + side, left : left + side])
        for quality in range(config.qualities):
            z_hat = pipeline.analyse(crop, quality << 8)[1].reshape(-1, config.hyper)
            for channel in range(config.hyper):
                counts[quality, channel] += np.bincount(z_hat[:, channel] + Z_LIMIT, minlength=2 * Z_LIMIT + 1)
    return counts


def freeze_tables(net: ResidualCodec, pictures: list[Pixels], rounds: int = 3) -> Tables:
    """Tables that fit what the encoder really writes; rounding depends on the tables, hence more than one round."""
    mean, scale = (v.detach().double().numpy() for v in net.z_prior())
    tables = build_tables(net.config, mean, scale)
    z_counts = None
    for _ in range(rounds if pictures else 0):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "draft.safetensors"
            save_model(path, net, tables, "mse", {})
            draft = load_model(path, CPU)
        if z_counts is None:  # z does not depend on the tables
            z_counts = count_z(draft, pictures[::2])
        tables = build_tables(net.config, mean, scale, count_symbols(draft, pictures), z_counts)
    return tables


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `export`."""
    parser.add_argument("--checkpoint", type=Path, required=True)
    parser.add_argument("--data", type=Path, required=True, help="training pictures, for the tables")
    parser.add_argument("--out", type=Path, required=True, help="weights file to write (.safetensors)")
    parser.add_argument("--pictures", type=int, default=96, help="training pictures the tables are fitted on")
    parser.add_argument("--dependent-from", type=int, default=12,
                        help="first table whose symbols are quantised dependently (64: none)")
    parser.add_argument("--licences", default="", help="licences of the training pictures, for the model card")


def run(args: argparse.Namespace) -> None:
    """Freeze and write; prints the digest that streams will carry."""
    state: dict[str, Any] = torch.load(args.checkpoint, weights_only=True, map_location="cpu")
    config = dataclasses.replace(ModelConfig.from_json(state["config"]), dependent_from=args.dependent_from)
    net = ResidualCodec(config)
    net.load_state_dict(state["average"])
    net.scale.balance()
    files = [p for p in image_files(args.data) if not is_held_out(p)]
    chosen = files[:: max(1, len(files) // args.pictures)][: args.pictures]
    tables = freeze_tables(net.eval(), [load_pixels(p) for p in chosen])
    card = {
        "steps": state["step"], "training_seconds": round(state["seconds"]), "tune": state["settings"]["tune"],
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "settings": state["settings"],
        "data": f"{len(files)} pictures", "licences": args.licences, "validation": state.get("validation"),
    }  # fmt: skip
    save_model(args.out, net, tables, state["settings"]["tune"], card)
    model = load_model(args.out, CPU)
    print(f"{args.out}: {args.out.stat().st_size} bytes, model {model.digest[:4].hex()}")
    for bound in model.scale.bounds():
        used, limit = np.log2(max(bound.steps, 1)), np.log2(bound.limit)
        print(f"  exact sums, {bound.layer}: 2^{used:.1f} of 2^{limit:.0f} steps")
