"""What a picture says against the model's guess: coding tables some steps wider or narrower, for each half of the
checkerboard and band of channels. Sixteen shifts of -8 .. 7 tables, in eight bytes.

A half is (h, w, M / 2): of each pair of neighbouring channels the one that belongs to it (see `pipeline.split_half`).
"""

import numpy as np
import numpy.typing as npt

from benchbox_resnet.config import SCALE_COUNT

BANDS, LEAST, MOST = 8, -8, 7
#: Rows of latents that are counted at once.
_ROWS = 64
#: Bytes of the shifts of both halves.
SIZE = BANDS

Indices = npt.NDArray[np.uint8]
Shifts = npt.NDArray[np.int8]


def bands(pairs: int) -> npt.NDArray[np.intp]:
    """(pairs,): the band of each pair of channels; the first bands are of few channels, those of large variance."""
    edges = [pairs / 64, pairs / 32, pairs / 16, pairs / 8, pairs / 4, pairs / 2, 3 * pairs / 4]
    return np.searchsorted(np.floor(edges), np.arange(pairs), side="right")


def shifted(index: Indices, shifts: Shifts) -> Indices:
    """Table numbers of a half (h, w, M / 2), each shifted by what its band says (BANDS,)."""
    if not shifts.any():
        return index
    moved = index.astype(np.int16) + shifts[bands(index.shape[2])]
    return moved.clip(0, SCALE_COUNT - 1).astype(np.uint8)


def best_shifts(
    index: Indices, symbols: npt.NDArray[np.int16], sent: npt.NDArray[np.bool_] | None, costs: npt.NDArray[np.float32]
) -> tuple[Shifts, float]:
    """The shifts (BANDS,) under which a half's symbols (h, w, M / 2) cost least, and the bits that they save.

    `sent`: which symbols are in the stream (None: all); `costs` (64, n): bits of a symbol by table and magnitude.
    """
    width = costs.shape[1]
    met = np.zeros(BANDS * SCALE_COUNT * width, np.int64)
    band = bands(index.shape[2]) * SCALE_COUNT
    for top in range(0, len(index), _ROWS):
        rows = slice(top, top + _ROWS)
        place = (band + index[rows]) * width + np.minimum(np.abs(symbols[rows]), width - 1)
        met += np.bincount(place.reshape(-1) if sent is None else place[sent[rows]], minlength=len(met))
    met = met.reshape(BANDS, SCALE_COUNT, width)
    tables = np.arange(SCALE_COUNT)
    steps = range(LEAST, MOST + 1)
    bits = np.stack([np.einsum("btm,tm->b", met, costs[(tables + d).clip(0, SCALE_COUNT - 1)]) for d in steps])
    found = bits.argmin(0)
    return (found + LEAST).astype(np.int8), float((bits[-LEAST] - bits.min(0)).sum())


def pack(first: Shifts, second: Shifts) -> bytes:
    """Both halves' shifts as `SIZE` bytes: the first half's in the high four bits."""
    return bytes((((first - LEAST) << 4) | (second - LEAST)).astype(np.uint8).tolist())


def unpack(data: bytes) -> tuple[Shifts, Shifts]:
    """The inverse of `pack`; no bytes are no shifts."""
    if not data:
        return np.zeros(BANDS, np.int8), np.zeros(BANDS, np.int8)
    values = np.frombuffer(data, np.uint8).astype(np.int16)
    return ((values >> 4) + LEAST).astype(np.int8), ((values & 15) + LEAST).astype(np.int8)
