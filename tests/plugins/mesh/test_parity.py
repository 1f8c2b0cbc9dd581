"""The published network of stage s2, imported, answers as published."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
import torch.nn.functional as F
from torch import Tensor

from iid_mesh.networks.mesh_net import MeshNet, Prediction
from iid_mesh.networks.paper import Paper
from iid_mesh.render.camera import project
from iid_mesh.template import icosphere
from iid_mesh.uv import face_lattice, on_faces

ARCHIVE = Path(__file__).parents[2] / "fixtures" / "mesh" / "fixture_parity.npz"
#: Faces whose colours are in the archive.
HEAD = 64


@pytest.fixture(scope="module")
def truth() -> dict[str, Tensor]:
    return {key: torch.from_numpy(x) for key, x in np.load(ARCHIVE).items()}


@pytest.fixture(scope="module")
def photos(truth: dict[str, Tensor]) -> Tensor:
    numbers = np.random.default_rng(int(truth["input_seed"]))
    return torch.from_numpy(numbers.random((2, 3, 256, 256), dtype=np.float32))


@pytest.fixture(scope="module")
def network(imported: Callable[[str], MeshNet]) -> MeshNet:
    return imported("s2")


@pytest.fixture(scope="module")
def body(network: MeshNet) -> Paper:
    assert isinstance(network.body, Paper)
    return network.body


@pytest.fixture(scope="module")
def made(network: MeshNet, photos: Tensor) -> Prediction:
    answer: Prediction = network(photos)
    return answer


def _agree(mine: Tensor, theirs: Tensor, within: float = 1e-4) -> None:
    assert mine.shape == theirs.shape
    assert (mine - theirs.float()).abs().max() < within


def test_features_and_the_latent_vector(
    body: Paper, photos: Tensor, truth: dict[str, Tensor]
) -> None:
    encoder = body.encoder
    features = encoder.features(encoder.resnet_conv(photos)[-1])
    _agree(features, truth["feat"])
    _agree(encoder.mean_fc(features), truth["mean"])
    _agree(encoder.logvar_fc(features), truth["logvar"])
    _agree(encoder.latent(features), truth["mean"])


def test_shapes(body: Paper, made: Prediction, truth: dict[str, Tensor]) -> None:
    """Ours are those of the mean; theirs were drawn by chance."""
    _agree(made.shape, truth["delta_v_from_mean"])
    drawn = body.shape_predictor(truth["noise"])
    _agree(drawn, truth["delta_v_from_noise"])
    sphere = icosphere()
    mean = sphere.symmetrise(truth["mean_v"], free=True)
    _agree(mean + sphere.symmetrise(drawn, free=True), truth["verts"])


def test_cameras(made: Prediction, truth: dict[str, Tensor]) -> None:
    _agree(made.cameras, truth["cam_hypotheses"])
    _agree(made.probabilities, truth["cam_probs"])
    _agree(project(truth["verts"], made.cameras[:, 0]), truth["proj_cam0"])


def test_texture_flow(
    body: Paper, photos: Tensor, made: Prediction, truth: dict[str, Tensor]
) -> None:
    """Whole, as read for faces, and the colours it brings; we keep the right half."""
    features = truth["feat"]
    flow = body.texture_predictor(features)
    _agree(flow, truth["uvimage"])
    _agree(made.flow()[..., 128:], truth["uvimage"][..., 128:])
    assert made.flow().equal(made.flow().flip(-1))
    read = on_faces(flow, truth["uv_sampler"], icosphere())
    _agree(read, truth["tex_flow"], within=5e-4)
    grid = read[:, :HEAD].flatten(2, 3)
    colours = F.grid_sample(photos, grid, align_corners=True).unflatten(3, (6, 6))
    _agree(colours.movedim(1, -1), truth["tex_head"])


def test_our_lattice_reads_the_same_but_at_seam_and_poles(truth: dict[str, Tensor]) -> None:
    ours = on_faces(truth["uvimage"], face_lattice(icosphere()), icosphere())
    apart = (ours - truth["tex_flow"].float()).abs().amax(-1)
    assert (apart > 1e-3).float().mean() < 0.01
