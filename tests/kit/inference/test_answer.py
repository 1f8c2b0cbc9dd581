"""What a network answers is checked by the kinds of its outputs."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor

from intrinsic_cli.api import Animation, Decomposer, Frame, Mesh, Outputs, PluginError, Runtime
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photo, decompose_photos

CPU = Runtime(torch.device("cpu"))
PHOTO = Photo(np.random.default_rng(0).random((8, 8, 3)).astype(np.float32))
FACES = np.array([[0, 1, 2]])
MESH = Mesh(np.eye(3), FACES)


class Says(Decomposer):
    """Answers with what it was given."""

    frame = Frame(upsample="resize")

    def __init__(self, answer: Any) -> None:
        self.answer = answer

    def __call__(self, photos: Tensor) -> Any:
        return self.answer


def mask(channels: int = 1, batch: int = 1) -> Tensor:
    return torch.full((batch, channels, 4, 4), 0.5)


def test_outputs_of_every_kind_arrive() -> None:
    texture, film = np.ones((2, 3, 3), np.float32), np.zeros((4, 5, 6, 3), np.float32)
    answer = Outputs(
        layers={"mask": mask(), "map": mask(3)},
        meshes={"mesh": [MESH]},
        textures={"texture": [texture]},
        records={"camera": [{"focal": 2.5}]},
        animations={"turntable": [film]},
        facts=[{"score": 0.5, "seconds": -1.0}],
    )
    result = decompose_photo(Says(answer), PHOTO, CPU, {"map": "reflectance"})
    assert {name: layer.shape for name, layer in result.layers.items()} == {
        "mask": (8, 8, 1),
        "map": (8, 8, 3),
    }
    assert result.meshes == {"mesh": [MESH]}
    assert result.textures["texture"][0] is texture
    assert result.records == {"camera": {"focal": 2.5}}
    assert result.animations["turntable"][0] is film
    assert result.facts["score"] == 0.5
    assert result.regions == ()
    for name in ("mask", "mesh", "texture", "camera", "turntable"):
        assert result.get(name) is not None


def test_each_photo_of_a_batch_gets_its_own() -> None:
    meshes = [Mesh(np.eye(3) * k, FACES) for k in (1, 2)]
    answer = Outputs(
        layers={"mask": torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)])},
        meshes={"mesh": meshes},
        records={"camera": ({"k": 1}, {"k": 2})},
        facts=[{"k": 1}, {"k": 2}],
        notes=[["dark"], ()],
        alpha=torch.stack([torch.zeros(1, 4, 4), torch.ones(1, 4, 4)]),
    )
    results = decompose_photos(Says(answer), [PHOTO, PHOTO], CPU)
    assert [result.meshes["mesh"] for result in results] == [[meshes[0]], [meshes[1]]]
    assert [result.records["camera"]["k"] for result in results] == [1, 2]
    assert [result.facts["k"] for result in results] == [1, 2]
    assert [result.layers["mask"].mean() for result in results] == [0, 1]
    assert [result.notes for result in results] == [("dark",), ()]
    assert [result.alpha.mean() for result in results if result.alpha is not None] == [0, 1]
    assert results[0].alpha is not None
    assert results[0].alpha.shape == PHOTO.pixels.shape[:2]


WRONG_LAYERS = [
    (torch.zeros(1, 2, 8, 8), r"layer 'odd' as \(1, 2, 8, 8\), not \[1,1 or 3,H,W\]"),
    (torch.zeros(2, 3, 8, 8), "layer 'odd'"),
    (torch.zeros(3, 8, 8), "layer 'odd'"),
    (torch.full((1, 3, 8, 8), torch.nan), "'odd' with values that are not finite"),
    ([MESH], "layer 'odd' as list"),
    (np.zeros((1, 3, 8, 8)), "layer 'odd' as ndarray"),
]


@pytest.mark.parametrize(("layer", "words"), WRONG_LAYERS)
def test_a_layer_that_is_none_is_named(layer: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        decompose_photo(Says({"odd": layer}), PHOTO, CPU, {"odd": "factor"})


WRONG_ANSWERS: list[tuple[Any, str]] = [
    ({"mask": mask(3)}, r"layer 'mask' as \(1, 3, 4, 4\), not \[1,1,H,W\]"),
    ({"normals": mask(1)}, r"not \[1,3,H,W\]"),
    ({"nobody": mask()}, "the kind of the output 'nobody' is not known"),
    ({"mesh": mask()}, "gave 'mesh' as a layer, but it is a mesh"),
    (mask(), "the method answered with Tensor"),
    (None, "the method answered with NoneType"),
    (Outputs(meshes={"mask": [MESH]}), "gave 'mask' as a mesh, but it is a mask"),
    (Outputs(records={"mesh": [{}]}), "gave 'mesh' as a record, but it is a mesh"),
    (Outputs(meshes={"mesh": []}), "gave 0 'mesh' for 1 photos"),
    (Outputs(meshes={"mesh": [MESH, MESH]}), "gave 2 'mesh' for 1 photos"),
    (Outputs(meshes={"mesh": MESH}), "no list of 'mesh'"),  # type: ignore[dict-item]
    (Outputs(records={"camera": {"focal": 1}}), "no list of 'camera'"),  # type: ignore[dict-item]
    (Outputs(facts=[{}, {}]), "gave 2 'facts' for 1 photos"),
    (Outputs(notes=[(), ()]), "gave 2 'notes' for 1 photos"),
    (Outputs(notes=["told"]), "'told' as the notes on a photo"),
    (Outputs(notes=[[3]]), "as the notes on a photo"),  # type: ignore[list-item]
    (Outputs(alpha=mask(3)), r"not \[1,1,H,W\]"),
    (Outputs(meshes={"mesh": ["x"]}), "mesh 'mesh' as str"),  # type: ignore[list-item]
    (Outputs(meshes={"mesh": [Mesh([], [])]}), "with vertices"),
    (Outputs(meshes={"mesh": [Mesh(np.full((3, 3), np.inf), FACES)]}), "not finite"),
    (Outputs(meshes={"mesh": [Mesh(np.eye(3), FACES + 1)]}), "vertices that do not exist"),
    (Outputs(meshes={"mesh": [Mesh(np.eye(3), FACES - 1)]}), "vertices that do not exist"),
    (Outputs(meshes={"mesh": [Mesh(np.eye(3), FACES * 1.0)]}), "not .F,3. of whole numbers"),
    (Outputs(textures={"texture": [np.zeros((4, 4), np.float32)]}), r"not \[h,w,3\]"),
    (Outputs(textures={"texture": [np.zeros((4, 4, 3), np.uint8)]}), "linear floats"),
    (Outputs(textures={"texture": [np.full((4, 4, 3), np.nan, np.float32)]}), "not finite"),
    (Outputs(animations={"turntable": [np.zeros((4, 4, 3), np.float32)]}), r"not \[T,h,w,3\]"),
    (Outputs(animations={"turntable": [np.zeros((0, 4, 4, 3), np.float32)]}), r"not \[T,h,w,3\]"),
    (Outputs(animations={"turntable": [Animation(np.zeros((4, 4, 3)))]}), r"not \[T,h,w,3\]"),
    (Outputs(records={"camera": [{"x": np.zeros(2)}]}), "JSON cannot hold"),
    (Outputs(records={"camera": [{"x": float("nan")}]}), "JSON cannot hold"),
    (Outputs(records={"camera": [3]}), "record 'camera' as int"),  # type: ignore[list-item]
]


@pytest.mark.parametrize(("answer", "words"), WRONG_ANSWERS)
def test_a_plugin_that_breaks_the_contract_is_named(answer: Any, words: str) -> None:
    with pytest.raises(PluginError, match=words):
        decompose_photo(Says(answer), PHOTO, CPU)
