"""`benchbox-resnet`: train, settle, export, polish, evaluate."""

import argparse
import sys

from benchbox.errors import BenchboxError
from benchbox_resnet.training import evaluate, export, polish, settle, train


def main(arguments: list[str] | None = None) -> None:
    """The command line."""
    parser = argparse.ArgumentParser(prog="benchbox-resnet", description=__doc__)
    commands = parser.add_subparsers(required=True, metavar="COMMAND")
    for module, summary in (
        (train, "train a network on a folder of pictures"),
        (settle, "fit the tables of a trained checkpoint, transforms at rest"),
        (export, "freeze a checkpoint into a weights file"),
        (polish, "fit the synthesis of a weights file to what its encoder writes"),
        (evaluate, "real bytes and PSNR of a weights file on a folder of pictures"),
    ):
        command = commands.add_parser(module.__name__.rpartition(".")[2], help=summary, description=module.__doc__)
        module.add_arguments(command)
        command.set_defaults(run=module.run)
    args = parser.parse_args(arguments)
    try:
        args.run(args)
    except BenchboxError as error:
        sys.exit(f"benchbox-resnet: {error}")
