"""Photos to meshes in memory: one and several objects, with a network and without."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iid_mesh import decomposer
from iid_mesh.decomposer import MeshDecomposer
from iid_mesh.networks.mesh_net import Design, MeshNet
from iid_mesh.settings import MeshOptions
from iid_mesh.silhouettes import GUESSED
from intrinsic_cli.api import Decomposition, Runtime, UsageError, WeightsError
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo

from .objects_drawn import body, photo

CPU = Runtime(torch.device("cpu"))
SIDE = 48
QUICK = {"refine": 12, "frames": 2}
LAYERS = {"albedo", "shading", "render", "mask", "silhouette"}


@pytest.fixture(scope="module")
def network() -> MeshNet:
    torch.manual_seed(0)
    return MeshNet(Design(hypotheses=2)).eval()


def made(given: Photo, network: MeshNet | None = None, **options: Any) -> Decomposition:
    opened = MeshDecomposer(MeshOptions(**{**QUICK, **options}), CPU, network)
    return decompose_photo(opened, given, CPU, {"flow": "texture"})


@pytest.fixture(scope="module")
def fitted() -> Decomposition:
    """The object, without a network."""
    return made(cut_out())


@pytest.fixture(scope="module")
def rough(network: MeshNet) -> Decomposition:
    """The object as a network says it is."""
    return made(cut_out(), network, refine=0)


def cut_out(side: int = SIDE) -> Photo:
    values = photo(side)
    return Photo(np.ascontiguousarray(values[..., :3]), np.ascontiguousarray(values[..., 3]))


def test_one_object(fitted: Decomposition) -> None:
    result = fitted
    assert set(result.layers) == LAYERS
    assert all(layer.shape[:2] == (SIDE, SIDE) for layer in result.layers.values())
    albedo, shading = result.layers["albedo"], result.layers["shading"]
    assert np.array_equal(albedo * shading, result.layers["render"])
    (mesh,) = result.meshes["mesh"]
    assert mesh.vertices.shape == (642, 3)
    assert result.textures["texture"][0] is mesh.texture
    assert result.animations["turntable"][0].shape == (2, 64, 64, 3)
    assert result.records["camera"]["quaternion"] == pytest.approx([0.5**0.5, 0.5**0.5, 0, 0])
    assert result.notes == ()
    assert result.regions[0].facts["silhouette"] == "alpha"
    assert result.alpha is not None
    assert ((result.alpha > 0) <= (result.layers["mask"][..., 0] > 0)).all()


def test_outside_the_mesh_stands_the_photo(fitted: Decomposition) -> None:
    """As for any method that looks at regions: nothing is changed where nothing was made."""
    outside = fitted.layers["mask"][..., 0] == 0
    assert np.array_equal(fitted.layers["render"][outside], fitted.photo[outside])
    assert (fitted.layers["shading"][outside] == 1).all()


def test_several_objects_are_a_mesh_each() -> None:
    wide = np.zeros((SIDE, 2 * SIDE, 4), np.float32)
    wide[:, :SIDE] = photo(SIDE)
    small = body(SIDE, size=0.5)
    wide[:, SIDE:, :3] = 0.4
    wide[:, SIDE:, 3] = small
    given = Photo(np.ascontiguousarray(wide[..., :3]), np.ascontiguousarray(wide[..., 3]))
    result = made(given)
    assert len(result.meshes["mesh"]) == 2
    first, second = result.records["camera"]["objects"]
    assert first["translation"][0] < 0 < second["translation"][0]
    assert first["scale"] > second["scale"]
    covered = result.layers["mask"][..., 0]
    assert covered[:, :SIDE].sum() > covered[:, SIDE:].sum() > 100
    assert len(made(given, objects=1).meshes["mesh"]) == 1


def test_a_guessed_silhouette_is_told() -> None:
    noise = np.random.default_rng(0).uniform(0.2, 0.3, (SIDE, SIDE, 3))
    shown = np.where(body(SIDE)[..., None], photo(SIDE)[..., :3], noise)
    result = made(Photo(shown.astype(np.float32)))
    assert GUESSED in result.notes


def test_a_network_gives_the_start(network: MeshNet, rough: Decomposition) -> None:
    refined = made(cut_out(), network, refine=25)
    assert len(refined.records["camera"]["hypotheses"]) == 2
    assert refined.records["camera"]["iou"] > rough.records["camera"]["iou"] + 0.05
    assert not np.allclose(rough.meshes["mesh"][0].vertices, refined.meshes["mesh"][0].vertices)


def test_without_refinement_a_network_needs_no_silhouette(
    network: MeshNet, monkeypatch: pytest.MonkeyPatch
) -> None:
    def never(*given: Any) -> Any:
        raise AssertionError("a silhouette was looked for")

    monkeypatch.setattr(decomposer, "find_silhouette", never)
    wide = np.full((SIDE, SIDE + 8, 3), 0.3, np.float32)
    result = made(Photo(wide), network, refine=0)
    assert result.layers["mask"].shape == (SIDE, SIDE + 8, 1)
    assert result.records["camera"]["iou"] is None
    assert result.notes == ()


def test_the_texture_flow_is_handed_out_where_it_is_asked_for(
    network: MeshNet, rough: Decomposition
) -> None:
    made_so = made(cut_out(), network, refine=0, flow=True)
    (flow,) = made_so.textures["flow"]
    assert flow.shape == (64, 128, 3)
    assert flow.min() >= 0
    assert flow[..., :2].max() <= 1
    assert "flow" not in rough.textures
    with pytest.raises(UsageError, match="needs a network"):
        made(cut_out(), flow=True)


def test_a_poor_fit_is_told(network: MeshNet) -> None:
    """A cross of thin arms, which no few steps can fill."""
    mask = np.zeros((SIDE, SIDE), np.float32)
    mask[20:24, 2:46] = mask[2:46, 20:24] = 1
    given = Photo(np.full((SIDE, SIDE, 3), 0.5, np.float32), mask)
    assert any("covers its silhouette poorly" in note for note in made(given, refine=2).notes)
    told = made(given, network, refine=2).notes
    assert any("-m mesh:fit" in note for note in told)


def test_a_network_for_masks_that_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match="no segmentation network"):
        MeshDecomposer(MeshOptions(mask_model=str(tmp_path / "none.onnx")), CPU)


def test_the_texture_is_as_wide_as_asked_for() -> None:
    (texture,) = made(cut_out(), texture=512).textures["texture"]
    assert texture.shape[0] == 256
    assert 512 < texture.shape[1] < 580


@pytest.mark.parametrize("change", [lambda x: x[:, ::-1], lambda x: np.rot90(x, 2)])
def test_the_render_looks_as_the_photo_does(change: Callable[[Any], Any]) -> None:
    values = np.ascontiguousarray(change(photo(SIDE)))
    colours = np.ascontiguousarray(values[..., :3])
    result = made(Photo(colours, np.ascontiguousarray(values[..., 3])), refine=40)
    both = (result.layers["mask"][..., 0] > 0) & (values[..., 3] > 0)
    assert np.median(np.abs(result.layers["render"] - colours)[both]) < 0.03
