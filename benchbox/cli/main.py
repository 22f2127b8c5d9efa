"""The entry point of the command line: prints every error as one line and sets the exit code."""

from __future__ import annotations

import os
import sys

import click

from benchbox.cli import data, encode, report, run, show  # noqa: F401  (each adds its commands)
from benchbox.cli.group import commands
from benchbox.errors import BenchboxError


def main() -> None:
    """Run the command line. An error is one line, without a traceback unless --debug is among the arguments."""
    arguments = sys.argv[1:]
    debug = "--debug" in arguments
    try:
        code = commands.main([a for a in arguments if a != "--debug"], prog_name="benchbox", standalone_mode=False)
    except click.ClickException as error:
        error.show()
        code = 2
    except BrokenPipeError:  # `benchbox list codecs | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (KeyboardInterrupt, click.Abort):
        code = _fail("stopped", 130)
    except BenchboxError as error:
        if debug:
            raise
        code = _fail(str(error), error.exit_code)
    except OSError as error:
        if debug:
            raise
        code = _fail(f"{error.filename or 'system'}: {error.strerror or error}", 1)
    except Exception as error:  # a bug of benchbox itself
        if debug:
            raise
        code = _fail(f"unexpected {type(error).__name__}: {error}; run again with --debug and report it", 1)
    sys.exit(code or 0)


def _fail(message: str, code: int) -> int:
    click.echo(f"benchbox: {' '.join(message.split())}", err=True)
    return code
