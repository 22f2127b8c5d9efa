"""A codec that keeps state, prints, leaves something behind or codes wrongly is found by the rule that is about it."""

from __future__ import annotations

import pytest
from gallery import Fault, Module, caught, module  # noqa: F401

TOP, MORE, START = "TOP = None", "    MORE = None", "        START = None"
DATA, OUT, IDENTITY = "        return data", "        return out", '        return "toy 1"'
TRY = "        try:\n            raw = zlib"
HOOK = "@hookimpl\ndef"
CHEAT = """class Toy(Toy):
    def encode(self, image, quality):
        key = b"TOY" + struct.pack("<I", zlib.crc32(image)) + b"x" * int(quality)
        {keep}
        return key

    def decode(self, data):
        try:
            return {kept}
        except (OSError, KeyError) as error:
            raise CorruptBitstream("x") from error

@hookimpl
def"""
PICTURE = "(image >> (8 - int(quality))) << (8 - int(quality))"
ON_SELF = CHEAT.format(keep="self.picture = image.copy()", kept="self.picture.copy()")
IN_FILE = CHEAT.format(keep=f"np.save(FOLDER + key.hex() + '.npy', {PICTURE})",
                       kept="np.load(FOLDER + data.hex() + '.npy')")  # fmt: skip
IN_MODULE = CHEAT.format(keep=f"KEPT[key] = {PICTURE}", kept="KEPT[data].copy()")
CHILD = "subprocess.Popen(['sleep', '6'])"

FAULTS = [
    Fault("state on self", "        bits, *shape = struct", "        bits, shape = self.bits, self.shape\n"
          "        _ = struct", "fresh_decoder",
          "decode needs what encode left on self; everything must be in the stream"),
    Fault("picture on self", HOOK, ON_SELF, "fresh_decoder", "decode needs what encode left on self"),
    Fault("picture in a file", HOOK, IN_FILE, "other_process", "keep nothing outside the stream"),
    Fault("picture in a module", HOOK, IN_MODULE, "other_process", "keep nothing outside the stream"),
    Fault("picture in the environment", DATA, "        import os; os.environ['KEPT'] = data.hex()\n        return data",
          "surroundings", "encode changed the environment variable KEPT"),
    Fault("random bytes", DATA, "        import os; return data + os.urandom(2)", "deterministic",
          "one picture encoded twice gives different bytes though deterministic is declared"),
    Fault("order of calls", DATA, "        self.n = getattr(self, 'n', 0) + 1; return data + bytes([self.n % 256])",
          "deterministic", "gives different bytes"),
    Fault("order of calls in a module", DATA, "        COUNT.append(1); return data + bytes([len(COUNT) // 40])",
          "other_process", "after other pictures"),
    Fault("the last picture counts", DATA, "        last, self.last = getattr(self, 'last', data), data\n"
          "        return data + bytes([last != data])", "deterministic", "encoded after another one"),
    Fault("the process counts", DATA, "        import os; return data + os.getpid().to_bytes(4, 'big')",
          "other_process",
          "in a new process gives other bytes"),
    Fault("prints when imported", TOP, "print('hello')", "surroundings", "importing it printed 'hello' to standard"),
    Fault("prints in encode", START, "        print('hello')", "surroundings",
          "encode printed 'hello' to standard output"),
    Fault("prints in decode", TRY, "        import sys; print('hello', file=sys.stderr)\n" + TRY, "surroundings",
          "decode printed 'hello' to standard error"),
    Fault("writes to descriptor 1", START, "        import os; os.write(1, b'from C')", "surroundings",
          "printed 'from C'"),
    Fault("warns", START, "        import warnings; warnings.warn('mind the gap')", "surroundings", "mind the gap"),
    Fault("changes the folder when imported", TOP, "import os; os.chdir('/')", "surroundings", "the working folder to"),
    Fault("changes the folder in encode", START, "        import os; os.chdir('/')", "surroundings", "working folder"),
    Fault("seeds numpy", START, "        np.random.seed(0)", "surroundings", "numpy's global random generator"),
    Fault("uses random", START, "        import random; random.random()", "surroundings", "generator in `random`"),
    Fault("sets numpy's errors", START, "        np.seterr(all='raise')", "surroundings", "numpy's handling of"),
    Fault("sets the umask", START, "        import os; os.umask(0o777)", "surroundings", "umask"),
    Fault("sets a signal handler", START, "        import signal; signal.signal(signal.SIGTERM, signal.SIG_IGN)",
          "surroundings", "the handler of SIGTERM"),
    Fault("sets a variable when imported", TOP, "import os; os.environ['OMP_NUM_THREADS'] = '8'", "surroundings",
          "the environment variable OMP_NUM_THREADS"),
    Fault("clears the environment", START, "        import os; os.environ.clear()", "surroundings", "removed the env"),
    Fault("starts threads", START, "        from concurrent.futures import ThreadPoolExecutor\n"
          "        with ThreadPoolExecutor(8) as pool: list(pool.map(zlib.compress, [bytes(300000)] * 8))", "threads",
          "encode starts a thread"),
    Fault("leaves a thread", START, "        import threading, time\n"
          "        threading.Thread(target=time.sleep, args=(1,), daemon=True).start()", "threads", "starts a thread"),
    Fault("leaves files open", START, "        KEPT[len(KEPT)] = open(__file__)", "leftovers",
          "more file(s) open"),
    Fault("leaves a process", START, f"        import subprocess; KEPT[len(KEPT)] = {CHILD}", "leftovers", "'sleep 6'"),
    Fault("leaves a detached process", START, "        import subprocess\n"
          "        subprocess.Popen(['sleep', '6'], start_new_session=True)", "leftovers", "'sleep 6'"),
    Fault("takes long to import", TOP, "import time; time.sleep(0.7)", "import_time",
          "import heavy libraries in `open`"),
    Fault("swaps the colours", OUT, "        return out[:, :, ::-1].copy()", "axis", "are channels or axes swapped?"),
    Fault("accepts what is no stream", "            raise CorruptBitstream(f\"toy: {error}\") from error",
          "            return np.zeros((8, 8, 3), np.uint8)", "damage", "decode accepts empty bytes"),
    Fault("damage raises zlib.error", "except zlib.error as error", "except ZeroDivisionError as error", "damage",
          "raise CorruptBitstream for what is no whole stream"),
    Fault("crashes on damage", "except zlib.error as error:", "except zlib.error as error:\n            import os\n"
          "            os.abort()", "damage", "crashed while rule 'damage' was tried"),
    Fault("crashes at an end of the axis", START, "        import os\n        if quality == 8: os.abort()", "axis_ends",
          "crashed while rule 'axis_ends' was tried"),
    Fault("batch gives other bytes", MORE, "    def encode_batch(self, images, quality):\n"
          "        return [self.encode(image, 1) for image in images]", "batch", "encode_batch gives other bytes"),
]  # fmt: skip
QUICK = {"state on self", "picture on self", "picture in a file", "random bytes", "order of calls", "prints in encode",
         "starts threads", "takes long to import", "accepts what is no stream"}  # fmt: skip


@pytest.mark.parametrize("fault", [
    pytest.param(fault, id=fault.name, marks=[] if fault.name in QUICK else [pytest.mark.slow]) for fault in FAULTS
])
def test_it_is_caught(fault: Fault, module: Module) -> None:  # noqa: F811
    text = fault.text().replace("class Options", "FOLDER = __file__ + 'kept-'\nKEPT = {}\nCOUNT = []\n\nclass Options")
    text = text.replace("        kept = image >>", "        self.bits, self.shape = int(quality), image.shape\n"
                        "        kept = image >>")  # fmt: skip
    caught(fault, module(text))


@pytest.mark.slow
def test_writing_past_the_read_only_flag_with_torch_is_caught(module: Module) -> None:  # noqa: F811
    pytest.importorskip("torch")
    start = ("        import torch, warnings\n        warnings.simplefilter('ignore')\n"
             "        torch.from_numpy(image).fill_(7)")  # fmt: skip
    fault = Fault("torch", START, start, "types", "encode changed the picture that it was given")
    caught(fault, module(fault.text()))
