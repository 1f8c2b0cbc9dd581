"""Three ways to find a keypoint of one photo again in another, each by what a method answered for
both: by its texture flow and by its camera, as UMR (Li et al., ECCV 2020) defines them, and by its
surface, which is ours."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import torch
from torch import Tensor

from iid_mesh import texture_flow
from iid_mesh.keypoints import covered_pixels
from iid_mesh.metrics import (
    Depths,
    Reconstruction,
    Spots,
    spots_at,
    texture_places,
    vertices_at,
)

if TYPE_CHECKING:
    from intrinsic_cli.api import Case
    from intrinsic_cli.api.protocols import Answer

#: Width of the heat map around a keypoint: 3 of 256 pixels, where the photo is 2 wide.
_SIGMA = 3 * 2 / 256


@dataclass(frozen=True, slots=True)
class Placed:
    """What one photo's keypoints are carried with, as the source of them and as their target.

    ``by_surface`` and ``by_vertex`` are the spots they lie on, by the surface that is seen and by
    the nearest vertex; ``depths`` and ``foreground`` [N,2] belong to the target's side of both.
    ``flow`` is None where a method has no texture flow."""

    shape: Reconstruction
    depths: Depths
    foreground: Tensor
    by_surface: Spots
    by_vertex: Spots
    flow: FlowPlaced | None


@dataclass(frozen=True, slots=True)
class FlowPlaced:
    """The ``faces`` [K] of the template whose texels the flow takes from around the keypoints, and
    where in the photo it takes those of every face from, on average: ``places`` [F,2]."""

    faces: Tensor
    places: Tensor

    @staticmethod
    def of(keypoints: Tensor, texels: Tensor) -> FlowPlaced:
        """Keypoints [K,2], and where the T texels of each face have their colours from [F,T,2]: the
        face whose texels lie closest to a keypoint, by a Gaussian about it, mean over texels."""
        nearest = []
        for point in keypoints.double():
            squared = (texels.double() - point).square().sum(-1)
            heat = torch.exp(-squared / (2 * _SIGMA**2)).mean(1)
            nearest.append(heat.argmax())
        faces = torch.stack(nearest)
        return FlowPlaced(faces, texels.mean(1))


def placed(case: Case, answer: Answer, shape: Reconstruction) -> Placed:
    """Of a photo with keypoints, and the shape that was answered for it."""
    keypoints = torch.as_tensor(np.asarray(case.facts["keypoints"], np.float32))[:, :2]
    foreground = torch.zeros(0, 2)
    if "mask" in answer:
        foreground = covered_pixels(answer["mask"]).float()
    texels = texture_flow.texels(case, answer)
    flow = None if texels is None else FlowPlaced.of(keypoints, texels)
    return Placed(
        shape=shape,
        depths=Depths.of(shape),
        foreground=foreground,
        by_surface=spots_at(keypoints, shape),
        by_vertex=vertices_at(keypoints, shape),
        flow=flow,
    )


def by_flow(points: Tensor, source: Placed, target: Placed) -> Tensor:
    """Keypoint → the face whose texels the source's flow takes from there → where the target's flow
    takes that face's texels from."""
    assert source.flow is not None
    assert target.flow is not None
    return target.flow.places[source.flow.faces].double()


def by_surface(points: Tensor, source: Placed, target: Placed) -> Tensor:
    """Keypoint → the spot of the surface seen there → where the target's surface shows that spot,
    or its mirror image where it is hidden."""
    return texture_places(source.by_surface, target.shape, target.depths).double()


def by_camera(points: Tensor, source: Placed, target: Placed) -> Tensor:
    """Keypoint → the nearest projected vertex, seen or not → the target's pixel of the object
    nearest to that vertex."""
    places = source.by_vertex.seen(target.shape.points)[:, :2]
    if not len(target.foreground):
        return places.double()
    nearest = torch.cdist(places, target.foreground).argmin(1)
    return target.foreground[nearest].double()


#: How keypoints are carried over: points [K,2], source, target → [K,2].
Way = Callable[[Tensor, Placed, Placed], Tensor]
WAYS: Mapping[str, Way] = {"flow": by_flow, "surface": by_surface, "camera": by_camera}


def ways_of(place: Placed) -> list[str]:
    """The ways in which a photo's keypoints can be carried."""
    return [name for name in WAYS if name != "flow" or place.flow is not None]
