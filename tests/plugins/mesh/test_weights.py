"""The shipped weights on birds that training never saw: better than answers that look at nothing,
with cameras that are about right."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median

import pytest
import torch

import iid_mesh
from iid_mesh.data.birds import open_birds
from iid_mesh.losses.silhouette import overlap
from iid_mesh.networks.state import load
from iid_mesh.render.camera import geodesic, project
from iid_mesh.render.hard import visible
from iid_mesh.template import icosphere
from intrinsic_cli.api import Case
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.networks.checkpoint import load_weights

WEIGHTS = Path(iid_mesh.__file__).parent / "weights" / "mesh.safetensors"
#: Birds that are looked at; the model card has all of them.
COUNT = 8


@pytest.fixture(scope="module")
def scores() -> list[tuple[float, float]]:
    """The overlap of the silhouette and the error of the camera in degrees, of each bird, without
    any fit to its silhouette."""
    network = load(load_weights(WEIGHTS)[0]).eval()
    crop = int(network.crop)
    found = []
    for case in list(open_birds().cases("val"))[:COUNT]:
        photo = torch.from_numpy(case.photo).movedim(-1, 0)[None]
        with torch.no_grad():
            answer = network(linear_to_srgb(resize(photo, (crop, crop)).clamp(0, 1)))
        points = project(network.vertices(answer.shape), answer.likeliest())
        found.append((iou(points, case), off(answer.likeliest(), case)))
    return found


def iou(points: torch.Tensor, case: Case) -> float:
    true = torch.from_numpy(case.mask)[None].float()
    seen = visible(points, icosphere().faces, true.shape[-1])
    return float(overlap(seen.mask.float(), true))


def off(camera: torch.Tensor, case: Case) -> float:
    true = torch.from_numpy(case.facts["cameras"])[3:]
    return float(geodesic(camera[0, 3:], true))


def test_silhouettes_fit_without_any_fitting(scores: list[tuple[float, float]]) -> None:
    assert mean(iou for iou, _ in scores) > 0.75


def test_cameras_are_found(scores: list[tuple[float, float]]) -> None:
    """By chance the median would be near 90 degrees."""
    assert median(off for _, off in scores) < 20
