"""`benchbox-resnet train`: data from a folder, checkpoints into another, until the time is over."""

import argparse
import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import torch

from benchbox.errors import UsageError
from benchbox_resnet.network.blocks import BlockStatistics
from benchbox_resnet.network.config import PRESETS, ModelConfig
from benchbox_resnet.network.start import hyper_crops, start_hyper
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.grow import as_checkpoint, grow, trained_form
from benchbox_resnet.training.retune import MASKING, MS_SSIM_RANGE
from benchbox_resnet.training.trainer import Settings, Trainer, save_checkpoint
from benchbox_resnet.training.validation import as_line, held_out_curve
from benchbox_resnet.training.world import World, joined

CPU = torch.device("cpu")


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """The options of `train`."""
    defaults = Settings()
    parser.add_argument("--data", type=Path, required=True, help="folder of training pictures")
    parser.add_argument("--out", type=Path, required=True, help="folder for checkpoints; a run found there goes on")
    parser.add_argument("--resume", type=Path, help="start from this checkpoint, or with --fresh from a weights file")
    parser.add_argument("--fresh", action="store_true", help="of --resume, take the averaged weights only")
    parser.add_argument("--grow", type=Path, help="start from this weights file, grown to the preset's width")
    parser.add_argument("--preset", choices=PRESETS, default="small")
    parser.add_argument("--set", type=field, action="append", default=[], metavar="FIELD=VALUE", dest="fields",
                        help="another value for a field of the preset: blocks=6, stride=8, activation=gelu ...")
    parser.add_argument("--seconds", type=float, default=defaults.seconds, help="training time of this run")
    parser.add_argument("--decay-seconds", type=float, default=0.0, help="cosine decay over the last so many of them")
    parser.add_argument("--tune", choices=("mse", "ms-ssim"), default="mse")
    parser.add_argument("--batch", type=int, default=defaults.batch)
    parser.add_argument("--crop", type=int, default=defaults.crop)
    parser.add_argument("--muon-lr", type=float, default=defaults.muon_lr)
    parser.add_argument("--adam-lr", type=float, default=defaults.adam_lr)
    parser.add_argument("--seed", type=int, default=defaults.seed)
    parser.add_argument("--device", default="auto", help="auto, cpu, cuda or cuda:N")
    parser.add_argument("--threads", type=int, default=0, help="PyTorch's CPU threads (0: all)")
    parser.add_argument("--workers", type=int, default=1, help="CPU threads that share a batch, for busy machines")
    parser.add_argument("--compile", action="store_true", help="compile the network first (a minute, then faster)")
    parser.add_argument("--checkpoint-every", type=float, default=200.0, help="seconds")
    parser.add_argument("--validate-every", type=float, default=600.0, help="seconds")


def field(text: str) -> tuple[str, Any]:
    """`FIELD=VALUE` -> the name of a field of `ModelConfig` and a value of its type."""
    name, _, value = text.partition("=")
    kinds = {name: type(value) for name, value in dataclasses.asdict(ModelConfig()).items()}
    if name not in kinds:
        raise argparse.ArgumentTypeError(f"a model has no field {name!r}; it has {', '.join(kinds)}")
    try:
        return name, kinds[name](value)
    except ValueError:
        raise argparse.ArgumentTypeError(f"{name} takes a number ({kinds[name].__name__}), not {value!r}") from None


def chosen_config(args: argparse.Namespace) -> ModelConfig:
    """The preset with the fields that were given; raises UsageError where they make no model."""
    try:
        return dataclasses.replace(PRESETS[args.preset], **dict(args.fields))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None


def choose_device(name: str) -> torch.device:
    """`auto` is CUDA where there is one."""
    if name != "auto":
        return torch.device(name)
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else CPU


def settings_from(args: argparse.Namespace) -> Settings:
    """The part of the options that a checkpoint remembers."""
    names = {f.name for f in dataclasses.fields(Settings)} & set(vars(args))
    return Settings(**{n: getattr(args, n) for n in names})


def build(args: argparse.Namespace, data: TrainingData, device: torch.device) -> Trainer:
    """A trainer that goes on from this run's own checkpoint, from `--resume`, or from nothing, in this order."""
    own = args.out / "last.pt"
    source = own if own.exists() else args.resume
    if source is None:
        return begin(args, data, device)
    state = as_checkpoint(source) if source.suffix == ".safetensors" else load_checkpoint(source, device)
    config = ModelConfig.from_json(state["config"])
    if args.tune == "ms-ssim" and args.fresh:
        config = dataclasses.replace(config, **MASKING, **MS_SSIM_RANGE)
    trainer = Trainer(config, settings_from(args), device, args.workers)
    if source == own:
        trainer.load(state)
    else:
        trainer.branch(state, args.fresh, hyper_crops(data.train, side=crop_side(args, config)))
    return trainer


def load_checkpoint(path: Path, device: torch.device) -> dict[str, Any]:
    """What `save_checkpoint` wrote."""
    state: dict[str, Any] = torch.load(path, weights_only=True, map_location=device)
    return state


def begin(args: argparse.Namespace, data: TrainingData, device: torch.device) -> Trainer:
    """A trainer at step 0."""
    trainer = Trainer(chosen_config(args), settings_from(args), device, args.workers)
    side = crop_side(args, trainer.config)
    if args.grow is not None:
        trainer.net.load_state_dict(grow(trained_form(args.grow), trainer.config, data.train, side).state_dict())
    else:
        statistics = BlockStatistics.measure(data.train, trainer.config.stride, trainer.config.latents)
        trainer.net.start_from(statistics)
        start_hyper(trainer.net, hyper_crops(data.train, side=side))
    trainer.average.load_state_dict(trainer.net.state_dict())
    return trainer


def crop_side(args: argparse.Namespace, config: ModelConfig) -> int:
    """Side of the crops that a network is started on: whole cells."""
    return max(1, int(args.crop) // config.pad_multiple) * config.pad_multiple


@contextlib.contextmanager
def stop_flag() -> Iterator[list[int]]:
    """A list that fills when SIGTERM or SIGINT arrives, so that the last checkpoint is written first."""
    arrived: list[int] = []

    def note(number: int, frame: FrameType | None) -> None:
        arrived.append(number)

    previous = {n: signal.signal(n, note) for n in (signal.SIGTERM, signal.SIGINT)}
    try:
        yield arrived
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


def report_validation(trainer: Trainer, data: TrainingData) -> None:
    """Print one line with the held-out curve of the averaged weights; the next checkpoint keeps it."""
    curve = held_out_curve(trainer.average, data.validation, trainer.settings.tune)
    if curve:
        trainer.validation = curve
        print(f"[validation] step {trainer.step_count} {as_line(curve)}", flush=True)


def run(args: argparse.Namespace) -> None:
    """Train until `--seconds` of training time are over or a signal asks to stop."""
    if args.threads:
        torch.set_num_threads(args.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(args.seed)
    device = choose_device(args.device)
    args.out.mkdir(parents=True, exist_ok=True)
    with joined(device) as world:
        data = TrainingData.load(args.data, args.crop)
        trainer = build(args, data, device)
        torch.manual_seed(args.seed + 1000 * world.rank + trainer.step_count)
        sampler = CropSampler(data, args.batch, args.crop, args.seed + 1000 * world.rank + trainer.step_count)
        if world.rank == 0:
            count = sum(p.numel() for p in trainer.net.parameters())
            print(f"{len(data.train)} pictures and copies, {len(data.validation)} held out; {count} parameters; "
                  f"{device}, {world.size} processes, bfloat16 {trainer.bfloat16}; {trainer.config.to_json()}",
                  flush=True)  # fmt: skip
        loop(args, trainer, sampler, data, world)


def loop(
    args: argparse.Namespace, trainer: Trainer, sampler: CropSampler, data: TrainingData, world: World
) -> None:
    """Steps, progress, checkpoints and validations; the first process of several decides and writes."""

    def checkpoint() -> None:
        save_checkpoint(trainer.state(), args.out / "last.pt")

    saved = checked = time.monotonic()
    means: dict[str, float] = {}
    if args.compile:
        trainer.compile()
    model = world.wrap(trainer.net, trainer.device)
    with stop_flag() as arrived:
        while trainer.seconds - trainer.started < args.seconds:
            if world.agree(len(arrived), trainer.device):
                break
            report = trainer.step(sampler.draw().to(trainer.device), model)
            trainer.seconds = world.agree(trainer.seconds, trainer.device)
            if world.rank:
                continue
            for name, value in report.items():
                means[name] = means.get(name, value) + 0.02 * (value - means.get(name, value))
            if trainer.step_count % 100 == 0:
                left = args.seconds - (trainer.seconds - trainer.started)
                line = " ".join(f"{k} {v:.4f}" for k, v in means.items())
                print(f"step {trainer.step_count} {line} | {trainer.seconds:.0f} s, {left:.0f} s left", flush=True)
            if time.monotonic() - saved > args.checkpoint_every:
                checkpoint()
                saved = time.monotonic()
            if data.validation and time.monotonic() - checked > args.validate_every:
                report_validation(trainer, data)
                checked = time.monotonic()
    if world.rank:
        return
    checkpoint()
    if data.validation and not arrived:
        report_validation(trainer, data)
        checkpoint()
    print(f"done: step {trainer.step_count}, {trainer.skipped} skipped, {trainer.seconds:.0f} s", flush=True)


if __name__ == "__main__":
    _parser = argparse.ArgumentParser(description=__doc__)
    add_arguments(_parser)
    run(_parser.parse_args())
