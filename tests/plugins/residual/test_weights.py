"""The shipped weights on rendered heads that training never saw: better than answers that look at
nothing, and better with the residual than without."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from statistics import mean

import pytest
import torch

import iid_residual
from iid_residual.data.heads import open_heads
from iid_residual.domain import Domain
from iid_residual.networks.pipe import Prediction
from iid_residual.networks.state import load
from iid_residual.networks.twice import twice
from iid_residual.terms import measures
from iid_residual.truth import Truth, truth_of
from iid_residual.variants import DEFAULT
from intrinsic_cli.kit.data.synth import scenes
from intrinsic_cli.kit.networks.checkpoint import load_weights

WEIGHTS = Path(iid_residual.__file__).parent / "weights" / "residual.safetensors"
PACKAGED = Path(scenes.__file__).parent / "miniature" / "val"
#: Eyes, nose and mouth corners of the packaged heads.
POINTS = {
    "face-1000017": [
        [0.562, 0.415],
        [0.746, 0.427],
        [0.832, 0.583],
        [0.662, 0.740],
        [0.813, 0.725],
    ],
    "face-1000042": [
        [0.430, 0.434],
        [0.589, 0.448],
        [0.530, 0.492],
        [0.454, 0.584],
        [0.576, 0.584],
    ],
}


@pytest.fixture(scope="module")
def answers(tmp_path_factory: pytest.TempPathFactory) -> list[tuple[Prediction, Truth]]:
    """What the network says of the packaged heads, and the truth."""
    folder = tmp_path_factory.mktemp("heads")
    shutil.copytree(PACKAGED, folder / "val")
    (folder / "val" / "faces.json").write_text(json.dumps(POINTS))
    network, _ = load(DEFAULT, load_weights(WEIGHTS)[0])
    network.eval()
    found = []
    for batch in open_heads(folder).batches("val", 1, 128):
        domain = Domain.of(batch["photo"])
        with torch.no_grad():
            made = twice(network, domain.seen(batch["photo"]))
        height, width = made.albedo.shape[-2:]
        found.append((made, truth_of(batch, domain, (height, width))))
    assert len(found) == len(POINTS)
    return found


def test_normals_are_those_of_the_heads(answers: list[tuple[Prediction, Truth]]) -> None:
    degrees = [float(measures(made, truth)["normals °"]) for made, truth in answers]
    assert mean(degrees) < 14, degrees


def test_albedo_is_nearer_than_a_constant_one(answers: list[tuple[Prediction, Truth]]) -> None:
    found, constant = [], []
    for made, truth in answers:
        found.append(float(measures(made, truth)["albedo"]))
        made.albedo = torch.ones_like(made.albedo)
        constant.append(float(measures(made, truth)["albedo"]))
    assert mean(found) < 0.7 * mean(constant)


def test_the_residual_rebuilds_more(answers: list[tuple[Prediction, Truth]]) -> None:
    rebuilt = [measures(made, truth) for made, truth in answers]
    whole = mean(float(row["rebuilt"]) for row in rebuilt)
    assert whole < 0.9 * mean(float(row["rebuilt by harmonics"]) for row in rebuilt)
