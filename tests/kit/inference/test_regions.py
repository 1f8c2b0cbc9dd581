"""Regions of a photo: cut out, turned upright, run in batches, told of, refused."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
from region_methods import CPU, Array, Looks, photo
from torch import Tensor

from intrinsic_cli.api import DataError, Frame, IidError, Mesh, Outputs, PluginError, Region
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos, try_photos
from intrinsic_cli.kit.inference.regions import cut, place_of


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


def test_the_record_of_an_only_region_without_label_is_the_photos_own() -> None:
    record = decompose_photo(Faces(Region((5, 5, 20, 20), label="")), photo(60, 60), CPU)
    assert record.records["light"]["box"] == [5, 5, 20, 20]
    two = Faces(Region((5, 5, 20, 20), label=""), Region((9, 9, 20, 20), label=""))
    assert len(decompose_photo(two, photo(60, 60), CPU).records["light"]["regions"]) == 2


def test_notes_on_regions_are_told_once() -> None:
    class Doubts(Looks):
        def __call__(self, photos: Tensor) -> Outputs:
            layers = super().__call__(photos)
            assert isinstance(layers, Mapping)
            return Outputs(layers=layers, notes=[["blurred"]] * len(photos))

    doubtful = Region((2, 2, 10, 10), notes=("no face",))
    result = decompose_photo(Doubts(doubtful, doubtful), photo(30, 40), CPU)
    assert result.notes == ("no face", "blurred")


def test_a_frame_with_alpha_looks_for_regions_with_it() -> None:
    class Shown(Looks):
        def regions(self, photo: Array) -> Sequence[Region]:
            self.shown = photo
            return [Region((2, 2, 10, 10), alpha=photo[..., 3] * 0.5)]

        def __call__(self, photos: Tensor) -> Any:
            assert photos.shape[1] == 4
            self.alpha = photos[:, 3]
            return super().__call__(photos[:, :3])

    decomposer = Shown(frame=Frame(alpha=True))
    given = photo(30, 40)
    decompose_photo(decomposer, given, CPU)
    assert np.array_equal(decomposer.shown[..., :3], given.pixels)
    assert (decomposer.shown[..., 3] == 1).all(), "a photo without alpha is all object"
    assert (decomposer.alpha == 0.5).all(), "the region's own alpha goes with its crop"
    alpha = np.random.default_rng(0).random((30, 40)).astype(np.float32)
    decompose_photo(decomposer, Photo(given.pixels, alpha), CPU)
    assert np.array_equal(decomposer.shown[..., 3], alpha)
    assert np.allclose(decomposer.alpha[0], alpha[2:12, 2:12] * 0.5)


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
        (Region((5, 5, 9, 9), alpha=np.ones((9, 9))), r"alpha \(9, 9\) in a photo of 40x30"),
        ((0, 0, 9, 9), "tuple as a region"),
    ],
)
def test_what_is_no_region_of_the_photo_is_named(region: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        decompose_photo(Looks(region), photo(30, 40), CPU)
