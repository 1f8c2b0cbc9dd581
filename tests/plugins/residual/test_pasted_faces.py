"""Faces in a photo: light and normals in the photo's directions, soft borders, fine detail."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
import torch
from lit_balls import RUNTIME, BallNetwork, ball_decomposer, ball_normals, ball_photo, lamp_from

from iid_residual import harmonics
from iid_residual.faces import regions
from iid_residual.faces.find import Face
from iid_residual.faces.template import Pose
from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photos

Put = Callable[..., None]
SIZE = (150, 200)
#: A ball of 96 pixels lies in a region about a face of 64.
SIDE, LEFT, TOP = 96, 70, 30
MIDDLE = (LEFT + SIDE / 2, TOP + SIDE / 2)


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Put:
    """Let the finder find what the test says."""

    def put(*found: Face) -> None:
        monkeypatch.setattr(regions, "find_faces", lambda *more: list(found))
        monkeypatch.setattr(regions, "can_find", lambda model: True)

    return put


def _face(angle: float = 0.0) -> Face:
    return Face(Pose(*MIDDLE, SIDE / regions.ROOM, angle), 0.9)


def _taken_apart(photo: Photo, network: Any = None, **options: Any) -> Decomposition:
    return decompose_photos(ball_decomposer(network, **options), [photo], RUNTIME)[0]


def _ball_in_photo(light: torch.Tensor) -> Photo:
    return ball_photo(light, SIDE, LEFT, TOP, SIZE)


@pytest.mark.parametrize("angle", [0.0, 30.0, -80.0])
@pytest.mark.parametrize("wanted", [(0, 0), (40, 0), (-30, 25), (10, -50)])
def test_light_is_told_as_the_photo_shows_it(
    faces: Put, wanted: tuple[float, float], angle: float
) -> None:
    """However the face is turned; 0, 0 is the camera, positive are the photo's right and above."""
    faces(_face(angle))
    result = _taken_apart(_ball_in_photo(lamp_from(*wanted)))
    (face,) = result.records["light"]["faces"]
    found = harmonics.towards(face["direction"]["azimuth"], face["direction"]["elevation"])
    assert float(found @ harmonics.towards(*wanted)) > np.cos(np.radians(3))


def test_the_record_of_a_light_says_all_that_is_known(faces: Put) -> None:
    faces(_face(12.34567))
    result = _taken_apart(_ball_in_photo(lamp_from(20, 10)))
    (face,) = json.loads(json.dumps(result.records["light"]))["faces"]
    assert list(face) == ["box", "angle", "confidence", "sh", "order", "direction", "focus"]
    assert face["box"] == [86, 46, 64, 64]
    assert face["angle"] == 12.35
    assert face["confidence"] == 0.9
    assert len(face["sh"]) == 27
    assert face["order"] == harmonics.ORDER


@pytest.mark.parametrize("angle", [0.0, 35.0])
def test_normals_stand_in_the_photo_as_they_should(faces: Put, angle: float) -> None:
    faces(_face(angle))
    result = _taken_apart(_ball_in_photo(lamp_from(0, 30)))
    true = harmonics.vectors_to_house(ball_normals(SIDE, SIDE)[0])[0].permute(1, 2, 0).numpy()
    made = result.layers["normals"][TOP : TOP + SIDE, LEFT : LEFT + SIDE]
    inner = slice(28, 68)
    cosine = (made * true).sum(axis=2)[inner, inner]
    assert cosine.min() > np.cos(np.radians(4))


@pytest.mark.parametrize("outline", [True, False])
@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_a_flat_face_is_pasted_without_a_step(faces: Put, angle: float, outline: bool) -> None:
    """A photo of one gray: whatever a layer says of the face, it gets there by and by."""
    faces(Face(Pose(300, 225, 240, angle), 0.9))
    gray = Photo(np.full((450, 600, 3), 0.3, np.float32))
    result = _taken_apart(gray, Even(outline), light="50,0")
    shading = result.layers["shading"][..., 0]
    assert shading[0, 0] == 1
    assert shading[225, 300] < 0.6
    for name in ("shading", "albedo", "relit"):
        assert _steepest(result.layers[name]) < 0.2 * _contrast(result.layers[name]), name


def test_pasted_faces_end_at_the_outline_of_the_head(faces: Put) -> None:
    faces(_face())
    photo = _ball_in_photo(lamp_from(0, 30))
    result = _taken_apart(photo, light="0,60")
    there = ball_photo(lamp_from(0, 0), SIDE, LEFT, TOP, SIZE).pixels[..., 0] != 0.2
    assert result.alpha is not None
    outside = ~np.asarray(there) & (result.alpha == 0)
    assert outside[TOP + 4, LEFT + 4], "a corner of the region"
    assert result.alpha[75, 118] == 1
    np.testing.assert_array_equal(result.layers["mask"][..., 0], result.alpha)
    np.testing.assert_array_equal(result.layers["albedo"][outside], photo.pixels[outside])
    np.testing.assert_array_equal(result.layers["relit"][outside], photo.pixels[outside])
    assert (result.layers["residual"][outside] == 0).all()


@pytest.mark.parametrize("angle", [0.0, 20.0])
def test_the_photos_finest_detail_stays(faces: Put, angle: float) -> None:
    """Single pixels of noise are neither blurred nor lost, in the layers and in the photo relit."""
    faces(_face(angle))
    photo = _ball_in_photo(lamp_from(0, 30))
    noise = np.random.default_rng(0).normal(1, 0.05, (*SIZE, 1)).astype(np.float32)
    photo.pixels[...] *= noise
    result = _taken_apart(photo, light="40,0")
    layers = result.layers
    rebuilt = layers["albedo"] * layers["shading"] + layers["residual"]
    np.testing.assert_allclose(rebuilt, photo.pixels, atol=1e-5)
    inner = (slice(60, 96), slice(100, 136))
    for name in ("albedo", "relit"):
        correlation = np.corrcoef(_fine(layers[name])[inner].ravel(), noise[inner].ravel())
        assert correlation[0, 1] > 0.8, name


def test_faces_are_seen_as_large_as_in_training(faces: Put) -> None:
    network = BallNetwork()
    faces(_face())
    _taken_apart(_ball_in_photo(lamp_from(0, 0)), network)
    _taken_apart(ball_photo(lamp_from(0, 0), 128), network, find="whole")
    assert [shape[-2:] for shape in network.seen] == [(96, 96), (64, 64)]


def test_a_crop_and_a_face_of_the_same_size_share_a_batch(
    faces: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One photo taken whole beside a face cut out: each is seen as if alone."""
    whole = ball_photo(lamp_from(30, 0), SIDE)
    found = {SIZE: [_face()], (SIDE, SIDE): []}
    monkeypatch.setattr(regions, "find_faces", lambda photo, *more: found[photo.shape[:2]])
    monkeypatch.setattr(regions, "can_find", lambda model: True)
    network = BallNetwork()
    part = _ball_in_photo(lamp_from(0, 40))
    both = decompose_photos(ball_decomposer(network), [part, whole], RUNTIME)
    assert [shape[-2:] for shape in network.seen] == [(96, 96), (64, 64)]
    for together, photo in zip(both, (part, whole), strict=True):
        alone = _taken_apart(photo)
        for name, layer in alone.layers.items():
            np.testing.assert_allclose(together.layers[name], layer, atol=1e-5)
        (one,), (other,) = together.records["light"]["faces"], alone.records["light"]["faces"]
        assert one["direction"] == pytest.approx(other["direction"], abs=0.1)


class Even(BallNetwork):
    """Says of everything that it is half lit, wherever the head is."""

    def forward(self, photo: torch.Tensor) -> Any:
        made = super().forward(photo)
        made.light = torch.zeros_like(made.light)
        made.light[:, ::9] = 0.5
        made.harmonic = torch.full_like(made.harmonic, 0.4431)
        made.shading = made.harmonic
        return made


def _steepest(layer: np.ndarray) -> float:
    return max(float(np.abs(np.diff(layer, axis=axis)).max()) for axis in (0, 1))


def _contrast(layer: np.ndarray) -> float:
    return float(layer.max() - layer.min())


def _fine(layer: np.ndarray) -> np.ndarray:
    """What differs from pixel to pixel, as a factor [H,W,1]."""
    gray = layer.mean(axis=2, keepdims=True)
    smooth = gray.copy()
    smooth[1:-1, 1:-1] = (gray[:-2, 1:-1] + gray[2:, 1:-1] + gray[1:-1, :-2] + gray[1:-1, 2:]) / 4
    return np.asarray(gray / smooth)
