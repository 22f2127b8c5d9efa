"""Blocks of training pictures and their principal axes (KLT), from which the linear path is initialised."""

import dataclasses

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Pixels = npt.NDArray[np.uint8]


def random_blocks(pictures: list[Pixels], side: int, count: int) -> npt.NDArray[np.float32]:
    """(count, 3 * side * side) in [0, 1]: blocks from random places of (H, W, 3) pictures, rows in PixelUnshuffle
    order. The same blocks on every call."""
    rng = np.random.default_rng(0)
    rows = []
    for _ in range(count):
        picture = pictures[rng.integers(len(pictures))]
        i, j = rng.integers(picture.shape[0] - side + 1), rng.integers(picture.shape[1] - side + 1)
        rows.append(picture[i : i + side, j : j + side].transpose(2, 0, 1).reshape(-1))
    return np.stack(rows).astype(np.float32) / np.float32(255)


@dataclasses.dataclass(frozen=True)
class BlockStatistics:
    """Principal axes of RGB training blocks in [0, 1]."""

    mean: Tensor  # (3,) mean colour
    basis: Tensor  # (3 * n * n, M) orthonormal columns, by falling variance; rows in PixelUnshuffle order
    variance: Tensor  # (3 * n * n,) variances, falling

    @classmethod
    def measure(cls, pictures: list[Pixels], side: int, keep: int, blocks: int = 60000) -> "BlockStatistics":
        """Eigenvectors of the covariance of `blocks` random side x side blocks (the KLT); the first `keep` of them."""
        x = random_blocks(pictures, side, blocks)
        mean = x.mean(0).reshape(3, -1).mean(1)
        x -= np.repeat(mean, side * side)
        variance, vectors = np.linalg.eigh(x.T @ x / len(x))
        return cls(
            torch.from_numpy(mean.astype(np.float32)),
            torch.from_numpy(vectors[:, ::-1][:, :keep].astype(np.float32).copy()),
            torch.from_numpy(np.maximum(variance[::-1], 0).astype(np.float32).copy()),
        )
