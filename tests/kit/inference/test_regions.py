"""Regions of a photo: cut out, turned upright, run in batches, pasted back."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import (
    DataError,
    Decomposer,
    Frame,
    IidError,
    Mesh,
    Outputs,
    PluginError,
    Region,
    Runtime,
)
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos, try_photos
from intrinsic_cli.kit.inference.regions import cut, place_of

CPU = Runtime(torch.device("cpu"))
Array = NDArray[Any]


def photo(height: int, width: int, seed: int = 0, gain: float = 1.0) -> Photo:
    pixels = np.random.default_rng(seed).uniform(0.05, 1, (height, width, 3)) * gain
    return Photo(pixels.astype(np.float32))


def smooth(height: int, width: int) -> Photo:
    """A photo whose pixels hardly differ from their neighbours', so that turning loses little."""
    y, x = np.mgrid[:height, :width] / 16
    planes = [0.5 + 0.4 * np.sin(x + k) * np.cos(y - k) for k in range(3)]
    return Photo(np.stack(planes, axis=2).astype(np.float32))


class Looks(Decomposer):
    """Sees the regions it is told; shading is brightness, normals and mask follow the columns."""

    def __init__(self, *regions: Region, frame: Frame | None = None) -> None:
        self.frame = frame or Frame()
        self.found: Sequence[Region] | None = regions
        self.seen: list[tuple[int, ...]] = []

    def regions(self, photo: Array) -> Sequence[Region] | None:
        return self.found

    def __call__(self, photos: Tensor) -> Outputs | Mapping[str, Tensor]:
        self.seen.append(tuple(photos.shape))
        shading = photos.mean(1, keepdim=True) + 0.1
        slope = torch.linspace(-0.8, 0.8, photos.shape[-1]).expand_as(shading)
        normals = torch.cat([slope, 0.3 * torch.ones_like(slope), torch.ones_like(slope)], 1)
        return {
            "albedo": photos / shading,
            "shading": shading,
            "normals": functional.normalize(normals, dim=1),
            "mask": torch.ones_like(shading),
            "depth": shading * 2,
        }


class Resizes(Looks):
    """Its layers are pasted as they are."""

    def __init__(self, *regions: Region) -> None:
        super().__init__(*regions, frame=Frame(upsample="resize"))


def test_a_box_inside_the_photo_is_an_exact_slice() -> None:
    given = photo(40, 60)
    alpha = np.linspace(0, 1, 40 * 60, dtype=np.float32).reshape(40, 60)
    part = cut(Photo(given.pixels, alpha), Region((7, 5, 20, 13)))
    assert np.array_equal(part.pixels, given.pixels[5:18, 7:27])
    assert part.alpha is not None
    assert np.array_equal(part.alpha, alpha[5:18, 7:27])


def test_beyond_the_photo_its_border_is_repeated() -> None:
    given = photo(10, 12)
    part = cut(given, Region((-3, 8, 6, 7))).pixels
    padded = np.pad(given.pixels, ((0, 7), (3, 0), (0, 0)), mode="edge")
    assert np.array_equal(part, padded[8:15, :6])
    turned = cut(given, Region((-6, -6, 12, 12), angle=45.0)).pixels
    assert np.allclose(turned[0, 0], given.pixels[0, 0], atol=1e-6)


def test_what_stands_turned_is_cut_out_upright() -> None:
    """A quarter to the left: the photo's left is the way up."""
    given = photo(20, 20)
    part = cut(given, Region((4, 4, 8, 8), angle=90.0)).pixels
    assert np.allclose(part, np.rot90(given.pixels[4:12, 4:12], -1), atol=1e-5)
    (xx, xy, x), (yx, yy, y) = place_of(Region((4, 4, 8, 8), angle=90.0)).transform
    upper_left = (x, y)
    upper_right = (xx * 8 + x, yx * 8 + y)
    assert np.allclose(upper_left, (4, 12))
    assert np.allclose(upper_right, (4, 4)), "the picture's right is up in the photo"
    assert np.allclose((xy, yy), (1, 0)), "and its down is right"


@pytest.mark.parametrize("upsample", ["divide", "resize"])
def test_the_whole_photo_is_as_without_regions(upsample: Any) -> None:
    given = photo(37, 51, gain=30.0)
    alpha = np.random.default_rng(1).random((37, 51)).astype(np.float32)
    given = Photo(given.pixels, alpha)
    frame = Frame(size=32, multiple=8, upsample=upsample)
    whole = decompose_photo(Looks(Region.whole(37, 51), frame=frame), given, CPU)
    ordinary = Looks(frame=frame)
    ordinary.found = None
    expected = decompose_photo(ordinary, given, CPU)
    for name, layer in expected.layers.items():
        assert np.array_equal(whole.layers[name], layer), name
    assert whole.alpha is alpha
    assert len(whole.regions) == 1
    assert expected.regions == ()


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


def test_crops_of_several_photos_run_together() -> None:
    class ByPhoto(Looks):
        def regions(self, photo: Array) -> Sequence[Region]:
            count = 3 if photo.shape[1] == 90 else 2
            return [Region((10 * k, 5, 20, 16), label="dot") for k in range(count)]

    decomposer = ByPhoto(frame=Frame(size=16, multiple=8))
    photos = [photo(50, 90), photo(60, 70, seed=1)]
    together = decompose_photos(decomposer, photos, CPU)
    assert decomposer.seen == [(5, 3, 16, 24)]
    assert [len(result.regions) for result in together] == [3, 2]
    for given, result in zip(photos, together, strict=True):
        alone = decompose_photo(ByPhoto(frame=decomposer.frame), given, CPU)
        for name, layer in alone.layers.items():
            assert np.allclose(result.layers[name], layer, atol=1e-6)


def test_a_photo_with_very_many_regions_is_run_in_parts() -> None:
    decomposer = Looks(*(Region((k, k, 8, 8)) for k in range(40)))
    decompose_photo(decomposer, photo(60, 60), CPU)
    assert [shape[0] for shape in decomposer.seen] == [16, 16, 8]


class Faces(Looks):
    """Gives one of everything for each region."""

    def __call__(self, photos: Tensor) -> Outputs:
        count = range(len(photos))
        return Outputs(
            layers=dict(super().__call__(photos)),  # type: ignore[arg-type]
            meshes={"mesh": [Mesh(np.eye(3) * (k + 1), np.array([[0, 1, 2]])) for k in count]},
            textures={"texture": [np.full((2, 2, 3), float(k)) for k in count]},
            records={"light": [{"towards": [1.0, 0.0], "number": k} for k in count]},
            animations={"turntable": [np.full((2, 2, 2, 3), float(k)) for k in count]},
            facts=[{"sharpness": k} for k in count],
        )

    def turned(self, name: str, record: Mapping[str, Any], region: Region) -> Mapping[str, Any]:
        turn = math.radians(region.angle)
        x, y = record["towards"]
        towards = [
            x * math.cos(turn) - y * math.sin(turn),
            x * math.sin(turn) + y * math.cos(turn),
        ]
        return {**record, "towards": towards}


def test_what_is_said_of_each_region_is_gathered() -> None:
    regions = (
        Region((5, 5, 20, 20), 90.0, "face", 0.75, facts={"eyes": 2}),
        Region((30, 5, 20, 20), label="bird"),
        Region((30, 30, 20, 20), label="face"),
    )
    result = decompose_photo(Faces(*regions), photo(60, 60), CPU)
    light = result.records["light"]
    assert list(light) == ["faces", "birds"]
    first, second = light["faces"]
    assert first["box"] == [5, 5, 20, 20]
    assert (first["angle"], first["confidence"], first["number"]) == (90.0, 0.75, 0)
    assert np.allclose(first["towards"], [0, 1])
    assert (second["number"], light["birds"][0]["number"]) == (2, 1)
    assert [mesh.vertices[0, 0] for mesh in result.meshes["mesh"]] == [1, 2, 3]
    assert [texture[0, 0, 0] for texture in result.textures["texture"]] == [0, 1, 2]
    assert [film[0, 0, 0, 0] for film in result.animations["turntable"]] == [0, 1, 2]
    assert [dict(region.facts) for region in result.regions] == [
        {"eyes": 2, "sharpness": 0},
        {"sharpness": 1},
        {"sharpness": 2},
    ]
    assert "sharpness" not in result.facts


def test_alpha_of_the_photo_stays() -> None:
    alpha = np.zeros((30, 30), np.float32)
    alpha[:, :15] = 1
    given = Photo(photo(30, 30).pixels, alpha)
    result = decompose_photo(Resizes(Region((5, 5, 20, 20), feather=0.0)), given, CPU)
    assert result.alpha is not None
    assert result.alpha.sum() == 20 * 10


def test_a_photo_in_which_nothing_is_found_fails_alone() -> None:
    class Sometimes(Looks):
        def regions(self, photo: Array) -> Sequence[Region]:
            return [] if photo.shape[0] == 20 else [Region((2, 2, 10, 10))]

    with pytest.raises(DataError, match="the method found nothing to look at in it"):
        decompose_photo(Sometimes(), photo(20, 30), CPU)
    decomposer = Sometimes()
    results = try_photos(decomposer, [photo(30, 30), photo(20, 30), photo(30, 40)], CPU)
    assert [isinstance(result, IidError) for result in results] == [False, True, False]
    assert decomposer.seen == [(2, 3, 10, 10)]
    with pytest.raises(DataError):
        decompose_photos(decomposer, [photo(30, 30), photo(20, 30)], CPU)


@pytest.mark.parametrize(
    ("region", "words"),
    [
        (Region((5, 5, 0, 9)), "without area"),
        (Region((5, 5, 9, -1)), "without area"),
        (Region((math.nan, 5, 9, 9)), "not finite"),
        (Region((5, 5, 9, 9), angle=math.inf), "not finite"),
        (Region((40, 5, 9, 9)), "does not fit a photo of 40x30"),
        (Region((-9, 5, 9, 9)), "does not fit"),
        (Region((0, 0, 1e6, 9)), "does not fit"),
        ((0, 0, 9, 9), "tuple as a region"),
    ],
)
def test_what_is_no_region_of_the_photo_is_named(region: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        decompose_photo(Looks(region), photo(30, 40), CPU)


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
