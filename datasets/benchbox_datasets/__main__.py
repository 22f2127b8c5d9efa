"""``python -m benchbox_datasets FOLDER``: print the manifest of a folder of pictures."""

from __future__ import annotations

import re
import sys
from pathlib import Path

from benchbox.errors import BenchboxError
from benchbox_datasets.describe import describe


def main() -> int:
    """Exit code 0, or 2 after one line on standard error."""
    if len(sys.argv) != 2 or sys.argv[1].startswith("-"):
        print("usage: python -m benchbox_datasets FOLDER > FOLDER/manifest.toml", file=sys.stderr)
        return 2
    folder = Path(sys.argv[1]).absolute()
    name = re.sub(r"[^a-z0-9]+", "-", folder.name.lower()).strip("-") or "pictures"
    try:
        print(describe(folder, name, folder.name or "pictures"), end="")
    except BenchboxError as error:
        print(f"error: {error}", file=sys.stderr)
        return error.exit_code
    return 0


if __name__ == "__main__":
    sys.exit(main())
