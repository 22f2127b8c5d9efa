"""Coding tables: where they come from. They are frozen once, after training, and stored as integers.

Tables 0..63 serve the latents, one for each scale; then one for each quality and channel of z: table
64 + quality * Z + channel.
"""

import math

import numpy as np
import numpy.typing as npt

from benchbox_resnet.config import SCALE_COUNT, SCALE_MIN, SCALE_STEP, ModelConfig
from benchbox_resnet.entropy import Ints, TableIds, Tables, quantise_pmf
from benchbox_resnet.scale import Z_LIMIT

Floats = npt.NDArray[np.float64]

_WIDEST = 1023
#: Observations that the logistic prior of a z channel is worth beside what was counted.
Z_WEIGHT = 100.0
#: What the escape of a table gets at least.
_ESCAPE = 2e-6


def _laplace_pmf(scale: float, bound: int) -> Floats:
    """Of a zero-mean Laplace distribution of standard deviation `scale`."""
    edges = (np.arange(bound + 2) - 0.5) * math.sqrt(2) / scale
    tail = 0.5 * np.exp(-np.maximum(edges, 0))
    side = tail[1:-1] - tail[2:]
    return np.concatenate([side[::-1], [1 - 2 * tail[1]], side])


def _logistic_pmf(mean: float, scale: float, bound: int) -> Floats:
    edges = (np.arange(-bound, bound + 2) - 0.5 - mean) / scale
    return np.diff(0.5 + 0.5 * np.tanh(edges / 2))


def z_bound(mean: float, scale: float) -> int:
    """Largest magnitude in a table of z."""
    return min(Z_LIMIT, math.ceil(abs(mean) + 8 * scale) + 1)


def _with_escape(pmf: Floats) -> Ints:
    return quantise_pmf(np.append(pmf, max(1.0 - float(pmf.sum()), _ESCAPE)))


def scale_bounds() -> list[int]:
    """Largest magnitude in each of the 64 tables: eight standard deviations and a little."""
    scales = SCALE_MIN * np.exp(np.arange(SCALE_COUNT) * SCALE_STEP)
    return [min(_WIDEST, math.ceil(8 * s) + 3) for s in scales]


def scale_pmfs(counts: Floats | None = None, weight: float = 2000.0) -> list[Floats]:
    """The 64 distributions over -bound .. bound: Laplace, or what was counted, drawn towards it.

    `counts` (64, n): how often magnitude 0 .. n - 1 was met under each table; `weight`: how many observations the
    Laplace distribution is worth.
    """
    out = []
    for i, bound in enumerate(scale_bounds()):
        pmf = _laplace_pmf(SCALE_MIN * math.exp(i * SCALE_STEP), bound)
        if counts is not None:
            one_side = np.zeros(bound + 1)
            reach = min(bound + 1, counts.shape[1])
            one_side[:reach] = counts[i, :reach]
            both = np.concatenate([one_side[:0:-1] / 2, one_side[:1], one_side[1:] / 2])
            pmf = (both + weight * pmf) / (counts[i].sum() + weight)
        out.append(pmf)
    return out


def build_tables(
    config: ModelConfig, z_mean: Floats, z_scale: Floats, counts: Floats | None = None, z_counts: Floats | None = None
) -> Tables:
    """All tables of a model: z_mean, z_scale (Q, Z) of the logistic priors; `counts` as in `scale_pmfs`; `z_counts`
    (Q, Z, 2 * Z_LIMIT + 1): how often each value -Z_LIMIT .. Z_LIMIT of z was met."""
    frequencies = [_with_escape(pmf) for pmf in scale_pmfs(counts)]
    bounds = scale_bounds()
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
    one = np.arange(config.hyper, dtype=np.uint16) + np.uint16(SCALE_COUNT + nearest * config.hyper)
    return np.tile(one, rows * cols)
