"""Which stage of training is which."""

from __future__ import annotations

import torch

from iid_flow.published.train_flow import FlowStage
from iid_flow.published.train_vae import VaeStage
from iid_flow.settings import FlowConfig
from intrinsic_cli.api import Runtime, Source, Trainer


def trainer(
    variant: str, stage: str, config: FlowConfig, source: Source, runtime: Runtime
) -> Trainer:
    """A fresh trainer of stage ``vae`` or ``flow``; equal ``config.seed``, equal starting
    weights."""
    kind: type[VaeStage | FlowStage] = VaeStage if stage == "vae" else FlowStage
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        return kind(variant, config, source, runtime)
