"""Stages of training that are small enough for tests."""

from __future__ import annotations

from collections.abc import Mapping
from copy import deepcopy
from functools import cache
from typing import Any

import pytest
import torch
from torch import Tensor

from iid_mesh.data.bird_sources import open_birds
from iid_mesh.networks.mesh_net import Design, MeshNet
from iid_mesh.networks.state import untrained
from iid_mesh.settings import MeshConfig
from iid_mesh.stages.fitting import FittingStage
from iid_mesh.trainer import trainer_of
from intrinsic_cli.api import Runtime

CONFIG = MeshConfig(steps=4, s1_steps=4, template_steps=3, batch_size=2, crop=32, pretrained="no")


def few_sides(patch: pytest.MonkeyPatch) -> None:
    """Fewer cameras are searched, or every stage would render hundreds of pictures first."""
    patch.setattr("iid_mesh.camera_search.AZIMUTHS", 8)
    patch.setattr("iid_mesh.camera_search.ELEVATIONS", (0.0,))
    patch.setattr("iid_mesh.camera_search.ROLLS", (0.0,))
    patch.setattr("iid_mesh.zone_search.AZIMUTHS", 8)
    patch.setattr("iid_mesh.zone_search.ELEVATIONS", (0,))


def copied_networks(patch: pytest.MonkeyPatch) -> None:
    """Stages begin with copies of one network: random numbers for each take longer."""

    def copied(design: Design, pretrained: str) -> MeshNet:
        return deepcopy(_begun(design, pretrained))

    patch.setattr("iid_mesh.stages.fitting.untrained", copied)


@cache
def _begun(design: Design, pretrained: str) -> MeshNet:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return untrained(design, pretrained)


def new_stage(
    name: str, config: MeshConfig = CONFIG, parents: Mapping[str, Any] | None = None
) -> FittingStage:
    torch.manual_seed(0)
    runtime = Runtime(torch.device("cpu"), parents=parents or {})
    return trainer_of(name, config, open_birds(), runtime)


def batch(number: int = 0, parts: bool = True) -> dict[str, Tensor]:
    rows = dict(_drawn(number))
    if not parts:
        del rows["parts"]
    return rows


@cache
def _drawn(number: int) -> Mapping[str, Tensor]:
    return next(iter(open_birds().batches("train", 2, 32, start=number)))


def minimise_with(stage: FittingStage) -> Any:
    def minimise(loss: Tensor, name: str) -> None:
        optimizer = stage.optimizers[name]
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()

    return minimise


def trained(name: str, steps: int = 1, **more: Any) -> tuple[FittingStage, Mapping[str, Tensor]]:
    stage = new_stage(name, **more)
    stage.setup()
    losses: Mapping[str, Tensor] = {}
    for number in range(steps):
        losses = stage.step(batch(number), minimise_with(stage), number)
    return stage, losses
