"""``python -m benchbox_datasets FOLDER``: the former name of ``benchbox dataset describe``, kept for one release."""

from __future__ import annotations

import sys
from pathlib import Path

from benchbox.errors import BenchboxError
from benchbox_datasets.describe import describe


def main() -> int:
    """Print the manifest of a folder. Exit code 0, or 2 (usage) or 1 after one line on standard error."""
    print("python -m benchbox_datasets will go with the next release: use `benchbox dataset describe`", file=sys.stderr)
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("usage: benchbox dataset describe FOLDER > FOLDER/manifest.toml", file=sys.stderr)
        return 2
    try:
        print(describe(Path(sys.argv[1])), end="")
    except BenchboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
