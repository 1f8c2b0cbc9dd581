"""The protocol of meshes: what a perfect answer scores, and what the baselines do."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch

from iid_mesh import baselines, metrics
from iid_mesh.answers import camera_of, reconstruction, vertices_of
from iid_mesh.data.bird_sources import open_birds
from iid_mesh.fit import Fitted
from iid_mesh.pool import MeshPool
from iid_mesh.protocol import MESHES
from iid_mesh.render.camera import anchors
from iid_mesh.template import icosphere
from intrinsic_cli.api import Case, DataError, Mesh
from intrinsic_cli.kit.score.scoring import score_case
from intrinsic_cli.registry import load_registry, open_protocol


@pytest.fixture(scope="module")
def cases() -> list[Case]:
    return [open_birds().cases()[number] for number in range(4)]


@pytest.fixture(autouse=True)
def few_samples(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(metrics, "SAMPLES", 1000)


def perfect(case: Case) -> dict[str, Any]:
    vertices = torch.as_tensor(case.facts["vertices"])
    fitted = Fitted(vertices, torch.as_tensor(case.facts["cameras"]), 1.0)
    return dict(baselines.answer_of(fitted, case))


def pooled(cases: list[Case], answers: list[Any]) -> dict[str, float]:
    pool = MeshPool()
    for case, answer in zip(cases, answers, strict=True):
        pool.add(case, answer, score_case(MESHES, case, answer))
    return pool.scores()


def test_the_truth_scores_best(cases: list[Case]) -> None:
    scores = score_case(MESHES, cases[0], perfect(cases[0]))
    assert scores["iou"] > 0.97
    assert scores["soft_iou"] > 0.95
    assert scores["camera_error"] == pytest.approx(0, abs=0.05)
    assert scores["solid_iou"] == 1
    assert scores["chamfer"] < 5e-3
    ball = score_case(MESHES, cases[0], baselines.sphere(cases[0]))
    assert ball["iou"] < scores["iou"]
    assert ball["solid_iou"] < 0.9
    assert ball["chamfer"] > scores["chamfer"]


def test_keypoints_are_found_again_by_the_truth_and_not_by_the_mean(cases: list[Case]) -> None:
    best = pooled(cases, [perfect(case) for case in cases])
    assert best["surface_pck"] > 90
    assert best["camera_pck"] > 90
    assert best["camera_median"] == pytest.approx(0, abs=0.05)
    assert best["camera_near"] == 100
    assert "flow_pck" not in best, "nobody answered with a texture flow"
    mean = pooled(cases, [baselines.mean_template(case) for case in cases])
    assert mean["surface_pck"] < 70
    assert mean["camera_near"] < 100
    assert MESHES.metric("flow_pck").unit == "%"
    assert MESHES.metric("camera_median").better == "lower"


def test_a_turned_camera_costs_its_angle(cases: list[Case]) -> None:
    answer = perfect(cases[0])
    w, x, y, z = answer["camera"]["quaternion"]
    answer["camera"] = {**answer["camera"], "quaternion": [-z, -y, x, w]}
    scores = score_case(MESHES, cases[0], answer)
    assert scores["camera_error"] == pytest.approx(180, abs=0.1), "half a turn about z"
    negative = {**perfect(cases[0])["camera"], "quaternion": [-w, -x, -y, -z]}
    same = score_case(MESHES, cases[0], {**perfect(cases[0]), "camera": negative})
    assert same["camera_error"] == pytest.approx(0, abs=0.05)


def test_meshes_stand_upright_on_disk_and_in_the_template_z_is_up() -> None:
    up = Mesh(np.tile(np.array([[1.0, 2.0, 3.0]]), (642, 1)), icosphere().outward.numpy())
    assert vertices_of(up)[0].tolist() == [1, -3, 2]
    small = Mesh(np.zeros((4, 3)), np.array([[0, 1, 2]]))
    with pytest.raises(DataError, match="4 vertices"):
        vertices_of(small)


def test_the_first_of_several_objects_is_scored() -> None:
    record = {"scale": 0.5, "translation": [0.1, 0.2], "quaternion": anchors(1)[0].tolist()}
    one = camera_of({"camera": record})
    assert torch.equal(one, camera_of({"camera": {"objects": [record, {}]}}))
    assert one[:3].tolist() == pytest.approx([0.5, 0.1, 0.2])
    assert reconstruction({"camera": record}) is None


def test_an_answer_without_a_mesh_is_scored_by_its_mask(cases: list[Case]) -> None:
    answer = {"mask": cases[0].truth["silhouette"]}
    assert set(score_case(MESHES, cases[0], answer)) == {"iou", "soft_iou"}
    assert pooled(cases[:2], [answer, {}]) == {}
    unknown = Case("x", cases[0].photo, {}, cases[0].mask)
    assert score_case(MESHES, unknown, perfect(cases[0])) == {}


def test_the_fit_covers_its_silhouette(cases: list[Case], monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(baselines, "_STEPS", 15)
    scores = score_case(MESHES, cases[0], baselines.silhouette_fit(cases[0]))
    assert scores["iou"] > 0.7
    assert baselines.silhouette_fit(Case("x", cases[0].photo, {}, cases[0].mask)) == {}


def test_the_house_knows_the_protocol() -> None:
    assert open_protocol("meshes", load_registry()) is MESHES
    assert open_birds().protocol == MESHES.name
