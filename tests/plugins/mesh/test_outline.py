"""The outline a network sees by itself: drawn along the colours of the photo, and fitted to."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from iid_mesh.decomposer import MeshDecomposer
from iid_mesh.networks.mesh_net import Design, MeshNet
from iid_mesh.outline import SIDE, drawn
from iid_mesh.settings import MeshOptions
from intrinsic_cli.api import Runtime
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo

from .objects_drawn import body, photo

CPU = Runtime(torch.device("cpu"))


def overlap(found: Any, true: Any) -> float:
    one, other = np.asarray(found) > 0.5, np.asarray(true) > 0.5
    return float((one & other).sum() / (one | other).sum())


def coarse(side: int) -> Any:
    """What a network might see of the object [side,side], 0..1: a blur."""
    inside = body(SIDE).astype(np.float32)
    blurred = cv2.GaussianBlur(inside, (0, 0), 12)
    return cv2.resize(blurred, (side, side), interpolation=cv2.INTER_AREA)


def test_outlines_follow_colours() -> None:
    noise = np.random.default_rng(0).uniform(0.5, 0.6, (SIDE, SIDE, 3))
    colours = np.where(body(SIDE)[..., None], photo(SIDE)[..., :3], noise).astype(np.float32)
    seen = cv2.resize(coarse(32), (SIDE, SIDE))
    found = drawn(colours, coarse(32))
    assert overlap(seen, body(SIDE)) < 0.9
    assert overlap(found, body(SIDE)) > 0.97
    assert np.array_equal(found, drawn(colours, coarse(32)))


def test_where_colours_tell_another_object_the_network_is_believed() -> None:
    """All of a photo has the colour of a spot in the object."""
    colours = np.full((SIDE, SIDE, 3), 0.4, np.float32)
    colours[60:64, 60:64] = 0.9
    seen = cv2.resize(coarse(32), (SIDE, SIDE))
    assert overlap(drawn(colours, coarse(32)), seen) >= 0.5


@pytest.mark.parametrize("chance", [0.0, 1.0])
def test_nothing_and_everything_stay(chance: float) -> None:
    seen = np.full((32, 32), chance, np.float32)
    colours = np.random.default_rng(0).random((48, 48, 3), np.float32)
    assert np.array_equal(drawn(colours, seen), np.full((SIDE, SIDE), chance))


@pytest.fixture(scope="module")
def network() -> MeshNet:
    torch.manual_seed(0)
    return MeshNet(Design(hypotheses=2)).eval()


def test_an_untrained_network_tells_no_outline(network: MeshNet) -> None:
    made = network(torch.rand(1, 3, 64, 64), flow=False)
    assert network.inside(made) is None
    without = MeshNet(Design(hypotheses=2, zones=False)).eval()
    assert without.inside(without(torch.rand(1, 3, 64, 64), flow=False)) is None


def test_what_is_no_background_is_inside() -> None:
    taught = MeshNet(Design(hypotheses=2)).eval()
    taught.search.areas.fill_(1)
    made = taught(torch.rand(2, 3, 64, 64), flow=False)
    inside = taught.inside(made)
    assert made.zones is not None
    assert inside is not None
    assert torch.allclose(inside, made.zones[:, 1:].sum(1), atol=1e-5)


def covered(network: MeshNet, outline: int = 40) -> float:
    """How far the mesh covers the object that it was told nothing of."""
    colours = photo(64, background=True)[..., :3]
    chosen = MeshOptions(refine=0, frames=1, outline=outline)
    result = decompose_photo(
        MeshDecomposer(chosen, CPU, network), Photo(np.ascontiguousarray(colours)), CPU
    )
    return overlap(result.layers["mask"][..., 0], body(64))


def test_meshes_are_fitted_to_what_the_network_sees(
    network: MeshNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    seen = torch.from_numpy(coarse(32))[None]
    monkeypatch.setattr(network, "inside", lambda made: seen)
    before = covered(network, outline=0)
    assert covered(network, outline=25) > before + 0.1
    monkeypatch.setattr(network, "inside", lambda made: torch.zeros(1, 32, 32))
    assert covered(network) == before
