"""The settings of training that the command line shows; importing this module imports no torch."""

import dataclasses
from pathlib import Path

from benchbox_resnet.network.config import ModelConfig


@dataclasses.dataclass(frozen=True)
class Settings:
    """Settings of one run, kept in its checkpoints. Learning rates were found on two CPU cores: with Muon at 0.02 the
    loss spikes, and Adam is best at 4e-4."""

    tune: str = "mse"
    batch: int = 6
    crop: int = 192
    muon_lr: float = 0.006
    weight_decay: float = 0.1
    adam_lr: float = 4e-4
    #: Rate of the scale path's weights: all inputs of a sum over 640 surprises move it at once. After `settled` steps
    #: the rate falls with the square root of the steps: at a constant rate gradient noise makes these weights drift (in
    #: 15,000 steps hidden units grow five times as large, and tables at high rates cost a tenth more). `settle`
    #: completes the fit.
    scale_lr: float = 1e-4
    settled: int = 1000
    #: Rate of the biases at the end of the scale path, in units of eight table steps. They must be fast: where they
    #: were slow, the weights compensated with rectified noise and grew until noise chose the tables.
    scale_bias_lr: float = 4e-3
    #: Rate of gains: each moves only when its quality is drawn.
    gain_lr: float = 1e-3
    #: Rate of the linear path, which starts at its optimum: a larger one only adds jitter.
    linear_lr: float = 5e-5
    warm_up: int = 200
    clip: float = 1.0
    ema: float = 0.998
    #: Seconds of cosine decay to zero at the end of the run; 0 keeps the rate constant, for a run to be continued.
    decay_seconds: float = 0.0
    seconds: float = 3600.0
    seed: int = 1


@dataclasses.dataclass(frozen=True)
class TrainOptions:
    """The options of `benchbox resnet train`, where the commands document them; a checkpoint holds `settings` only."""

    data: Path
    out: Path
    config: ModelConfig
    settings: Settings
    resume: Path | None = None
    fresh: bool = False
    grow: Path | None = None
    device: str = "auto"
    threads: int = 0
    workers: int = 1
    compile: bool = False
    checkpoint_every: float = 200.0
    validate_every: float = 600.0


@dataclasses.dataclass(frozen=True)
class PolishOptions:
    """The options of `benchbox resnet polish`, where the commands document them."""

    weights: Path
    data: Path
    out: Path
    seconds: float = 600.0
    steps: int = 1_000_000
    filter_channels: int = 0
    crops: int = 3200
    held_out: int = 128
    batch: int = 8
    crop: int = 256
    seed: int = 1
