"""Faces of unlike sizes: one call of the network, and the same answers as one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from lit_balls import RUNTIME, BallNetwork, ball_decomposer, ball_photo, lamp_from

from iid_residual.decomposer import ResidualDecomposer
from iid_residual.faces import regions
from iid_residual.faces.find import Face
from iid_residual.faces.template import Pose
from iid_residual.networks.pipe import Conventions, build
from iid_residual.settings import ResidualOptions
from iid_residual.variants import design_of
from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photos

#: Sides, and left and upper edges, of the regions about three faces.
GROUP = ((96, 10, 20), (60, 120, 8), (77, 190, 60))


@pytest.fixture
def group(monkeypatch: pytest.MonkeyPatch) -> Photo:
    """A photo of three balls of unlike sizes, each lit from another side, where faces are found."""
    pixels = np.full((160, 280, 3), 0.2, np.float32)
    found = []
    for number, (side, left, top) in enumerate(GROUP):
        light = lamp_from(40 * (number - 1), 20)
        pixels[top : top + side, left : left + side] = ball_photo(light, side).pixels
        pose = Pose(left + side / 2, top + side / 2, side / regions.ROOM, 0.0)
        found.append(Face(pose, 0.9))
    monkeypatch.setattr(regions, "find_faces", lambda *more: found)
    monkeypatch.setattr(regions, "can_find", lambda model: True)
    return Photo(pixels)


def _taken_apart(decomposer: ResidualDecomposer, photo: Photo) -> Decomposition:
    return decompose_photos(decomposer, [photo], RUNTIME)[0]


def _one_by_one(decomposer: ResidualDecomposer) -> ResidualDecomposer:
    """The same decomposer, whose house shows it one face after the other."""
    together = decomposer.look_each

    def each(photos: Any, shown: Any) -> Any:
        pairs = zip(photos, shown, strict=True)
        return [together([photo], [region])[0] for photo, region in pairs]

    decomposer.look_each = each  # type: ignore[method-assign]
    return decomposer


def test_three_faces_are_one_call_of_the_network(group: Photo) -> None:
    network = BallNetwork()
    result = _taken_apart(ball_decomposer(network), group)
    assert len(result.records["light"]["faces"]) == 3
    (seen,) = network.seen
    assert seen[0] == 6, "each as it is and mirrored"
    for number, face in enumerate(result.records["light"]["faces"]):
        assert face["direction"]["azimuth"] == pytest.approx(40 * (number - 1), abs=3)


@pytest.mark.parametrize("variant", ["", "latent", "albedo-residue", "skipnet"])
def test_faces_together_are_as_they_are_one_by_one(group: Photo, variant: str) -> None:
    torch.manual_seed(0)
    design = design_of(variant)
    network = build(design, "paper", 16)
    options = ResidualOptions(size=32)

    def decomposer() -> ResidualDecomposer:
        return ResidualDecomposer(design, network, Conventions(), options, RUNTIME)

    together = _taken_apart(decomposer(), group)
    alone = _taken_apart(_one_by_one(decomposer()), group)
    for name, layer in alone.layers.items():
        np.testing.assert_allclose(together.layers[name], layer, atol=1e-5, err_msg=name)
    told = [face["sh"] for face in together.records.get("light", {}).get("faces", [])]
    wanted = [face["sh"] for face in alone.records.get("light", {}).get("faces", [])]
    np.testing.assert_allclose(told, wanted, atol=1e-5)


def test_faces_seen_at_unlike_sizes_still_come_in_their_order() -> None:
    from iid_residual.shown_faces import seen_together

    pictures = [torch.full((1, 3, 64, size), float(size)) for size in (64, 96, 64)]
    network = BallNetwork()
    made = seen_together(network, pictures)
    assert [tuple(one.normals.shape[-2:]) for one in made] == [(64, 64), (64, 96), (64, 64)]
    assert sorted(shape[0] for shape in network.seen) == [1, 2]
