"""What users may turn: options of decomposing, configuration of training."""

from __future__ import annotations

from dataclasses import dataclass

from intrinsic_cli.api import TrainConfig, knob


@dataclass(frozen=True, slots=True)
class RetinexOptions:
    """``-O key=value`` of ``iid decompose -m retinex``."""

    brightness: float = knob(
        0.0, "log brightness step between pixels that counts as paint; 0 = as fitted", low=0
    )
    chroma: float = knob(
        0.0, "log colour step between pixels that counts as paint; 0 = as fitted", low=0
    )
    size: int = knob(
        512, "short side larger photos are brought to, where steps are compared; 0 = never", low=0
    )


@dataclass(frozen=True, slots=True)
class RetinexConfig(TrainConfig):
    """``--set key=value`` of ``iid train --plugin retinex``. There are no gradients, so ``lr``,
    ``warmup`` and ``clip`` change nothing."""

    steps: int = knob(32, "batches on which every pair of thresholds is scored", low=1)
    crop: int = knob(
        192, "side of the square training crop, pixels: the scale the thresholds are for", low=1
    )
    ema: float = knob(0.0, "0: there are no weights to average", low=0, high=0)
    save_every: int = knob(4, "steps between checkpoints", low=1)
