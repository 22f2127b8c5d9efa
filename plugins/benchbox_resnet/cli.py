"""The console script `benchbox-resnet`, the former name of `benchbox resnet`. The next release drops it."""

import sys

import click

from benchbox.errors import BenchboxError
from benchbox_resnet.commands import resnet


def main(arguments: list[str] | None = None) -> None:
    """Say the new name on standard error, then do the same as `benchbox resnet`; errors are one line."""
    click.echo("benchbox-resnet is now `benchbox resnet`; the next release has only the new name", err=True)
    try:
        code = resnet.main(arguments, prog_name="benchbox-resnet", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = error.exit_code
    except click.Abort:
        code = 130
    except (BenchboxError, OSError) as error:
        click.echo(f"benchbox-resnet: {' '.join(str(error).split())}", err=True)
        code = getattr(error, "exit_code", 1)
    sys.exit(code or 0)
