"""Cuts a large picture into tiles for the float networks, so that memory is bounded and no seam shows.

A tile is computed with a halo at least as wide as the receptive field of the networks, so that the result in its core
is that of the whole picture. The stream does not depend on tiles.
"""

import dataclasses
import itertools
from collections.abc import Iterator

from benchbox_resnet.network.config import ModelConfig
from benchbox_resnet.network.filter import SIDE as FILTER_SIDE


@dataclasses.dataclass(frozen=True)
class Span:
    """One dimension of a tile, in cells (a cell is one hyper-latent): core [start, stop) in the window [low, high)."""

    start: int
    stop: int
    low: int
    high: int

    def core(self, unit: int) -> slice:
        """The core in the whole picture, at `unit` elements per cell."""
        return slice(self.start * unit, self.stop * unit)

    def window(self, unit: int) -> slice:
        """The core with its halo in the whole picture."""
        return slice(self.low * unit, self.high * unit)

    def inner(self, unit: int) -> slice:
        """The core inside the window."""
        return slice((self.start - self.low) * unit, (self.stop - self.low) * unit)


Tile = tuple[Span, Span]


def spans(cells: int, core: int, halo: int) -> list[Span]:
    """Cut `cells` into cores of at most `core` cells and nearly equal size."""
    count = -(-cells // core)
    edges = [cells * i // count for i in range(count + 1)]
    return [Span(a, b, max(0, a - halo), min(cells, b + halo)) for a, b in itertools.pairwise(edges)]


def tiles(rows: int, cols: int, core: int, halo: int) -> Iterator[Tile]:
    """All tiles of a picture of rows x cols cells, row by row."""
    for vertical in spans(rows, core, halo):
        for horizontal in spans(cols, core, halo):
            yield vertical, horizontal


def analysis_halo(config: ModelConfig) -> int:
    """Cells needed around a core to compute y and z: the reach of g_a (h_a stays in its cell)."""
    reach = 2 * config.blocks * (config.stride // 2) + 2 * config.deep_blocks * config.stride
    return -(-reach // config.pad_multiple)


def synthesis_halo(config: ModelConfig) -> int:
    """Cells needed around a core to compute pixels: the reach of h_s, the context network, g_s and the filter."""
    latent = 1 + config.context_blocks + 2 * config.deep_blocks
    filtered = (2 + 2 * config.filter_blocks) * FILTER_SIDE if config.filter_channels else 0
    reach = filtered + 2 * config.blocks * (config.stride // 2) + latent * config.stride
    return -(-reach // config.pad_multiple)


def mean_halo(config: ModelConfig) -> int:
    """Cells needed around a core to compute means and tables: the reach of h_s and the context network, or of
    `ScalePath.refine`."""
    return -(-max(1 + config.context_blocks, config.scale_window // 2) // 4)
