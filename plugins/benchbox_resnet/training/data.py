"""Training pictures: decoded once, kept as uint8 in memory, cropped at random."""

import dataclasses
import hashlib
from pathlib import Path

import numpy as np
import numpy.typing as npt
import torch
from PIL import Image
from torch import Tensor

from benchbox.errors import DatasetError
from benchbox_resnet.network.blocks import Pixels

_SUFFIXES = {".jpg", ".jpeg", ".png", ".webp"}


def image_files(folder: Path) -> list[Path]:
    """The picture files directly in `folder`, sorted by name; raises DatasetError where there are none."""
    files = sorted(p for p in folder.iterdir() if p.suffix.lower() in _SUFFIXES)
    if not files:
        raise DatasetError(f"{folder}: no pictures ({', '.join(sorted(_SUFFIXES))}) directly in this folder")
    return files


def is_held_out(path: Path) -> bool:
    """Whether a picture is held out for validation (about one in forty), decided by its file name alone."""
    return hashlib.sha256(path.name.encode()).digest()[0] % 40 == 0


def load_pixels(path: Path) -> Pixels:
    """One picture as (H, W, 3) uint8."""
    with Image.open(path) as picture:
        return np.asarray(picture.convert("RGB"))


@dataclasses.dataclass(frozen=True)
class TrainingData:
    """Decoded pictures, each (H, W, 3) uint8: `train` with smaller copies for scale augmentation, and held-out ones."""

    train: list[Pixels]
    validation: list[Pixels]

    @classmethod
    def load(cls, folder: Path, crop: int, scales: tuple[float, ...] = (0.75, 0.55)) -> "TrainingData":
        """Decode every picture in `folder`, with copies at `scales`; training pictures and copies smaller than a crop
        are left out. Raises DatasetError where none remain."""
        train: list[Pixels] = []
        validation: list[Pixels] = []
        for path in image_files(folder):
            pixels = load_pixels(path)
            if is_held_out(path):
                validation.append(pixels)
                continue
            whole = Image.fromarray(pixels)
            sizes = [(round(whole.width * s), round(whole.height * s)) for s in scales]
            copies = [np.asarray(whole.resize(size, Image.Resampling.LANCZOS)) for size in sizes]
            train += [a for a in (pixels, *copies) if min(a.shape[:2]) >= crop]
        if not train:
            raise DatasetError(f"{folder}: no training picture has sides of {crop} pixels; use a smaller --crop")
        return cls(train, validation)

    def sampling_weights(self) -> npt.NDArray[np.float64]:
        """Probability of each picture, in proportion to the square root of its area, so that large ones do not
        dominate."""
        weights = np.array([a.shape[0] * a.shape[1] for a in self.train]) ** 0.5
        return np.asarray(weights / weights.sum(), np.float64)


class CropSampler:
    """Draws batches of random crops, flipped and transposed at random."""

    def __init__(self, data: TrainingData, batch: int, crop: int, seed: int) -> None:
        self.pictures = data.train
        self.weights = data.sampling_weights()
        self.batch, self.crop = batch, crop
        self.rng = np.random.default_rng(seed)

    def draw(self) -> Tensor:
        """A batch (B, 3, crop, crop), float32 in [0, 1], channels last."""
        n = self.crop
        crops = []
        for k in self.rng.choice(len(self.pictures), self.batch, p=self.weights):
            picture = self.pictures[k]
            i = self.rng.integers(picture.shape[0] - n + 1)
            j = self.rng.integers(picture.shape[1] - n + 1)
            crop = picture[i : i + n, j : j + n]
            crop = crop[:, ::-1] if self.rng.random() < 0.5 else crop
            crops.append(crop.transpose(1, 0, 2) if self.rng.random() < 0.5 else crop)
        x = torch.from_numpy(np.stack(crops)).permute(0, 3, 1, 2)
        return x.float().div_(255).contiguous(memory_format=torch.channels_last)
