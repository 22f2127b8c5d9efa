"""``python -m benchbox_compressai MODEL [mse|ms-ssim]``: fetch the zoo's weights of a model."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from urllib.error import URLError

from benchbox_compressai import library, weights


def main(arguments: Sequence[str]) -> int:
    """Download what is not there yet; the names carry the SHA-256 prefixes that the files are checked against."""
    reason = library.missing()
    if reason is not None:
        print(f"compressai: {reason}", file=sys.stderr)
        return 1
    library.architectures()
    import torch
    from compressai.zoo.image import model_urls

    model, metric = (*arguments, "mse")[:2] if arguments else ("", "mse")
    if model not in model_urls or metric not in model_urls[model]:
        print(f"usage: python -m benchbox_compressai MODEL [mse|ms-ssim], MODEL out of {', '.join(model_urls)}",
              file=sys.stderr)
        return 2
    folder = weights.folder()
    folder.mkdir(parents=True, exist_ok=True)
    for url in model_urls[model][metric].values():
        name = url.rpartition("/")[2]
        if (folder / name).exists():
            continue
        try:
            torch.hub.download_url_to_file(url, str(folder / name), name.removesuffix(".pth.tar").rpartition("-")[2])
        except (URLError, OSError, RuntimeError) as error:
            print(f"{url}: {error}; fetch it elsewhere and put it into {folder}", file=sys.stderr)
            return 1
        print(folder / name)
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
