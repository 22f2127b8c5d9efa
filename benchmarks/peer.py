"""Prepares the peer that `throughput.py` compares with: CompressAI in a virtual environment of its own.

    python benchmarks/peer.py [FOLDER]        default: .bench/peer in the repository (ignored by git)

It can be run again: an environment that works is left as it is. Versions are those of constraints.txt where it names
them, so that both sides encode with the same Pillow and the same libjpeg-turbo.

CompressAI is installed without its dependencies, since they require a torchvision that cannot be imported with this
torch, torch_geometric and an old numpy. `compressai.utils.bench` calls neither torchvision nor torch_geometric, but
importing `compressai` imports both, so each is replaced by a few empty names. Everything that the benchmark calls
(torch, Pillow, pytorch-msssim) is the original package.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import venv
from collections.abc import Sequence
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
FOLDER = ROOT / ".bench" / "peer"

TORCH = "torch==2.13.0"
"""Installed first and by its exact version: a bare `torch` takes a CUDA build of several gigabytes."""

PEER = "compressai==1.2.8"

NEEDED = ("numpy", "scipy", "pillow", "einops", "pytorch-msssim", "requests", "tqdm", "tomli", "matplotlib", "pandas",
          "psutil", "aiohttp", "xxhash")  # fmt: skip
"""Packages that importing CompressAI needs in addition to torch."""

STUBS = {
    "torchvision/__init__.py": "",
    "torchvision/transforms.py": "",
    "torch_geometric/__init__.py": "",
    "torch_geometric/data/__init__.py": "class Data: ...\n",
    "torch_geometric/data/datapipes.py": "def functional_transform(name):\n    return lambda cls: cls\n",
    "torch_geometric/transforms.py": "class BaseTransform: ...\n\n\nclass Center(BaseTransform): ...\n",
}
"""Files of the replaced packages, with only the names that importing CompressAI uses."""

CHECK = "import compressai, PIL, torch; print('CompressAI', compressai.__version__, 'torch', torch.__version__, " \
        "'Pillow', PIL.__version__)"  # fmt: skip


def python_of(folder: Path) -> Path:
    """The interpreter of the environment in `folder`."""
    return folder / "bin" / "python"


def check(folder: Path) -> str | None:
    """The peer's versions in one line, or None if it is not ready."""
    if not python_of(folder).exists():
        return None
    done = subprocess.run([python_of(folder), "-c", CHECK], capture_output=True, text=True, check=False)
    return done.stdout.strip() if done.returncode == 0 else None


def install(folder: Path, packages: Sequence[str]) -> None:
    """Install `packages`, which may include pip options, into the environment."""
    print(f"pip install {' '.join(packages)}", flush=True)
    command = [str(python_of(folder)), "-m", "pip", "install", "--quiet", "--disable-pip-version-check", *packages]
    done = subprocess.run(command, check=False)
    if done.returncode != 0:
        sys.exit(f"peer: pip could not install {' '.join(packages)} into {folder} (see above); run this again")


def write_stubs(folder: Path) -> None:
    """Write the replaced packages into the environment."""
    (site,) = folder.glob("lib/python3*/site-packages")
    for name, text in STUBS.items():
        path = site / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    print("stubs for torchvision and torch_geometric written", flush=True)


def prepare(folder: Path) -> str:
    """Install the peer into `folder` unless it is there; returns its versions."""
    ready = check(folder)
    if ready is not None:
        return ready
    if not python_of(folder).exists():
        print(f"virtual environment in {folder}", flush=True)
        venv.create(folder, with_pip=True)
    bound = ("-c", str(ROOT / "constraints.txt"))
    install(folder, (TORCH, *bound))
    install(folder, ("--no-deps", PEER))
    install(folder, (*NEEDED, *bound))
    write_stubs(folder)
    ready = check(folder)
    if ready is None:
        sys.exit(f"peer: `{python_of(folder)} -c 'import compressai'` fails; delete {folder} and run this again")
    return ready


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("folder", type=Path, nargs="?", default=FOLDER)
    folder = parser.parse_args().folder
    print(f"{prepare(folder)}: ready in {folder}")


if __name__ == "__main__":
    main()
