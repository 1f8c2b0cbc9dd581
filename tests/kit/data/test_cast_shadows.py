"""Shadows that the things in a picture cast beside themselves."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.data.synth.cast_shadows import cast_shadow

SIDE = 64


def a_post_on_a_floor() -> NDArray[np.uint8]:
    """Object 7, six pixels wide, on ground 1."""
    ids = np.ones((SIDE, SIDE), np.uint8)
    ids[20:40, 29:35] = 7
    return ids


def test_shadows_cling_to_what_casts_them_and_leave_it_lit() -> None:
    ids = a_post_on_a_floor()
    thing = ids == 7
    around = np.zeros_like(thing)
    around[17:43, 26:38] = True
    dark_of = []
    for seed in range(40):
        share = cast_shadow(ids, np.random.default_rng(seed))
        assert share is not None
        assert share.shape == ids.shape
        assert set(np.unique(share)) <= {0, 1}
        assert (share[thing] == 1).all()
        dark = share == 0
        dark_of.append(dark.sum())
        if dark.any():
            assert (dark & around).any(), "beside the post"
    assert sum(count > 20 for count in dark_of) > 20


def test_shadows_of_several_things_fall_to_one_side() -> None:
    ids = np.ones((SIDE, SIDE), np.uint8)
    places = {2: (12, 10), 3: (12, 44), 4: (44, 10), 5: (44, 44)}
    for number, (top, left) in places.items():
        ids[top : top + 6, left : left + 6] = number
    seen = 0
    for seed in range(60):
        share = cast_shadow(ids, np.random.default_rng(seed))
        assert share is not None
        sides = set()
        for top, left in places.values():
            around = share[top - 6 : top + 12, left - 6 : left + 12]
            rows, columns = np.nonzero(around == 0)
            if len(rows) > 8:
                sides.add((rows.mean() > 8.5, columns.mean() > 8.5))
        seen += len(sides) > 0
        assert len(sides) <= 1, "one light"
    assert seen > 20


def test_nothing_is_cast_by_dots_or_by_most_of_the_picture() -> None:
    ids = np.ones((SIDE, SIDE), np.uint8)
    ids[5:7, 5:7] = 2
    assert cast_shadow(ids, np.random.default_rng(0)) is None
    assert cast_shadow(np.zeros_like(ids), np.random.default_rng(0)) is None
