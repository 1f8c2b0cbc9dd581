"""Which stage of training is which."""

from __future__ import annotations

import torch

from iid_flow.published.train_flow import PublishedFlowTrainer
from iid_flow.published.train_vae import PublishedVaeTrainer
from iid_flow.settings import PublishedConfig
from intrinsic_cli.api import Runtime, Source, Trainer


def trainer(
    variant: str, stage: str, config: PublishedConfig, source: Source, runtime: Runtime
) -> Trainer:
    """A fresh trainer of stage ``vae`` or ``flow``; equal ``config.seed``, equal starting
    weights."""
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(config.seed)
        if stage == "vae":
            return PublishedVaeTrainer(variant, config, source, runtime)
        return PublishedFlowTrainer(variant, config, source, runtime)
