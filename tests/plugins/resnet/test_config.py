"""Configurations of the network: presets, limits, their text form."""

import pytest

pytest.importorskip("torch")

from benchbox_resnet.network.config import (
    PRESETS,
    ModelConfig,
)

from benchbox.errors import CodecError


@pytest.mark.parametrize("name", ["small", "base", "large"])
def test_presets_survive_their_json(name: str) -> None:
    config = PRESETS[name]
    assert ModelConfig.from_json(config.to_json()) == config
    assert config.lambdas[0] == pytest.approx(config.lambda_min)
    assert config.lambdas[-1] == pytest.approx(config.lambda_max)


def test_wrong_configurations_are_refused() -> None:
    with pytest.raises(ValueError, match="channels must be 1 or more, not 0"):
        ModelConfig(channels=0)
    with pytest.raises(ValueError, match="deep_blocks must be 0 or more, not -1"):
        ModelConfig(deep_blocks=-1)
    with pytest.raises(ValueError, match="stride"):
        ModelConfig(stride=12)
    with pytest.raises(ValueError, match="scale_hidden"):
        ModelConfig(hyper=65)
    with pytest.raises(ValueError, match="masking"):
        ModelConfig(masking=0.3)
    with pytest.raises(ValueError, match="68 latents"):
        ModelConfig(masking=0.5, latents=64)
    with pytest.raises(ValueError, match="mask_finer must be from 0 to 12"):
        ModelConfig(masking=0.5, mask_finer=13)
    with pytest.raises(ValueError, match="dependent_from must be from 0 to 64"):
        ModelConfig(dependent_from=65)
    with pytest.raises(CodecError, match="'depth'"):
        ModelConfig.from_json('{"depth": 3}')
