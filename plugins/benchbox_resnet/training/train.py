"""`benchbox resnet train`: reads pictures from a folder and writes checkpoints into another, until the time is over."""

import contextlib
import dataclasses
import os
import signal
import time
from collections.abc import Iterator
from types import FrameType

import torch

from benchbox.errors import UsageError
from benchbox_resnet.network.blocks import BlockStatistics
from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.start import hyper_crops, start_hyper
from benchbox_resnet.training.checkpoint import CPU, load_checkpoint, save_checkpoint
from benchbox_resnet.training.data import CropSampler, TrainingData
from benchbox_resnet.training.grow import as_checkpoint, grow, trained_form
from benchbox_resnet.training.retune import MASKING, MS_SSIM_RANGE
from benchbox_resnet.training.settings import TrainOptions
from benchbox_resnet.training.trainer import Trainer
from benchbox_resnet.training.validation import as_line, held_out_curve
from benchbox_resnet.training.world import World, joined


def choose_device(name: str) -> torch.device:
    """The device of that name; `auto`: CUDA where there is one. Raises UsageError for other names."""
    if name != "auto":
        try:
            return torch.device(name)
        except RuntimeError:
            raise UsageError(f"--device: there is no '{name}'; use auto, cpu, cuda or cuda:N") from None
    return torch.device("cuda", int(os.environ.get("LOCAL_RANK", "0"))) if torch.cuda.is_available() else CPU


def build(options: TrainOptions, data: TrainingData, device: torch.device) -> Trainer:
    """A trainer that continues this run's own checkpoint, or `resume`, or starts from nothing, in this order."""
    own = options.out / "last.pt"
    source = own if own.exists() else options.resume
    if source is None:
        return begin(options, data, device)
    weights = source.suffix == ".safetensors"
    if weights and not options.fresh:
        raise UsageError(f"--resume {source}: a weights file holds no optimisers; add --fresh to start new ones")
    state = as_checkpoint(source) if weights else load_checkpoint(source, device)
    config = ModelConfig.from_json(state["config"])
    if options.settings.tune == "ms-ssim" and options.fresh:
        config = dataclasses.replace(config, **MASKING, **MS_SSIM_RANGE)
    trainer = Trainer(config, options.settings, device, options.workers)
    if source == own:
        trainer.load(state)
    else:
        trainer.branch(state, options.fresh, hyper_crops(data.train, side=crop_side(options, config)))
    return trainer


def begin(options: TrainOptions, data: TrainingData, device: torch.device) -> Trainer:
    """A trainer at step 0."""
    trainer = Trainer(options.config, options.settings, device, options.workers)
    side = crop_side(options, trainer.config)
    if options.grow is not None:
        trainer.net.load_state_dict(grow(trained_form(options.grow), trainer.config, data.train, side).state_dict())
    else:
        statistics = BlockStatistics.measure(data.train, trainer.config.stride, trainer.config.latents)
        trainer.net.start_from(statistics)
        start_hyper(trainer.net, hyper_crops(data.train, side=side))
    trainer.average.load_state_dict(trainer.net.state_dict())
    return trainer


def crop_side(options: TrainOptions, config: ModelConfig) -> int:
    """Side in pixels of the crops that a network is initialised on: whole cells."""
    return max(1, options.settings.crop // config.pad_multiple) * config.pad_multiple


@contextlib.contextmanager
def stop_flag() -> Iterator[list[int]]:
    """A list that SIGTERM and SIGINT append to, so that a last checkpoint is written before the process ends."""
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
    """Print the held-out curve of the averaged weights in one line; the next checkpoint holds it."""
    curve = held_out_curve(trainer.average, data.validation, trainer.settings.tune)
    if curve:
        trainer.validation = curve
        print(f"[validation] step {trainer.step_count} {as_line(curve)}", flush=True)


def run(options: TrainOptions) -> None:
    """Train until the seconds of training time are over or a signal arrives."""
    settings = options.settings
    if options.threads:
        torch.set_num_threads(options.threads)
    torch.set_flush_denormal(True)
    torch.manual_seed(settings.seed)
    device = choose_device(options.device)
    options.out.mkdir(parents=True, exist_ok=True)
    with joined(device) as world:
        data = TrainingData.load(options.data, settings.crop)
        trainer = build(options, data, device)
        seed = settings.seed + 1000 * world.rank + trainer.step_count
        torch.manual_seed(seed)
        sampler = CropSampler(data, settings.batch, settings.crop, seed)
        if world.rank == 0:
            count = sum(p.numel() for p in trainer.net.parameters())
            print(f"{len(data.train)} pictures and copies, {len(data.validation)} held out; {count} parameters; "
                  f"{device}, {world.size} processes, bfloat16 {trainer.bfloat16}; {trainer.config.to_json()}",
                  flush=True)  # fmt: skip
        loop(options, trainer, sampler, data, world)


def loop(options: TrainOptions, trainer: Trainer, sampler: CropSampler, data: TrainingData, world: World) -> None:
    """Steps, progress, checkpoints and validations. Of several processes the first decides when to stop, and writes."""
    seconds = options.settings.seconds

    def checkpoint() -> None:
        save_checkpoint(trainer.state(), options.out / "last.pt")

    saved = checked = time.monotonic()
    means: dict[str, float] = {}
    if options.compile:
        trainer.compile()
    model = world.wrap(trainer.net, trainer.device)
    with stop_flag() as arrived:
        while trainer.seconds - trainer.started < seconds:
            if world.agree(len(arrived), trainer.device):
                break
            report = trainer.step(sampler.draw().to(trainer.device), model)
            trainer.seconds = world.agree(trainer.seconds, trainer.device)
            if world.rank:
                continue
            for name, value in report.items():
                means[name] = means.get(name, value) + 0.02 * (value - means.get(name, value))
            if trainer.step_count % 100 == 0:
                left = seconds - (trainer.seconds - trainer.started)
                line = " ".join(f"{k} {v:.4f}" for k, v in means.items())
                print(f"step {trainer.step_count} {line} | {trainer.seconds:.0f} s, {left:.0f} s left", flush=True)
            if time.monotonic() - saved > options.checkpoint_every:
                checkpoint()
                saved = time.monotonic()
            if data.validation and time.monotonic() - checked > options.validate_every:
                report_validation(trainer, data)
                checked = time.monotonic()
    if world.rank:
        return
    checkpoint()
    if data.validation and not arrived:
        report_validation(trainer, data)
        checkpoint()
    print(f"done: step {trainer.step_count}, {trainer.skipped} skipped, {trainer.seconds:.0f} s", flush=True)
