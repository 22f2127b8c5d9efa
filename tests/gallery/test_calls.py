"""A codec whose calls give something wrong, or do not return, is found by the first rule that calls it."""

from __future__ import annotations

from typing import Any

import pytest
from gallery import Fault, Module, caught, module  # noqa: F401

START, DATA, OUT, OPEN = "        START = None", "        return data", "        return out", "        return Toy()"
QUALITY = "encode(self, image, quality):"

FAULTS = [
    Fault("open raises without a GPU", OPEN, "        raise RuntimeError('No CUDA GPUs are available')", "opens",
          "open raised RuntimeError: No CUDA GPUs are available"),
    Fault("open gives None", OPEN, "        pass", "opens", "open gave a NoneType, which is no benchbox.Codec"),
    Fault("open gives no Codec", "class Toy(Codec):", "class Toy:", "opens", "open gave a Toy, which is no"),
    Fault("open says unavailable", OPEN, "        from benchbox.errors import CodecUnavailableError\n"
          "        raise CodecUnavailableError('no library')", "opens", "`unavailable` does not"),
    Fault("encode without quality", QUALITY, "encode(self, image, *, quality=3):", "opens",
          "must take (image, quality)"),
    Fault("close raises", "    MORE = None", "    def close(self): raise RuntimeError('cannot close')", "opens",
          "close raised RuntimeError: cannot close"),
    Fault("encode gives an array", DATA, "        return np.frombuffer(data, np.uint8)", "types", "bytes, got ndarray"),
    Fault("encode gives None", DATA, "        pass", "types", "bytes, got NoneType"),
    Fault("encode gives a str", DATA, "        return data.hex()", "types", "bytes, got str"),
    Fault("encode gives a memoryview", DATA, "        return memoryview(data)", "types", "bytes, got memoryview"),
    Fault("encode gives nothing", DATA, "        return b''", "types", "bytes, got 0 bytes"),
    Fault("encode refuses everything", START, "        raise UnsupportedImageError('no')", "types",
          "it refuses every picture that its capabilities declare (no)"),
    Fault("encode raises without a text", START, "        raise ValueError", "types", "ValueError, which says nothing"),
    Fault("encode writes into the picture", START, "        image[0, 0] = 0", "types", "let it work on a copy"),
    Fault("encode writes after making it writeable", START, "        image.flags.writeable = True; image[:] = 128",
          "types", "encode changed the picture that it was given"),
    Fault("decode swaps height and width", OUT, "        return out.transpose(1, 0, 2).copy()", "types",
          "came back as"),
    Fault("decode drops the channels", OUT, "        return out[:, :, 0]", "types", "shape (63, 65) is not (H, W, C)"),
    Fault("decode gives None", OUT, "        pass", "types", "got NoneType"),
    Fault("decode gives a list", OUT, "        return out.tolist()", "types", "expected a numpy array"),
    Fault("decode gives uint16", OUT, "        return out.astype(np.uint16)", "types",
          "came back as (63, 65, 3) uint16"),
    Fault("decode gives another stride", OUT, "        return np.asfortranarray(out)", "types", "not C-contiguous"),
    Fault("decode gives a read-only array", OUT, "        out.setflags(write=False)\n        return out", "own_array",
          "read-only array"),
    Fault("decode gives one buffer",
          OUT, "        self.b = getattr(self, 'b', out); self.b[:] = out\n        return self.b",
          "own_array", "changed the picture that it gave before"),
    Fault("sys.exit", START, "        import sys; sys.exit(3)", "types", "SystemExit: 3"),
    Fault("KeyboardInterrupt", START, "        raise KeyboardInterrupt", "types", "KeyboardInterrupt"),
    Fault("BaseException", START, "        raise BaseException('base')", "types", "BaseException: base"),
    Fault("an error of 50 MB", START, "        raise ValueError('x' * 50_000_000)", "types", "ValueError: xxx"),
    Fault("no end of recursion", START, "        return self.encode(image, quality)", "types", "RecursionError"),
    Fault("os._exit", START, "        import os; os._exit(3)", "types", "exit status 3"),
    Fault("os._exit(0)", START, "        import os; os._exit(0)", "types", "exit status 0"),
    Fault("segmentation fault", START, "        import ctypes; ctypes.string_at(0)", "types", "SIGSEGV"),
    Fault("abort", START, "        import os; os.abort()", "types", "SIGABRT"),
    Fault("closes all files", START, "        import os; os.closerange(3, 4096)", "types", "not its own"),
    Fault("fork that returns", START, "        import os\n        if os.fork() == 0: return b'child'", "types",
          "forks a process that returns"),
    Fault("hangs", START, "        import time; time.sleep(10**6)", "types", "did not return within"),
    Fault("hangs and ignores signals", START, "        import signal, time; [signal.signal(s, signal.SIG_IGN) for s in "
          "(15, 1)]; time.sleep(1000)", "types", "did not return within"),
]  # fmt: skip


def marked() -> list[Any]:
    return [pytest.param(fault, id=fault.name, marks=[pytest.mark.slow] if "hangs" in fault.name else [])
            for fault in FAULTS]


@pytest.mark.parametrize("fault", marked())
def test_it_is_caught(fault: Fault, module: Module) -> None:  # noqa: F811
    caught(fault, module(fault.text()))
