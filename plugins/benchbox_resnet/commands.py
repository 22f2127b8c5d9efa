"""The commands of `benchbox resnet`: train, settle, export, polish and evaluate a model. torch is imported only when a
command runs."""

import dataclasses
from pathlib import Path
from typing import Any

import click

from benchbox.errors import UsageError, did_you_mean
from benchbox_resnet.network.config import MOST, PRESETS, ModelConfig
from benchbox_resnet.training.settings import PolishOptions, Settings, TrainOptions

_FOLDER = click.Path(exists=True, file_okay=False, path_type=Path)
_FILE = click.Path(exists=True, dir_okay=False, path_type=Path)
_NEW = click.Path(path_type=Path)
_DEFAULTS = Settings()


@click.group(context_settings={"show_default": True})
def resnet() -> None:
    """Train models of the codec `resnet` and turn them into weights files."""


@resnet.command()
@click.option("--data", type=_FOLDER, required=True, help="Folder of training pictures.")
@click.option("--out", type=_NEW, required=True, help="Folder for checkpoints; a run found there is continued.")
@click.option("--resume", type=_FILE, help="Start from this checkpoint, or with --fresh from a weights file.")
@click.option("--fresh", is_flag=True, help="Take only the averaged weights of --resume.")
@click.option("--grow", type=_FILE, help="Start from this weights file, grown to the preset's width.")
@click.option("--preset", type=click.Choice(list(PRESETS)), default="small", help="Depth and width of the network.")
@click.option("--set", "fields", multiple=True, metavar="FIELD=VALUE",
              help="Another value for a field of the preset: blocks=6, stride=8, activation=gelu ...")
@click.option("--seconds", type=float, default=_DEFAULTS.seconds, help="Training time of this run.")
@click.option("--decay-seconds", type=float, default=0.0, help="Cosine decay over the last so many seconds.")
@click.option("--tune", type=click.Choice(["mse", "ms-ssim"]), default="mse", help="The measure of distortion.")
@click.option("--batch", type=click.IntRange(1), default=_DEFAULTS.batch, help="Crops per step.")
@click.option("--crop", type=click.IntRange(1), default=_DEFAULTS.crop, help="Side of a crop in pixels.")
@click.option("--muon-lr", type=float, default=_DEFAULTS.muon_lr, help="Learning rate of Muon.")
@click.option("--adam-lr", type=float, default=_DEFAULTS.adam_lr, help="Learning rate of Adam.")
@click.option("--seed", type=int, default=_DEFAULTS.seed, help="Seed of all random numbers.")
@click.option("--device", default="auto", help="auto, cpu, cuda or cuda:N.")
@click.option("--threads", type=click.IntRange(0), default=0, help="PyTorch's CPU threads (0: all).")
@click.option("--workers", type=click.IntRange(1), default=1, help="CPU threads that share a batch, for busy machines.")
@click.option("--compile", is_flag=True, help="Compile the network first (a minute, then faster).")
@click.option("--checkpoint-every", type=float, default=200.0, help="Seconds between checkpoints.")
@click.option("--validate-every", type=float, default=600.0, help="Seconds between validations.")
def train(preset: str, fields: tuple[str, ...], **given: Any) -> None:
    """Train a network on a folder of pictures."""
    names = {f.name for f in dataclasses.fields(Settings)} & set(given)
    settings = Settings(**{name: given.pop(name) for name in names})
    options = TrainOptions(config=_config(preset, fields), settings=settings, **given)
    from benchbox_resnet.training.train import run

    run(options)


@resnet.command()
@click.option("--checkpoint", type=_FILE, required=True, help="A checkpoint of `train`: RUN/last.pt.")
@click.option("--data", type=_FOLDER, required=True, help="Folder of training pictures.")
@click.option("--out", type=_NEW, required=True, help="Checkpoint to write, for `export`.")
@click.option("--seconds", type=float, default=240.0, help="Training time.")
@click.option("--batch", type=click.IntRange(1), default=16, help="Crops per step.")
@click.option("--crop", type=click.IntRange(1), default=192, help="Side of a crop in pixels.")
@click.option("--seed", type=int, default=1, help="Seed of all random numbers.")
def settle(**given: Any) -> None:
    """Fit the coding tables of a trained checkpoint to its fixed transforms."""
    from benchbox_resnet.training.settle import run

    run(**given)


@resnet.command()
@click.option("--checkpoint", type=_FILE, required=True, help="A checkpoint of `train` or `settle`.")
@click.option("--data", type=_FOLDER, required=True, help="Folder of training pictures, for the tables.")
@click.option("--out", type=_NEW, required=True, help="Weights file to write (.safetensors).")
@click.option("--pictures", type=click.IntRange(1), default=96, help="Training pictures that tables are fitted to.")
@click.option("--dependent-from", type=click.IntRange(0, 64), default=12,
              help="First table whose symbols are quantised dependently (64: none).")
@click.option("--licences", default="", help="Licences of the training pictures, for the model card.")
def export(**given: Any) -> None:
    """Freeze a checkpoint into a weights file."""
    from benchbox_resnet.training.export import run

    run(**given)


@resnet.command()
@click.option("--weights", type=_FILE, required=True, help="A weights file of `export`.")
@click.option("--data", type=_FOLDER, required=True, help="Folder of training pictures.")
@click.option("--out", type=_NEW, required=True, help="Weights file to write (.safetensors).")
@click.option("--seconds", type=float, default=600.0, help="Training time.")
@click.option("--steps", type=click.IntRange(1), default=1_000_000, help="Stop after this many steps, if sooner.")
@click.option("--filter-channels", type=click.IntRange(0, MOST["filter_channels"]), default=0,
              help="Add a filter of the decoded picture with so many channels, where the weights have none.")
@click.option("--crops", type=click.IntRange(1), default=3200, help="Crops to encode first, about 0.05 s each.")
@click.option("--held-out", type=click.IntRange(0), default=128, help="Crops of held-out pictures that show the gain.")
@click.option("--batch", type=click.IntRange(1), default=8, help="Crops per step.")
@click.option("--crop", type=click.IntRange(1), default=256, help="Side of a crop in pixels.")
@click.option("--seed", type=int, default=1, help="Seed of all random numbers.")
def polish(**given: Any) -> None:
    """Fit the synthesis of a weights file, and its filter, to what its encoder writes."""
    from benchbox_resnet.training.polish import run

    run(PolishOptions(**given))


@resnet.command()
@click.option("--weights", type=_FILE, required=True, help="A weights file.")
@click.option("--images", type=_FOLDER, required=True, help="Folder of pictures.")
@click.option("--qualities", metavar="Q,Q...", default="0,3,6,9,12,15", help="Qualities from 0 to 15.")
@click.option("--every", type=click.IntRange(1), default=1, help="Take every n-th picture.")
@click.option("--threads", type=click.IntRange(1), default=1, help="CPU threads of the networks.")
def evaluate(qualities: str, **given: Any) -> None:
    """Measure real bytes and PSNR of a weights file on a folder of pictures."""
    try:
        numbers = [float(quality) for quality in qualities.split(",")]
    except ValueError:
        raise UsageError(f"--qualities takes numbers like 0,7.5,15, not '{qualities}'") from None
    from benchbox_resnet.training.evaluate import run

    run(qualities=numbers, **given)


def _config(preset: str, fields: tuple[str, ...]) -> ModelConfig:
    """The preset with the `FIELD=VALUE` texts applied; raises UsageError where they make no model."""
    try:
        return dataclasses.replace(PRESETS[preset], **dict(_field(text) for text in fields))
    except ValueError as error:
        raise UsageError(f"--set: {error}") from None


def _field(text: str) -> tuple[str, Any]:
    """`FIELD=VALUE` -> the name of a field of `ModelConfig` and a value of its type."""
    name, _, value = text.partition("=")
    kinds = {name: type(value) for name, value in dataclasses.asdict(ModelConfig()).items()}
    if name not in kinds:
        known = did_you_mean(name, kinds) or f"; it has {', '.join(kinds)}"
        raise UsageError(f"--set: a model has no field '{name}'{known}")
    try:
        return name, kinds[name](value)
    except ValueError:
        raise UsageError(f"--set: {name} takes a number ({kinds[name].__name__}), not '{value}'") from None
