"""Metrics, data sets, reports and curves that each break one rule are caught as codecs are."""

from __future__ import annotations

import pytest
from gallery import Fault, Module, caught, module  # noqa: F401

HEAD = """
import numpy as np
from pathlib import Path
from benchbox import *
class M(Metric):
    def open(self, device):
        return S()
class S(Scorer):
    def prepare(self, reference):
        return P(reference)
class P(Prepared):
    def __init__(self, reference): self.reference = reference
    def score(self, image):
        return float(np.abs(self.reference.astype(float) - image).mean())
class Q(Sample):
    id = "q"
    def load(self): return np.zeros((64, 64, 3), np.uint8)
    def sha256(self): return None
class D(DatasetInfo):
    def open(self, argument): return Dataset(id="dd", title="D", samples=(Q(),))
class R(Report):
    def render(self, results, options, out):
        (out / "x.txt").write_text("x")
        return [out / "x.txt"]
@hookimpl
"""
METRIC = HEAD + 'def benchbox_metrics(): return [M("mae", "MAE", "1", "", "lower", Display("MAE"))]'
DATA = HEAD + 'def benchbox_datasets(): return [D(id="dd", title="D")]'
REPORT = HEAD + 'def benchbox_reports(): return [R(id="rr", title="R")]'
CURVE = HEAD + ('def benchbox_references(): return [Reference("pp", "P", "folder", "c", "s", bpp=(0.5, 1.0), '
                'metrics={"psnr": (25.0, 30.0)})]')  # fmt: skip
SCORE = "return float(np.abs(self.reference.astype(float) - image).mean())"

FAULTS = [
    Fault("nan", SCORE, "return float('nan')", "order", "must be a finite float, got nan", METRIC),
    Fault("score is None", SCORE, "return None", "types", "must give a finite float, got None", METRIC),
    Fault("score is np.float32", SCORE, "return np.float32(3)", "types", "return float(...)", METRIC),
    Fault("score writes", SCORE, "image[:] = 0; return 1.0", "types", "let it work on a copy", METRIC),
    Fault("score ends the process", SCORE, "import os; os._exit(1)", "types", "exit status 1", METRIC),
    Fault("open raises", "return S()", "raise RuntimeError('no weights')", "types", "open raised RuntimeError", METRIC),
    Fault("id of a column", '"mae"', '"bpp"', "names", "'bpp' is a column of every result", METRIC),
    Fault("id but for _", '"mae"', '"ms_ssim"', "names", "differs from that of the metric 'ms-ssim' by - and", METRIC),
    Fault("better", '"lower"', '"lowest"', "names", "better must be 'higher' or 'lower'", METRIC),
    Fault("display", 'Display("MAE")', "None", "names", "display must be a Display", METRIC),
    Fault("version", '"1"', "1", "names", "version must be a str", METRIC),
    Fault("no samples", "samples=(Q(),)", "samples=()", "types", "it has no samples", DATA),
    Fault("no Dataset", 'Dataset(id="dd", title="D", samples=(Q(),))', "[Q()]", "types", "got list", DATA),
    Fault("load raises", "return np.zeros((64, 64, 3), np.uint8)", "raise OSError('x')", "pixels", "load raised", DATA),
    Fault("float pixels", "(64, 64, 3), np.uint8", "(64, 64, 3)", "pixels", "neither uint8 nor uint16", DATA),
    Fault("render raises", "        (out", "        1 / 0; (out", "types", "render raised ZeroDivisionError", REPORT),
    Fault("render gives None", '        return [out / "x.txt"]', "", "types", "must give a list of paths", REPORT),
    Fault("no file", 'return [out / "x.txt"]', "return []", "types", "render gave no file", REPORT),
    Fault("changes the frame", "        (out", '        results.frame["psnr"] = 0.0; (out', "input_untouched", "(psnr)",
          REPORT),
    Fault("too few values", "(25.0, 30.0)", "(25.0,)", "points", "has 1 values for 2 rates", CURVE),
    Fault("rates fall", "(0.5, 1.0)", "(1.0, 0.5)", "points", "the rates in bpp must rise", CURVE),
    Fault("unknown metric", '"psnr"', '"psnrr"', "metric_ids", "did you mean 'psnr'?", CURVE),
]  # fmt: skip


@pytest.mark.parametrize("fault", [
    pytest.param(fault, id=fault.name, marks=[pytest.mark.slow] if fault.source is REPORT else []) for fault in FAULTS
])
def test_it_is_caught(fault: Fault, module: Module) -> None:  # noqa: F811
    caught(fault, module(fault.text()))
