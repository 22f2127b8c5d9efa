"""The option `effort`: the search pays by its own objective, and decoders do not change."""

from pathlib import Path

import numpy as np
import pytest
import skimage.data

torch = pytest.importorskip("torch")

from benchbox_metrics.ms_ssim import MS_SSIM  # noqa: E402
from benchbox_resnet.codec import ResnetCodec  # noqa: E402
from benchbox_resnet.coding.weights import load_model  # noqa: E402
from benchbox_resnet.info import RESNET, bundled  # noqa: E402
from noisy_resnet import NOISY  # noqa: E402


def test_effort_pays_and_decoders_do_not_know(weights: Path, codec: ResnetCodec, photo: np.ndarray) -> None:
    """Bits + lambda * squared error falls; the same codec decodes."""
    source = np.ascontiguousarray(photo[:128, :128])
    weight = NOISY.lambdas[3] * source.shape[0] * source.shape[1]
    costs = []
    for effort in (0, 4):
        data = ResnetCodec.open(RESNET, [weights], "cpu", effort=effort).encode(source, 3)
        squared = np.square(source.astype(float) - codec.decode(data)).mean()
        costs.append(8 * len(data) + weight * squared)
    assert costs[1] < costs[0]


FILES = bundled()


trained = pytest.mark.skipif(not FILES, reason="no trained weights are bundled")


def cost(codec: ResnetCodec, source: np.ndarray, effort: int, quality: int, gray: bool = False) -> float:
    """Bits + lambda * squared error, with the lambda of the quality."""
    model = codec.encoder.model
    data = ResnetCodec(RESNET, model, effort=effort).encode(source[:, :, 1:2] if gray else source, quality)
    decoded = codec.decode(data)
    reference = source[:, :, 1:2] if gray else source
    area = source.shape[0] * source.shape[1]
    weight = model.config.lambdas[quality]
    return float(8 * len(data) + area * weight * np.square(reference.astype(float) - decoded).mean())


@trained
@pytest.mark.parametrize("quality", [2, 9])
def test_effort_pays_on_trained_weights(quality: int) -> None:
    source = np.ascontiguousarray(skimage.data.astronaut()[:256, 100:356])
    codec = ResnetCodec(RESNET, load_model(FILES[0], torch.device("cpu")))
    none, little, more = (cost(codec, source, effort, quality) for effort in (0, 1, 4))
    assert little < 0.998 * none
    assert more < 0.99 * none


@trained
def test_effort_on_gray_and_on_awkward_sizes() -> None:
    codec = ResnetCodec(RESNET, load_model(FILES[0], torch.device("cpu")))
    whole = skimage.data.astronaut()
    for height, width in ((65, 97), (130, 64)):
        source = np.ascontiguousarray(whole[200 : 200 + height, 200 : 200 + width])
        assert cost(codec, source, 3, 5) < cost(codec, source, 0, 5)
    assert cost(codec, whole[100:228, 100:228], 3, 5, gray=True) < cost(codec, whole[100:228, 100:228], 0, 5, gray=True)
    tiny = np.ascontiguousarray(whole[:1, :1])
    assert codec.decode(ResnetCodec(RESNET, codec.encoder.model, effort=2).encode(tiny, 5)).shape == (1, 1, 3)


@pytest.mark.slow  # a quarter of a minute
@trained
def test_a_model_tuned_for_ms_ssim_is_searched_by_it() -> None:
    model = load_model(next(path for path in FILES if path.stem == "ms-ssim"), torch.device("cpu"))
    codec, whole = ResnetCodec(RESNET, model), skimage.data.astronaut()

    def worth(source: np.ndarray, effort: int, quality: int) -> float:
        data = ResnetCodec(RESNET, model, effort=effort).encode(source, quality)
        value = MS_SSIM.open("cpu").prepare(source).score(codec.decode(data))
        area = source.shape[0] * source.shape[1]
        return float(8 * len(data) + area * model.config.ms_ssim_weight_at(quality) * (1 - value))

    source = np.ascontiguousarray(whole[:192, 100:356])
    for quality in (1, 5, 9, 13):  # never worse than without, but for the rounding of pixels
        assert worth(source, 3, quality) < 1.002 * worth(source, 0, quality)
    assert worth(source, 3, 1) < 0.98 * worth(source, 0, 1)
    assert worth(source, 8, 9) < 0.98 * worth(source, 0, 9)
    small = np.ascontiguousarray(whole[:100, :90])  # too small for MS-SSIM: as without effort
    assert ResnetCodec(RESNET, model, effort=2).encode(small, 5) == codec.encode(small, 5)
