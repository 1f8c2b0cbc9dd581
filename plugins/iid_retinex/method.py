"""The method ``retinex``: what the house calls."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from torch import Tensor

from iid_retinex.settings import RetinexConfig, RetinexOptions
from iid_retinex.shading import Thresholds
from iid_retinex.trainer import RetinexTrainer
from intrinsic_cli.api import Decomposer, Frame, Method, Runtime, Source, Trainer
from intrinsic_cli.kit.light.upsample import split
from intrinsic_cli.kit.networks.checkpoint import open_nets

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState


class RetinexDecomposer(Decomposer):
    """See :class:`~intrinsic_cli.api.Decomposer`. Thresholds given as options stand above the
    fitted ones."""

    def __init__(self, thresholds: Thresholds, options: RetinexOptions) -> None:
        self._thresholds = thresholds
        self.frame = Frame(size=options.size or None, alpha=True)
        if options.brightness:
            thresholds.values[0] = options.brightness
        if options.chroma:
            thresholds.values[1] = options.chroma

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        shading = self._thresholds(photos)
        return {"albedo": split(photos[:, :3], shading), "shading": shading}


class Retinex(Method[RetinexOptions, RetinexConfig]):
    """The class the MethodSpec points to."""

    def decomposer(self, state: NetState, options: RetinexOptions, runtime: Runtime) -> Decomposer:
        thresholds = Thresholds()
        open_nets({"thresholds": thresholds}, state, runtime.device)
        return RetinexDecomposer(thresholds, options)

    def trainer(
        self, stage: str, config: RetinexConfig, source: Source, runtime: Runtime
    ) -> Trainer:
        return RetinexTrainer(config, source, runtime)
