"""A mistake in a codec's code is called one, at its own line: a method that is missing, misnamed or takes other
arguments, a name that is not defined, a wrong result of what a base class calls."""

from __future__ import annotations

from dataclasses import replace

import pytest
from gallery import CHECKED, Fault, Module, caught, module  # noqa: F401

COMPRESS, DECODE, KEPT = "def compress(self, image, quality):", "def decode(self, data):", "        kept = image >>"
PACK, MADE = "        return zlib.compress(bytes", "        return out"
MORE, CODEC = "    MORE = None", "class Toy(CheckedCodec):"

FAULTS = [
    Fault("compress misnamed", COMPRESS, "def compres(self, image, quality):", "opens",
          "class Toy has no method 'compress'; rename its method 'compres' to 'compress'", at="def compres("),
    Fault("compress in capitals", COMPRESS, "def Compress(self, image, quality):", "opens",
          "rename its method 'Compress' to 'compress'", at="def Compress("),
    Fault("compress missing", COMPRESS, "def other(self, image, quality):", "opens",
          "class Toy has no method 'compress'; write `def compress(self, image, quality)`", at=CODEC),
    Fault("decode misnamed", DECODE, "def decode_(self, data):", "opens", "rename its method 'decode_' to 'decode'",
          at="def decode_("),
    Fault("both missing", CODEC, CODEC + "\n    pass\n\nclass Other:", "opens",
          "has no methods 'compress' and 'decode'; write `def compress(self, image, quality)` and write `def decode(",
          at=CODEC),
    Fault("missing where open makes it", MORE,
          "    def open(self, options, device):\n        class Half(CheckedCodec):\n"
          "            def decode(self, data): pass\n        return Half(self, options)", "opens",
          "class Half has no method 'compress'; write `def compress(self, image, quality)`", at="class Half"),
    Fault("no codec_class", 'id, title, codec_class = "toy", "Toy", Toy', "id, title = 'toy', 'Toy'", "opens",
          "class Info has no codec_class; set it or override open", at="class Info"),
    Fault("__init__ missing", CODEC, "class Toy(Codec):\n    def encode(self, image, quality): pass\n", "opens",
          "open makes its codec by Toy(info, options, device), which takes (); write `def __init__(self, info, options",
          at="class Toy(Codec)"),
    Fault("__init__ of other arguments", CODEC, CODEC + "\n    def __init__(self): pass\n", "opens",
          "Toy(info, options, device), which takes (); write `def __init__(", at="def __init__"),
    Fault("__init__ misnamed", CODEC,
          CODEC + "\n    def _init_(self, info, options, device): self.depth = 8", "types",
          "has no attribute 'depth'; rename its method '_init_' to '__init__'",
          at="kept = image >> (self.depth"),
    Fault("compress without quality", COMPRESS, "def compress(self, image):\n        quality = 3", "opens",
          "compress takes (image); it must take (image, quality)", at="def compress("),
    Fault("axis without options", "    FACTS = None", "    def axis(self): return self.quality", "declarations",
          "axis takes (); it must take (options)", at="def axis("),
    Fault("name that is not defined", KEPT, "        kept = imag >>", "types",
          "encode raised NameError: name 'imag' is not defined; this is an error in its code, mend it", at="imag >>"),
    Fault("attribute that is not there", MADE, "        return np.ascontigousarray(out)", "types",
          "decode raised AttributeError: module 'numpy' has no attribute 'ascontigousarray'; this is an error in its",
          at="np.ascontigousarray"),
    Fault("too many arguments", PACK, "        return struct.pack('<B')\n        return zlib.compress(bytes", "types",
          "mend it, or raise UnsupportedImageError with the reason where such a picture cannot be encoded",
          at="struct.pack('<B')"),
    Fault("wrong type in a call", KEPT, "        quality = quality + 'x'\n        kept = image >>", "types",
          "encode raised TypeError: unsupported operand type(s) for +", at="quality + 'x'"),
    Fault("compress gives an array", PACK, "        return kept\n        return zlib.compress(bytes", "types",
          "encode must return non-empty bytes, got ndarray", at="def compress("),
    Fault("compress prints", KEPT, "        print('hello')\n        kept = image >>", "surroundings",
          "encode printed 'hello'", at="def compress("),
    Fault("compress leaves files open", KEPT, "        OPEN.append(open(__file__))\n        kept = image >>",
          "leftovers", "more file(s) open", at=CODEC),
    Fault("compress keeps state", KEPT,
          "        self.n = getattr(self, 'n', 0) + 1; bits = max(1, bits - self.n % 2)\n"
          "        kept = image >>", "deterministic", "gives different bytes", at="def compress("),
]  # fmt: skip
QUICK = {"compress misnamed", "missing where open makes it", "__init__ of other arguments", "compress without quality",
         "name that is not defined", "compress gives an array", "compress prints"}  # fmt: skip


@pytest.mark.parametrize("fault", [
    pytest.param(fault, id=fault.name, marks=[] if fault.name in QUICK else [pytest.mark.slow]) for fault in FAULTS
])
def test_it_is_called_a_mistake_at_its_line(fault: Fault, module: Module) -> None:  # noqa: F811
    fault = replace(fault, source=CHECKED.replace("8 - bits", "self.depth - bits") if "depth" in fault.at else CHECKED)
    caught(fault, module(fault.text()))
