"""Prints on things in training photos: where they are, and that they are paint."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from intrinsic_cli.kit.data.crops import Window
from intrinsic_cli.kit.data.synth import compose as composing
from intrinsic_cli.kit.data.synth.compose import compose
from intrinsic_cli.kit.data.synth.flat_prints import DRAWN, SIDE, draw_print
from intrinsic_cli.kit.data.synth.prints import print_on
from intrinsic_cli.kit.data.synth.shards import ALBEDO, Scene

EDGE = 48
GROUND = 0.5


def plane(value: float) -> NDArray[np.float32]:
    return np.full((EDGE, EDGE, 3), value, np.float32)


def objects() -> NDArray[np.uint8]:
    """A large object on the left, a tiny one in it, backdrop on the right."""
    ids = np.zeros((EDGE, EDGE), np.uint8)
    ids[8:40, 4:30] = 7
    ids[20:22, 10:12] = 9
    return ids


def printed(seed: int, ids: NDArray[np.uint8]) -> NDArray[np.float32]:
    rng = np.random.default_rng(seed)
    return np.asarray(print_on(plane(GROUND), ids, plane(0.2), rng))


@pytest.mark.parametrize("draw", DRAWN)
def test_a_flat_print_has_as_many_inks_as_it_says(draw: object) -> None:
    assert callable(draw)
    several = 0
    for seed in range(8):
        inks, which = draw(np.random.default_rng(seed))
        assert which.shape == (SIDE, SIDE)
        assert which.max() <= inks
        several += len(np.unique(which)) > 1
    assert several >= 6


def test_ink_reflects_what_paper_and_black_ink_do_and_bare_ground_has_none() -> None:
    coloured = 0
    for seed in range(20):
        drawn = draw_print(np.random.default_rng(seed))
        covered = drawn[..., 3] == 1
        ink = drawn[covered][:, :3]
        assert not drawn[~covered].any()
        assert ink.min() >= 0.03 - 1e-6
        assert ink.max() <= 0.85 + 1e-6
        coloured += bool((np.ptp(ink, axis=1) > 0.01).any())
    assert 2 <= coloured <= 14


def test_prints_end_where_their_object_does_and_tiny_things_and_the_backdrop_have_none() -> None:
    ids = objects()
    changed = np.zeros((EDGE, EDGE), bool)
    for seed in range(10):
        changed |= (printed(seed, ids) != GROUND).any(-1)
    assert changed[ids == 7].mean() > 0.8
    assert not changed[ids == 9].any()
    assert not changed[ids == 0].any()


def test_nothing_is_printed_where_nothing_is_large_enough() -> None:
    ids = np.zeros((EDGE, EDGE), np.uint8)
    ids[0, 0] = 1
    assert (printed(0, ids) == GROUND).all()


def test_a_print_follows_the_form_of_its_object() -> None:
    ids = np.ones((EDGE, EDGE), np.uint8)
    across = np.linspace(-1, 1, EDGE, dtype=np.float32)
    round_normals = plane(0)
    round_normals[..., 0] = across
    differing = 0
    for seed in range(8):
        flat = print_on(plane(GROUND), ids, plane(0), np.random.default_rng(seed))
        bent = print_on(plane(GROUND), ids, round_normals, np.random.default_rng(seed))
        differing += not np.array_equal(flat, bent)
    assert differing >= 6


def a_scene(category: str) -> Scene:
    """One gray object, evenly lit, but for a column of nothing."""
    codes = np.full((EDGE, EDGE, 3), 128, np.uint8)
    ids = np.ones((EDGE, EDGE), np.uint8)
    ids[:, 0] = 0
    lights = [{"sh9": np.ones((9, 3)).tolist()}]
    meta = {"lights": lights, "category": category}
    return Scene("made", meta, (codes,), (codes,), {}, codes, ids)


def paints(scene: Scene, plain: bool) -> int:
    """In how many of thirty samples the object has more than one paint."""
    whole = Window(0, 0, EDGE)
    several = 0
    for seed in range(30):
        sample = compose(scene, np.random.default_rng(seed), whole, EDGE, plain)
        known = sample["mask"][..., 0] > 0
        several += bool(known.any() and sample["albedo"][known].std(0).max() > 0.02)
    return several


def test_a_third_of_training_samples_carry_prints_but_no_face_does() -> None:
    assert 4 <= paints(a_scene("object"), plain=False) <= 20
    assert paints(a_scene("face"), plain=False) == 0
    assert paints(a_scene("object"), plain=True) == 0


def test_prints_are_paint_so_the_product_is_the_photo(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(composing, "_PRINTED", 1.0)
    whole = Window(0, 0, EDGE)
    compared = 0
    for seed in range(6):
        sample = compose(a_scene("object"), np.random.default_rng(seed), whole, EDGE, False)
        known = sample["mask"][..., 0] > 0
        product = (sample["albedo"] * sample["shading"])[known]
        compared += bool(np.abs(product - sample["photo"][known]).mean() < 0.05)
    assert compared >= 5


def test_some_repainted_objects_are_black() -> None:
    power, tint = composing._paints(np.random.default_rng(0))
    painted = ALBEDO[128] ** power * tint
    black = (painted.max(1) < 0.12).mean()
    assert 0.01 < black < 0.15
    assert tint[0].tolist() == [1, 1, 1]
