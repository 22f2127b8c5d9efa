"""A run loads what its plan names: no library of another codec, metric or report, neither here nor in its workers."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = ("torch", "pandas", "pyarrow", "matplotlib", "scipy", "numba", "skimage", "pyvips", "pillow_heif",
         "pyjpegli", "compressai", "dask", "jinja2")  # fmt: skip
"""Not imagecodecs: its libdeflate unpacks the PNGs."""
IN_WORKERS = tuple(name for name in HEAVY if name not in ("numba", "scipy"))  # the kernels of the metrics bring these

CODEC = f'''
import sys
from benchbox import Codec, CodecInfo, QualityAxis, hookimpl
from benchbox.errors import CodecError

class Looks(Codec):
    def __init__(self, info, options, device): pass
    def encode(self, image, quality):
        raise CodecError("the worker has " + repr([name for name in {IN_WORKERS!r} if name in sys.modules]))
    def decode(self, data): raise CodecError("there is no stream")

class Info(CodecInfo):
    def identity(self, options): return "looks 1"

@hookimpl
def benchbox_codecs():
    return [Info(id="looks", title="looks", quality=QualityAxis("q", (1,), 1, 1), codec_class=Looks)]
'''


def test_a_plan_of_jpeg_loads_no_other_library(tmp_path: Path) -> None:
    (tmp_path / "looks.py").write_text(CODEC)
    run = ["run", "--no-report", "--dataset", "samples", "--codec", "jpeg@50", "--codec", "looks", "--metric", "psnr",
           "--metric", "ms-ssim", "--plugin", "looks.py"]  # fmt: skip
    code = (f"import sys; sys.argv[1:] = {run!r}\n"
            "from benchbox.cli.main import main\n"
            "try: main()\n"
            f"finally: print('here', [name for name in {HEAVY!r} if name in sys.modules])")  # fmt: skip
    done = subprocess.run([sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.stdout.splitlines()[0].startswith("run: 4 failed, 4 ok"), done.stderr
    assert done.stdout.splitlines()[-1] == "here []"
    assert "the worker has []" in done.stderr
