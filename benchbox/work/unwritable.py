"""A picture in memory that the system lets nobody write to."""

from __future__ import annotations

import ctypes
import mmap

import numpy as np

from benchbox.image import Image


def unwritable(pixels: Image) -> Image:
    """A copy of `pixels` in pages of its own that can only be read.

    What writes there all the same, past the end of its own array or through a pointer, ends its process (SIGSEGV)
    while the plugin at fault is still at work; else whatever is measured next would be compared with a spoiled picture.
    """
    pages = mmap.mmap(-1, pixels.nbytes, flags=mmap.MAP_PRIVATE | mmap.MAP_ANONYMOUS)
    copy = np.frombuffer(pages, pixels.dtype).reshape(pixels.shape)
    copy[...] = pixels
    libc = ctypes.CDLL(None)
    libc.mprotect(ctypes.c_void_p(copy.ctypes.data), ctypes.c_size_t(pixels.nbytes), mmap.PROT_READ)
    copy.setflags(write=False)
    return copy
