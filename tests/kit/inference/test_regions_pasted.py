"""Layers of regions pasted into those of the photo: exact, turned back, faded, averaged."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pytest
import torch
from region_methods import CPU, Looks, Resizes, photo, smooth
from torch import Tensor

from intrinsic_cli.api import Frame, Outputs, Region
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo


def test_an_unturned_box_gives_the_very_layers_of_its_crop() -> None:
    given = photo(48, 64)
    region = Region((10, 8, 30, 20), feather=0.0)
    pasted = decompose_photo(Resizes(region), given, CPU)
    crop = Resizes()
    crop.found = None
    alone = decompose_photo(crop, Photo(given.pixels[8:28, 10:40].copy()), CPU)
    for name, layer in alone.layers.items():
        exact = 1e-6 if name == "normals" else 0
        assert np.allclose(pasted.layers[name][8:28, 10:40], layer, atol=exact, rtol=0), name
    assert pasted.alpha is not None
    assert pasted.alpha.sum() == 20 * 30


def test_outside_stand_values_that_change_nothing() -> None:
    given = photo(48, 64, gain=7.0)
    region = Region((10, 8, 30, 20), feather=0.2)
    for decomposer in (Looks(region), Resizes(region)):
        result = decompose_photo(decomposer, given, CPU)
        outside = np.ones((48, 64), bool)
        outside[8:28, 10:40] = False
        layers = {name: layer[outside] for name, layer in result.layers.items()}
        assert np.array_equal(layers["albedo"], given.pixels[outside])
        assert (layers["shading"] == 1).all()
        assert (layers["mask"] == 0).all()
        assert (layers["depth"] == 0).all()
        assert np.array_equal(np.unique(layers["normals"], axis=0), [[0, 0, 1]])
        assert result.alpha is not None
        assert (result.alpha[outside] == 0).all()


@pytest.mark.parametrize("angle", [0.0, 30.0, -77.0])
def test_the_layers_rebuild_the_photo_everywhere(angle: float) -> None:
    """Also where regions fade out, overlap, and reach beyond the photo."""
    given = photo(60, 80, gain=4.0)
    regions = (Region((5, 5, 40, 30), angle), Region((30, 20, 70, 50), angle + 10))
    frame = Frame(size=16, multiple=8)
    layers = decompose_photo(Looks(*regions, frame=frame), given, CPU).layers
    assert np.allclose(layers["albedo"] * layers["shading"], given.pixels, rtol=1e-5)


def test_a_residual_and_summands_rebuild_it_too() -> None:
    class Sums(Looks):
        def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
            return {"transmission": photos * 0.6, "reflection": photos * 0.4, "flare": 0 * photos}

    class Rest(Looks):
        def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
            layers = dict(super().__call__(photos))  # type: ignore[arg-type]
            return {**layers, "residual": photos * 0.1}

    given = photo(60, 80)
    regions = (Region((5, 5, 40, 30), 25.0), Region((30, 20, 70, 50)))
    layers = decompose_photo(Sums(*regions, frame=Frame(upsample="subtract")), given, CPU).layers
    total = layers["transmission"] + layers["reflection"] + layers["flare"]
    assert np.allclose(total, given.pixels, atol=1e-6)
    assert min(layer.min() for layer in layers.values()) >= 0
    assert np.array_equal(layers["transmission"][0, 0], given.pixels[0, 0])
    assert (layers["reflection"][0, 0] == 0).all()
    layers = decompose_photo(Rest(*regions), given, CPU).layers
    rebuilt = layers["albedo"] * layers["shading"] + layers["residual"]
    assert np.allclose(rebuilt, given.pixels, atol=1e-5)


def test_turned_by_thirty_degrees_and_back() -> None:
    """What a network sees upright comes back as it lies in the photo, vectors turned."""
    given = smooth(120, 120)
    region = Region((30, 30, 60, 60), angle=30.0, feather=0.0)
    layers = decompose_photo(Resizes(region), given, CPU).layers
    inside = np.zeros((120, 120), bool)
    inside[48:72, 48:72] = True
    expected = given.pixels.mean(2, keepdims=True) + 0.1
    assert np.abs(layers["shading"] - expected)[inside].max() < 2e-3
    assert np.abs(layers["albedo"] * expected - given.pixels)[inside].max() < 4e-3

    y, x = np.mgrid[:120, :120] + 0.5
    turn = math.radians(30)
    across = (x - 60) * math.cos(turn) - (y - 60) * math.sin(turn) + 30
    slope = 1.6 * (across - 0.5) / 59 - 0.8
    upright = np.stack([slope, np.full_like(slope, 0.3), np.ones_like(slope)], axis=2)
    upright /= np.linalg.norm(upright, axis=2, keepdims=True)
    right = math.cos(turn) * upright[..., 0] - math.sin(turn) * upright[..., 1]
    up = math.sin(turn) * upright[..., 0] + math.cos(turn) * upright[..., 1]
    normals = np.stack([right, up, upright[..., 2]], axis=2)
    assert np.abs(layers["normals"] - normals)[inside].max() < 2e-3
    assert np.allclose(np.linalg.norm(layers["normals"], axis=2), 1, atol=1e-5)


def test_a_quarter_turn_is_exact() -> None:
    given = photo(40, 40)
    shadings = []
    for angle in (0.0, 90.0):
        region = Region((8, 8, 24, 24), angle=angle, feather=0.0)
        shadings.append(decompose_photo(Resizes(region), given, CPU).layers["shading"])
    assert np.allclose(shadings[0], shadings[1], atol=1e-5)


def test_regions_fade_out_without_a_seam() -> None:
    given = Photo(np.full((80, 100, 3), 0.5, np.float32))
    region = Region((20, 20, 60, 40), feather=0.25)
    result = decompose_photo(Resizes(region), given, CPU)
    shading, alpha = result.layers["shading"][..., 0], result.alpha
    assert alpha is not None
    line = alpha[40, 20:80]
    assert (np.diff(line[:30]) >= 0).all()
    assert (np.diff(line[30:]) <= 0).all()
    assert (line[10:50] == 1).all(), "10 pixels of border"
    assert 0 < line[0] < 0.02
    assert line[4] == pytest.approx(0.45**2 * (3 - 0.9), abs=1e-6)
    assert np.abs(np.diff(shading, axis=0)).max() < 0.07, "of a step of 0.4"
    assert np.allclose(shading, 1 - 0.4 * alpha, atol=1e-6)


def test_nothing_fades_at_the_border_of_the_photo() -> None:
    result = decompose_photo(Resizes(Region((0, 0, 20, 30))), photo(30, 40), CPU)
    assert result.alpha is not None
    assert (result.alpha[:, :18] == 1).all()
    assert result.alpha[0, 19] < 0.2


def test_overlapping_regions_are_averaged() -> None:
    class Numbered(Resizes):
        def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
            numbers = torch.arange(1.0, len(photos) + 1)[:, None, None, None]
            return {"shading": numbers * torch.ones_like(photos)}

    regions = (Region((0, 0, 60, 40)), Region((40, 0, 60, 40)))
    result = decompose_photo(Numbered(*regions), photo(40, 100), CPU)
    line = result.layers["shading"][20, :, 0]
    assert np.allclose(line[:40], 1)
    assert np.allclose(line[60:], 2)
    assert np.allclose(line[45:55], 1.5)
    assert (np.diff(line) >= 0).all()
    assert np.abs(np.diff(line)).max() < 0.2
    assert result.alpha is not None
    assert (result.alpha == 1).all()


def test_layers_cover_no_more_than_they_hold_for() -> None:
    """Two objects whose boxes overlap: neither's surroundings touch the other."""

    class Halves(Looks):
        def __call__(self, photos: Tensor) -> Outputs:
            value = photos.mean((1, 2, 3), keepdim=True).expand(-1, 1, *photos.shape[2:])
            holds = torch.zeros_like(value)
            holds[..., :10] = 1
            return Outputs(layers={"mask": value}, alpha=holds)

    given = photo(30, 40)
    boxes = [Region((0, 5, 20, 20), feather=0.0), Region((10, 5, 20, 20), feather=0.0)]
    result = decompose_photo(Halves(*boxes), given, CPU)
    left, right = given.pixels[5:25, :20].mean(), given.pixels[5:25, 10:30].mean()
    assert np.allclose(result.layers["mask"][5:25, :10], left)
    assert np.allclose(result.layers["mask"][5:25, 10:20], right)
    assert (result.layers["mask"][5:25, 20:] == 0).all()
    assert result.alpha is not None
    assert result.alpha.sum() == 20 * 20
    whole = decompose_photo(Halves(Region.whole(30, 40)), given, CPU)
    assert whole.alpha is not None
    assert (whole.alpha.mean(axis=0) == (np.arange(40) < 10)).all()


def test_alpha_of_the_photo_stays() -> None:
    alpha = np.zeros((30, 30), np.float32)
    alpha[:, :15] = 1
    given = Photo(photo(30, 30).pixels, alpha)
    result = decompose_photo(Resizes(Region((5, 5, 20, 20), feather=0.0)), given, CPU)
    assert result.alpha is not None
    assert result.alpha.sum() == 20 * 10


def test_twelve_megapixels_keep_every_detail() -> None:
    """Two regions, one of them turned, through a network that sees 64 pixels."""

    class Factors(Looks):
        def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
            return {"shading": photos.mean(1, keepdim=True) + 0.1}

    given = Photo(np.random.default_rng(0).random((3000, 4000, 3), np.float32))
    regions = (Region((300, 400, 900, 700), angle=20.0), Region((2000, 1500, 800, 800)))
    layers = decompose_photo(Factors(*regions, frame=Frame(size=64)), given, CPU).layers
    rebuilt = layers["albedo"] * layers["shading"]
    assert np.abs(rebuilt - given.pixels).max() < 1e-5
    middle = layers["albedo"][1700:2100, 2200:2600]
    assert middle.std() > 0.1, "the grain of the photo is in the albedo"
    assert layers["shading"][1700:2100, 2200:2600].std() > 0
    assert np.array_equal(layers["albedo"][:260], given.pixels[:260])
