"""The shipped weights on birds that training never saw: better than answers that look at nothing,
with cameras that are about right."""

from __future__ import annotations

from pathlib import Path
from statistics import mean, median

import pytest
import torch

import iid_mesh
from iid_mesh import texture_flow
from iid_mesh.data.bird_sources import open_birds
from iid_mesh.keypoints import Transfers
from iid_mesh.losses.silhouette import overlap
from iid_mesh.networks.mesh_net import MeshNet, Prediction
from iid_mesh.networks.state import load
from iid_mesh.render.camera import geodesic, project
from iid_mesh.render.hard import visible
from iid_mesh.template import icosphere
from iid_mesh.texture_flow import FLOW
from iid_mesh.transfer import FlowPlaced
from intrinsic_cli.api import Case
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import resize
from intrinsic_cli.kit.networks.checkpoint import load_weights

WEIGHTS = Path(iid_mesh.__file__).parent / "weights" / "mesh.safetensors"
#: Birds that are looked at; the model card has all of them.
COUNT = 8


@pytest.fixture(scope="module")
def network() -> MeshNet:
    return load(load_weights(WEIGHTS)[0]).eval()


@pytest.fixture(scope="module")
def answers(network: MeshNet) -> list[tuple[Case, Prediction]]:
    """What the network says of each bird, without any fit to its silhouette."""
    crop = int(network.crop)
    found = []
    cases = open_birds().cases("val")
    for number in range(COUNT):
        case = cases[number]
        photo = torch.from_numpy(case.photo).movedim(-1, 0)[None]
        with torch.no_grad():
            found.append((case, network(linear_to_srgb(resize(photo, (crop, crop)).clamp(0, 1)))))
    return found


@pytest.fixture(scope="module")
def scores(network: MeshNet, answers: list[tuple[Case, Prediction]]) -> list[tuple[float, float]]:
    """The overlap of the silhouette and the error of the camera in degrees, of each bird."""
    found = []
    for case, answer in answers:
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


def carried(points: torch.Tensor, source: FlowPlaced, target: FlowPlaced) -> torch.Tensor:
    return target.places[source.faces].double()


def test_keypoints_are_carried_over_by_the_flow(answers: list[tuple[Case, Prediction]]) -> None:
    """A mean bird's surface carries about one in six."""
    transfers: Transfers[FlowPlaced] = Transfers(carried)
    for case, answer in answers:
        side = case.photo.shape[0]
        told = {
            FLOW: [texture_flow.picture(answer.flow()[0])],
            "camera": {"box": [0, 0, side, side]},
        }
        places = texture_flow.texels(case, told)
        assert places is not None
        keypoints = torch.from_numpy(case.facts["keypoints"])
        transfers.add(keypoints, FlowPlaced.of(keypoints[:, :2], places))
    assert transfers.scores()["pck"] > 0.5
