"""How coding tables are made. They are frozen once, after training, and stored as integers.

Tables 0..191 are for the latents, one for each kind (whole steps, quantiser 0, quantiser 1) and scale: 64 * kind +
scale; the others are for z, one for each quality and channel: 192 + quality * Z + channel.
"""

import math

import numpy as np
import numpy.typing as npt

from benchbox_resnet.coding.dependent import UNION
from benchbox_resnet.coding.entropy import Ints, TableIds, Tables, quantise_pmf
from benchbox_resnet.network.config import (
    GRID,
    LATENT_TABLES,
    SCALE_COUNT,
    SCALE_MIN,
    SCALE_STEP,
    TABLE_KINDS,
    ModelConfig,
)
from benchbox_resnet.network.scale import HIDDEN_BITS, SYMBOL_LIMIT, Z_LIMIT

Floats = npt.NDArray[np.float64]

#: Largest magnitude in any table of latents.
_WIDEST = 1023
#: Number of observations that the logistic prior of a z channel counts as, when it is mixed with counts.
Z_WEIGHT = 100.0
#: Least probability of an escape.
_ESCAPE = 2e-6


#: Boundary between magnitudes 0 and 1, under whole steps and in the two quantisers of `dependent`, and the distance of
#: further boundaries, in rounding steps. (0.6: the search prefers zero to the near points of quantiser 1. With counts
#: these values hardly matter.)
_FIRST_EDGE = (0.5, UNION / GRID, 0.6 * UNION / GRID)
_EDGE_STEP = (1.0, 2 * UNION / GRID, 2 * UNION / GRID)


def _laplace_pmf(scale: float, kind: int, bound: int) -> Floats:
    """Probabilities of -bound .. bound under a zero-mean Laplace distribution of standard deviation `scale`."""
    edges = _FIRST_EDGE[kind] + _EDGE_STEP[kind] * np.arange(bound + 1)
    if kind == TABLE_KINDS - 1:
        edges[1:] = _EDGE_STEP[kind] * np.arange(1, bound + 1)  # around the odd multiples
    tail = 0.5 * np.exp(-edges * math.sqrt(2) / scale)
    side = tail[:-1] - tail[1:]
    return np.concatenate([side[::-1], [1 - 2 * tail[0]], side])


def _logistic_pmf(mean: float, scale: float, bound: int) -> Floats:
    edges = (np.arange(-bound, bound + 2) - 0.5 - mean) / scale
    return np.diff(0.5 + 0.5 * np.tanh(edges / 2))


def z_bound(mean: float, scale: float) -> int:
    """Largest magnitude in the table of a z channel with this logistic prior."""
    return min(Z_LIMIT, math.ceil(abs(mean) + 8 * scale) + 1)


def _with_escape(pmf: Floats) -> Ints:
    return quantise_pmf(np.append(pmf, max(1.0 - float(pmf.sum()), _ESCAPE)))


def latent_bounds() -> list[int]:
    """Largest magnitude in each of the 192 tables of latents: eight standard deviations and three."""
    scales = SCALE_MIN * np.exp(np.arange(SCALE_COUNT) * SCALE_STEP)
    return [min(_WIDEST, math.ceil(8 * s / step) + 3) for step in _EDGE_STEP for s in scales]


def latent_pmfs(counts: Floats | None = None, weight: float = 2000.0) -> list[Floats]:
    """The 192 distributions over -bound .. bound: Laplace, or mixed with counts.

    `counts` (192, n): how often magnitudes 0 .. n - 1 occurred under each table; `weight`: the number of observations
    that the Laplace distribution counts as.
    """
    out = []
    for i, bound in enumerate(latent_bounds()):
        kind, scale = divmod(i, SCALE_COUNT)
        pmf = _laplace_pmf(SCALE_MIN * math.exp(scale * SCALE_STEP), kind, bound)
        if counts is not None:
            one_side = np.zeros(bound + 1)
            reach = min(bound + 1, counts.shape[1])
            one_side[:reach] = counts[i, :reach]
            both = np.concatenate([one_side[:0:-1] / 2, one_side[:1], one_side[1:] / 2])
            pmf = (both + weight * pmf) / (counts[i].sum() + weight)
        out.append(pmf)
    return out


def symbol_statistics(config: ModelConfig, tables: Tables) -> dict[str, Ints]:
    """The statistics of symbols that the scale path and `adapt` use, fixed-point with `HIDDEN_BITS`, by name:

    `features` (n,): log2(1 + |s|) of a latent of s rounding steps, by magnitude on the grid; `expected` (3, 64): its
    mean under each kind of table; `expected_seen` (64,): its mean under a guessed table, over all states.

    Means are computed from the tables, hence from counts: those of a Laplace distribution are larger where tables are
    wide, and tables chosen by them cost 1 % more bits.
    """
    magnitude = np.arange(GRID * (SYMBOL_LIMIT + 1))
    features = np.rint(np.log2(1 + magnitude / GRID) * 2**HIDDEN_BITS).astype(np.int32)
    expected = np.zeros((TABLE_KINDS, SCALE_COUNT))
    for t in range(LATENT_TABLES):
        kind, scale = divmod(t, SCALE_COUNT)
        mass = tables.frequencies[tables.offsets[t] : tables.offsets[t + 1] - 1]  # without the escape
        k = np.abs(np.arange(len(mass)) - len(mass) // 2)
        symbol = GRID * k if kind == 0 else UNION * np.maximum(2 * k - (kind - 1), 0)
        expected[kind, scale] = (mass * features[np.minimum(symbol, len(features) - 1)]).sum() / mass.sum()
    seen = np.where(np.arange(SCALE_COUNT) < config.dependent_from, expected[0], expected[1:].mean(0))
    rounded = (np.rint(v).astype(np.int32) for v in (expected, seen))
    return dict(zip(("features", "expected", "expected_seen"), (features, *rounded), strict=True))


def build_tables(
    config: ModelConfig, z_mean: Floats, z_scale: Floats, counts: Floats | None = None, z_counts: Floats | None = None
) -> Tables:
    """All tables of a model. `z_mean`, `z_scale` (Q, Z): the logistic priors; `counts`: as in `latent_pmfs`; `z_counts`
    (Q, Z, 2 * Z_LIMIT + 1): how often each value -Z_LIMIT .. Z_LIMIT of z occurred."""
    frequencies = [_with_escape(pmf) for pmf in latent_pmfs(counts)]
    bounds = latent_bounds()
    for q in range(config.qualities):
        for c in range(config.hyper):
            mean, scale = float(z_mean[q, c]), float(z_scale[q, c])
            bound = z_bound(mean, scale)
            pmf = _logistic_pmf(mean, scale, bound)
            if z_counts is not None:
                met = z_counts[q, c, Z_LIMIT - bound : Z_LIMIT + bound + 1]
                pmf = (met + Z_WEIGHT * pmf) / (met.sum() + Z_WEIGHT)
            frequencies.append(_with_escape(pmf))
            bounds.append(bound)
    return Tables(np.array(bounds, np.int32), np.concatenate(frequencies))


def z_table_ids(config: ModelConfig, quality: int, rows: int, cols: int) -> TableIds:
    """Table numbers (rows * cols * Z,) of z in the order (row, column, channel), at a fixed-point quality (8 bits)."""
    nearest = min((quality + 128) >> 8, config.qualities - 1)
    one = np.arange(config.hyper, dtype=np.uint16) + np.uint16(LATENT_TABLES + nearest * config.hyper)
    return np.tile(one, rows * cols)
