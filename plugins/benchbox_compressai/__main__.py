"""``python -m benchbox_compressai MODEL [mse|ms-ssim]``: the former name of ``benchbox compressai fetch``, which stays
for one release."""

from __future__ import annotations

import sys
from collections.abc import Sequence

import click

from benchbox.errors import BenchboxError
from benchbox_compressai.commands import fetch


def main(arguments: Sequence[str]) -> int:
    """Name the new command on standard error, then do the same work; gives the exit status."""
    print("python -m benchbox_compressai is now: benchbox compressai fetch MODEL [--metric ms-ssim]", file=sys.stderr)
    model, *metric = arguments or ["--help"]
    try:
        fetch.main([model, *(f"--metric={name}" for name in metric)], "benchbox compressai fetch",
                   standalone_mode=False)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BenchboxError as error:
        print(f"benchbox: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
