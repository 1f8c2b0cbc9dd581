"""Features gathered by normals: the same wherever they lie, nothing before it has learned."""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from iid_residual.harmonics import direction, shade, towards, unit
from iid_residual.networks.facing import ByFacing
from iid_residual.networks.pipe import build
from iid_residual.networks.state import CONVENTIONS, PIPE, load
from iid_residual.relight import lamp
from iid_residual.variants import DEFAULT


def _part() -> ByFacing:
    torch.manual_seed(0)
    part = ByFacing(3).eval()
    for numbers in part.tell[-1].parameters():
        torch.nn.init.normal_(numbers, std=0.1)
    return part


def _ball(side: int = 24) -> tuple[Tensor, Tensor]:
    """Normals [1,3,h,w] of a ball that fills the picture, and where it is."""
    places = (torch.arange(side) + 0.5) / side * 2 - 1
    down, right = torch.meshgrid(places, places, indexing="ij")
    near = 1 - down**2 - right**2
    inside = (near > 0).float()[None, None]
    normals = torch.stack([down, right, near.clamp_min(0).sqrt()])[None]
    return unit(normals), inside


def test_it_begins_by_telling_nothing() -> None:
    normals, inside = _ball()
    told = ByFacing(3)(torch.randn(2, 3, 24, 24), normals.expand(2, -1, -1, -1), inside)
    assert (told == 0).all()


@torch.no_grad()
def test_a_face_may_lie_anywhere() -> None:
    part = _part()
    normals, inside = _ball()
    features = shade(normals, torch.randn(1, 27))
    alone = part(features, normals, inside)
    moved = [F.pad(x, (16, 8, 4, 20)) for x in (features * inside, normals, inside)]
    there = part(*moved)
    moved_by = float((there - alone).abs().max())
    assert moved_by < 0.02 * float(alone.abs().max())
    mirrored = part(features.flip(3), normals, inside)
    assert float((mirrored - alone).abs().max()) > 4 * moved_by


@torch.no_grad()
def test_what_is_outside_does_not_matter() -> None:
    part = _part()
    normals, inside = _ball()
    hole = torch.zeros_like(inside)
    hole[..., 8:16, 8:16] = 1
    features = torch.randn(1, 3, 24, 24)
    other = features.clone()
    other[..., :6, :] = 9
    torch.testing.assert_close(part(other, normals, hole), part(features, normals, hole))


def test_it_learns_where_light_comes_from() -> None:
    """On balls, from their shading alone, in a few steps."""
    torch.manual_seed(1)
    part = ByFacing(3).eval()
    normals, inside = _ball(16)
    even = torch.zeros(1, 27)
    even[:, ::9] = 1
    ways = ((-50, 0), (50, 0), (0, 40), (0, -40), (30, 30))
    lights = torch.cat([lamp(even, towards(*way)) for way in ways])
    normals, inside = (x.expand(len(ways), -1, -1, -1) for x in (normals, inside))
    shading = shade(normals, lights).clamp_min(0)
    wanted = direction(lights)
    optimizer = torch.optim.Adam(part.parameters(), 0.01)
    for _ in range(40):
        apart = (direction(part(shading, normals, inside)) - wanted).square().sum(1)
        optimizer.zero_grad()
        apart.mean().backward()
        optimizer.step()
    assert float(apart.max().detach()) < 0.05


def test_weights_from_before_say_what_they_said() -> None:
    torch.manual_seed(0)
    network = build(DEFAULT, "lite", 16).eval()
    state = {key: x for key, x in network.state_dict().items() if ".facing." not in key}
    assert len(state) < len(network.state_dict())
    loaded, _ = load(
        DEFAULT,
        {
            PIPE: state,
            CONVENTIONS: {
                "encoding": torch.tensor(0),
                "zero_border": torch.tensor(0),
                "srgb": torch.tensor(0),
            },
        },
    )
    photo = torch.rand(1, 3, 64, 64)
    with torch.no_grad():
        light, expected = loaded.eval()(photo).light, network(photo).light
    torch.testing.assert_close(light, expected)
