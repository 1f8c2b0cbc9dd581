"""Keypoints carried by texture flow: from the picture a network hands out to a score of its own,
and drawn to be looked at."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from iid_mesh import baselines
from iid_mesh.data.bird_sources import open_birds
from iid_mesh.fit import Fitted
from iid_mesh.pool import MeshPool
from iid_mesh.protocol import MESHES
from iid_mesh.render.camera import project
from iid_mesh.template import icosphere
from iid_mesh.texture_flow import picture, texels
from iid_mesh.transfer import FlowPlaced
from iid_mesh.uv import centres
from intrinsic_cli.api import Case, DataError
from intrinsic_cli.kit.score.scoring import looked_at, score_case

HEIGHT, WIDTH = 32, 64


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    """Without the truth that makes scoring slow."""
    made = [open_birds().cases()[number] for number in range(3)]
    for case in made:
        VERTICES[case.name] = torch.as_tensor(case.facts["vertices"])
        case.facts = {key: fact for key, fact in case.facts.items() if key != "vertices"}
    return made


VERTICES: dict[str, Tensor] = {}


def true_flow(case: Case) -> Tensor:
    """From where in the photo each texel really has its colour: the projection of the vertex that
    is nearest to it on the sphere."""
    vertices = VERTICES[case.name][None]
    (points,) = project(vertices, torch.as_tensor(case.facts["cameras"])[None])
    directions = centres(HEIGHT, WIDTH).flatten(0, 1)
    nearest = (directions @ icosphere().vertices.T).argmax(1)
    return points[nearest, :2].T.unflatten(1, (HEIGHT, WIDTH))


def answered(case: Case, flow: Tensor, box: list[float] | None = None) -> dict[str, Any]:
    """What a method that knows the truth would answer, with a flow of the photo."""
    fitted = Fitted(VERTICES[case.name], torch.as_tensor(case.facts["cameras"]), 1.0)
    answer = dict(baselines.answer_of(fitted, case))
    height, width = case.photo.shape[:2]
    where = box or [0, 0, width, height]
    return {**answer, "flow": [picture(flow)], "camera": {**answer["camera"], "box": where}}


def pool_of(cases: list[Case], answers: list[Any]) -> MeshPool:
    pool = MeshPool()
    for case, answer in zip(cases, answers, strict=True):
        pool.add(case, looked_at(MESHES, case, answer), score_case(MESHES, case, answer))
    return pool


def test_the_true_flow_finds_keypoints_again_and_a_mirrored_one_does_not(cases: list[Case]) -> None:
    flows = [true_flow(case) for case in cases]
    true = [answered(case, flow) for case, flow in zip(cases, flows, strict=True)]
    best = pool_of(cases, true).scores()
    assert best["flow_pck"] > 75
    wrong = [answered(case, flow.flip(1)) for case, flow in zip(cases, flows, strict=True)]
    upside_down = pool_of(cases, [true[0], *wrong[1:]]).scores()
    assert upside_down["flow_pck"] < best["flow_pck"] - 30
    assert upside_down["surface_pck"] == best["surface_pck"], "it does not look at the flow"


def test_a_flow_is_of_the_square_that_was_looked_at(cases: list[Case]) -> None:
    flow = torch.stack([torch.full((8, 16), -1.0), torch.full((8, 16), 0.5)])
    whole = texels(cases[0], answered(cases[0], flow))
    assert whole is not None
    assert whole.shape == (1280, 6, 2)
    assert whole[7, 3].tolist() == pytest.approx([-1, 0.5], abs=1e-6)
    side = cases[0].photo.shape[0]
    part = texels(cases[0], answered(cases[0], flow, [side / 4, 0, side / 2, side / 2]))
    assert part is not None
    assert part[7, 3].tolist() == pytest.approx([-0.5, -0.25], abs=1e-6)
    lost = answered(cases[0], flow)
    del lost["camera"]["box"]
    with pytest.raises(DataError, match="without the square"):
        texels(cases[0], lost)


def test_a_keypoint_goes_with_the_face_whose_texels_lie_around_it() -> None:
    source = torch.tensor([[[0.5, 0.5], [0.52, 0.5]], [[-0.5, 0], [-0.5, 0.02]]])
    target = torch.tensor([[[0, 0], [0.2, 0.4]], [[0.6, -0.6], [0.8, -0.6]]])
    keypoints = torch.tensor([[0.51, 0.49], [-0.5, 0.01]])
    faces = FlowPlaced.of(keypoints, source).faces
    assert faces.tolist() == [0, 1]
    places = FlowPlaced.of(keypoints, target).places
    assert places.flatten().tolist() == pytest.approx([0.1, 0.2, 0.7, -0.6])


@pytest.mark.parametrize(("distance", "face"), [(0.03, 0), (0.02, 1)])
def test_near_is_what_lies_within_three_pixels(distance: float, face: int) -> None:
    """One face has a texel at the point and one far away, a mean of half; both texels of the other
    lie beside it: exp(-.82) of the heat is less than half, exp(-.36) is more."""
    near = torch.tensor([[[0.0, 0], [0, 1]], [[distance, 0], [-distance, 0]]])
    assert FlowPlaced.of(torch.zeros(1, 2), near).faces.tolist() == [face]


def test_keypoints_are_drawn_where_they_are_found_and_marked(cases: list[Case]) -> None:
    answers = [answered(case, true_flow(case)) for case in cases]
    (drawn,) = pool_of(cases, answers).drawn().values()
    assert drawn.dtype == np.uint8
    rows, columns = len(cases) - 1, 4
    assert drawn.shape[0] > 256 * rows
    assert drawn.shape[1] > 256 * columns
    wrong = [answers[0], *(answered(case, true_flow(case).flip(1)) for case in cases[1:])]
    (other,) = pool_of(cases, wrong).drawn().values()
    changed = np.flatnonzero((drawn != other).any(axis=(0, 2)))
    assert 256 < changed[0] < changed[-1] < 2 * 270, "only the column of the flow"
    assert MeshPool().drawn() == {}
