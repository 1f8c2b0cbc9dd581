"""Objects on black: where they are, and that their pieces do not drift apart."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from iid_retinex.pieces import fill_gaps, label_pieces, same_light
from iid_retinex.shading import estimate_shading
from iid_retinex.silhouette import find_silhouettes

PAIR = torch.tensor([0.4, 0.12])


def photo(size: int = 48) -> Tensor:
    return torch.rand(1, 3, size, size, generator=torch.Generator().manual_seed(0)) * 0.5 + 0.2


def framed(border: int = 10) -> Tensor:
    lit = photo()
    lit[..., :border, :] = 0
    lit[..., -border:, :] = 0
    lit[..., :border] = 0
    lit[..., -border:] = 0
    return lit


def test_a_photo_without_black_is_all_object() -> None:
    assert bool(find_silhouettes(photo()).all())


def test_black_around_an_object_is_outside_and_its_rim_too() -> None:
    inside = find_silhouettes(framed())[0, 0]
    assert bool(inside[11:37, 11:37].all())
    assert int(inside.sum()) == 26 * 26


def test_nearly_black_is_black() -> None:
    dim = framed()
    dim[dim == 0] = 5e-4
    assert torch.equal(find_silhouettes(dim), find_silhouettes(framed()))
    dim[dim == 5e-4] = 2e-2
    assert bool(find_silhouettes(dim).all())


def test_black_that_does_not_reach_the_border_is_the_objects_own() -> None:
    hole = photo()
    hole[..., 10:38, 10:38] = 0
    assert bool(find_silhouettes(hole).all())


def test_a_thin_black_edge_is_no_background() -> None:
    thin = photo(200)
    thin[..., :2] = 0
    thin[..., :2, :] = 0
    thin[..., -1] = 0
    assert bool(find_silhouettes(thin).all())


def test_a_dark_thing_in_the_photo_is_no_background() -> None:
    """A fifth of the border of a photo of a person, and a tenth of its pixels."""
    dark = photo()
    dark[..., 10:38, :14] = 0
    assert bool(find_silhouettes(dark).all())


def test_alpha_comes_before_black() -> None:
    alpha = torch.ones(1, 1, 48, 48)
    assert torch.equal(
        find_silhouettes(torch.cat([framed(), alpha], 1)), find_silhouettes(framed())
    )
    alpha[..., :20] = 0.5
    inside = find_silhouettes(torch.cat([photo(), alpha], 1))
    assert not bool(inside[..., :20].any())
    assert bool(inside[..., 20:].all())


def test_photos_of_one_batch_have_silhouettes_of_their_own() -> None:
    together = find_silhouettes(torch.cat([photo(), framed()]))
    assert torch.equal(together[1:], find_silhouettes(framed()))
    assert bool(together[0].all())


def test_a_black_photo_is_left_alone() -> None:
    assert bool(find_silhouettes(torch.zeros(1, 3, 9, 9)).all())


def two_halves() -> tuple[Tensor, Tensor]:
    """One paint, in light that falls to the right; a deep shadow cuts it in two."""
    size, gap = 96, slice(44, 52)
    ramp = torch.linspace(0, -3, size).repeat(1, 1, size, 1)
    mask = torch.zeros(1, 1, size, size)
    mask[..., 16:80, 8:88] = 1
    ramp[..., 52:] += 1.5 + (ramp[..., 44] - ramp[..., 52])[..., None]
    light = ramp.exp() * mask
    light[..., gap] = 0
    return (0.6 * light).expand(-1, 3, -1, -1), mask


@pytest.mark.parametrize("with_alpha", [False, True])
def test_pieces_that_a_shadow_cuts_off_do_not_drift_apart(with_alpha: bool) -> None:
    image, mask = two_halves()
    given = torch.cat([image, mask], 1) if with_alpha else image
    shading = estimate_shading(given, PAIR)[0, 0].log()
    rows = slice(20, 76)
    left, right = shading[rows, 12:40].mean(), shading[rows, 56:84].mean()
    assert abs(float(left - right)) < 0.05


def test_every_piece_has_the_same_mean_light() -> None:
    known = torch.zeros(1, 1, 8, 12, dtype=torch.bool)
    known[..., :4] = True
    known[..., 7:] = True
    field = torch.rand(1, 1, 8, 12) + 5 * (torch.arange(12) > 5)
    level = same_light(field, known)
    for piece in (slice(0, 4), slice(7, 12)):
        assert float(level[..., piece].mean()) == pytest.approx(0, abs=1e-6)
        change = level[..., piece] - field[..., piece]
        assert float(change.std()) == pytest.approx(0, abs=1e-6)
    assert int(label_pieces(known[0, 0]).max()) == 2


def test_gaps_are_filled_from_what_is_near() -> None:
    field = torch.zeros(1, 1, 16, 16)
    field[..., 8:] = 4
    known = torch.ones(1, 1, 16, 16, dtype=torch.bool)
    known[..., 4:6, 1:4] = False
    known[..., 4:6, 12:15] = False
    field[~known] = 99
    filled = fill_gaps(field, known)
    assert torch.equal(filled[known], field[known])
    assert float(filled[..., 4:6, 1:4].max()) < 1
    assert float(filled[..., 4:6, 12:15].min()) > 3


def test_light_outside_the_object_does_not_matter() -> None:
    image, mask = two_halves()
    one = estimate_shading(torch.cat([image, mask], 1), PAIR)
    other = estimate_shading(torch.cat([image + 0.7 * (1 - mask), mask], 1), PAIR)
    inside = mask > 0
    assert torch.allclose(one[inside], other[inside], rtol=1e-3)
