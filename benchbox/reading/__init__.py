"""How a picture file becomes pixels without loss: its real format, depth and tags, and notes on its colours.

Only `benchbox.image` uses this wing; others read pictures by `benchbox.image.read`.
"""

from benchbox.reading.decoding import MAX_PIXELS, declared_size, decode, notes

__all__ = ["MAX_PIXELS", "declared_size", "decode", "notes"]
