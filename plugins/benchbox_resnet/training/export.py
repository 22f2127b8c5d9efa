"""`benchbox resnet export`: from a checkpoint to a weights file, with tables frozen on training pictures and a model
card."""

import dataclasses
import datetime
import platform
import tempfile
from pathlib import Path

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
from benchbox_resnet.training.checkpoint import CPU, averaged_network, load_checkpoint
from benchbox_resnet.training.data import image_files, is_held_out, load_pixels


def count_symbols(model: Model, pictures: list[Pixels], widest: int = 1024) -> npt.NDArray[np.float64]:
    """How often each magnitude occurred under each table of latents, (192, widest), in the pictures, at each quality in
    turn."""
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
    """How often each value of z occurred at each quality, (Q, Z, 2 * Z_LIMIT + 1), in centre crops of the pictures of
    `side` pixels."""
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
    """Tables that fit what the encoder writes for the pictures; rounding depends on the tables, hence the rounds."""
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


def run(checkpoint: Path, data: Path, out: Path, pictures: int, dependent_from: int, licences: str) -> None:
    """Freeze the tables and write `out`; prints the digest that streams will carry."""
    state = load_checkpoint(checkpoint)
    config = dataclasses.replace(ModelConfig.from_json(state["config"]), dependent_from=dependent_from)
    net = averaged_network(state, config)
    net.scale.balance()
    files = [p for p in image_files(data) if not is_held_out(p)]
    chosen = files[:: max(1, len(files) // pictures)][:pictures]
    tables = freeze_tables(net, [load_pixels(p) for p in chosen])
    card = {
        "steps": state["step"], "training_seconds": round(state["seconds"]), "tune": state["settings"]["tune"],
        "machine": f"{platform.machine()}, {torch.get_num_threads()} threads, torch {torch.__version__}",
        "date": datetime.datetime.now(datetime.UTC).date().isoformat(), "settings": state["settings"],
        "data": f"{len(files)} pictures", "licences": licences, "validation": state.get("validation"),
    }  # fmt: skip
    save_model(out, net, tables, state["settings"]["tune"], card)
    model = load_model(out, CPU)
    print(f"{out}: {out.stat().st_size} bytes, model {model.digest[:4].hex()}")
    for bound in model.scale.bounds():
        used, limit = np.log2(max(bound.steps, 1)), np.log2(bound.limit)
        print(f"  exact sums, {bound.layer}: 2^{used:.1f} of 2^{limit:.0f} steps")
