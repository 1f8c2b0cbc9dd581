"""The decomposer: regions, layers of the photo's own size, light in the photo's own directions."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iid_residual.decomposer import ResidualDecomposer, light_record
from iid_residual.faces import find, regions
from iid_residual.faces.find import Face
from iid_residual.faces.regions import regions_of
from iid_residual.faces.template import Pose
from iid_residual.harmonics import towards
from iid_residual.networks.pipe import Conventions, build, follow
from iid_residual.relight import lamp
from iid_residual.settings import ResidualOptions
from iid_residual.variants import design_of
from intrinsic_cli.api import DataError, Region, Runtime, UsageError
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photos

PHOTO = np.random.default_rng(0).uniform(0.05, 0.9, (90, 120, 3)).astype(np.float32)
RUNTIME = Runtime(torch.device("cpu"))


def _decomposer(variant: str = "", backbone: Any = "lite", **options: Any) -> ResidualDecomposer:
    torch.manual_seed(0)
    design = design_of(variant)
    network = build(design, backbone, 16)
    with torch.no_grad():
        for name, x in network.named_parameters():
            if "residual_model.exit" in name:
                x.copy_(torch.randn_like(x) * 0.05)
    settings = ResidualOptions(size=64, **options)
    return ResidualDecomposer(design, network, Conventions(), settings, RUNTIME)


@pytest.fixture
def faces(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let the finder find what the test says."""

    def put(*found: Face) -> None:
        monkeypatch.setattr(regions, "find_faces", lambda *more: list(found))
        monkeypatch.setattr(regions, "can_find", lambda model: True)

    return put


@pytest.mark.parametrize("variant", ["", "correcting", "albedo-residue"])
def test_layers_rebuild_the_photo_with_every_detail(variant: str) -> None:
    decomposer = _decomposer(variant, find="whole")
    result = decompose_photos(decomposer, [Photo(PHOTO)], RUNTIME)[0]
    layers = result.layers
    assert {"normals", "albedo", "shading", "residual", "mask"} <= layers.keys()
    rebuilt = layers["albedo"] * layers["shading"] + layers["residual"]
    np.testing.assert_allclose(rebuilt, PHOTO, atol=1e-3)
    assert np.abs(layers["residual"]).mean() > 1e-4


def test_faces_are_pasted_back_and_rebuild_the_photo_too(faces: Callable[..., None]) -> None:
    faces(Face(Pose(40, 45, 50, 12), 0.9), Face(Pose(90, 40, 36, 0), 0.8))
    result = decompose_photos(_decomposer(), [Photo(PHOTO)], RUNTIME)[0]
    layers = result.layers
    rebuilt = layers["albedo"] * layers["shading"] + layers["residual"]
    np.testing.assert_allclose(rebuilt, PHOTO, atol=1e-3)
    assert result.alpha is not None
    assert result.alpha[45, 40] == 1
    assert result.alpha[5, 5] == 0
    assert len(result.records["light"]["faces"]) == 2
    assert result.records["light"]["faces"][0]["confidence"] == 0.9


def test_light_is_told_in_the_photos_directions() -> None:
    own = torch.zeros(1, 27)
    own[0, ::9] = 1.0
    above = light_record(lamp(own, towards(0, 60)))[0]
    decomposer = _decomposer()
    region = Region((0, 0, 10, 10), angle=90.0, label="face")
    turned = decomposer.turned("light", above, region)
    # Above in a face that stands turned counter-clockwise by 90° is left in the photo.
    assert turned["direction"]["azimuth"] == pytest.approx(-60, abs=0.1)
    assert turned["direction"]["elevation"] == pytest.approx(0, abs=0.1)
    assert decomposer.turned("light", above, Region((0, 0, 1, 1))) is above


def test_a_relit_photo_changes_only_where_a_face_is(faces: Callable[..., None]) -> None:
    faces(Face(Pose(40, 45, 50, 0), 0.9))
    result = decompose_photos(_decomposer(light="70,10"), [Photo(PHOTO)], RUNTIME)[0]
    changed = np.abs(result.layers["relit"] - PHOTO).max(2)
    assert changed[30:60, 25:55].mean() > 0.005
    np.testing.assert_allclose(changed[:, 80:], 0, atol=1e-6)
    plain = decompose_photos(_decomposer(), [Photo(PHOTO)], RUNTIME)[0]
    assert "relit" not in plain.layers


def test_a_box_is_taken_as_it_is() -> None:
    (region,) = regions_of(PHOTO, ResidualOptions(box="10,20,30,40"))
    assert region.box == (10, 20, 30, 40)
    assert region.angle == 0
    for text in ("1,2,3", "a,b,c,d", "0,0,-5,4"):
        with pytest.raises(UsageError, match="box="):
            regions_of(PHOTO, ResidualOptions(box=text))


def test_without_a_face_the_photo_is_taken_whole_and_says_so(faces: Callable[..., None]) -> None:
    faces()
    (region,) = regions_of(PHOTO, ResidualOptions())
    assert region.box == (0, 0, 120, 90)
    assert "no face was found" in region.facts["note"]
    with pytest.raises(DataError, match="no face was found"):
        regions_of(PHOTO, ResidualOptions(strict=True))


def test_without_a_finder_it_says_that(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(find, "find_spec", lambda name: None)
    (region,) = regions_of(PHOTO, ResidualOptions())
    assert "nothing to find faces with" in region.facts["note"]


def test_a_face_that_fills_a_square_photo_is_not_cut_out(faces: Callable[..., None]) -> None:
    faces(Face(Pose(60, 60, 100, 10), 0.9))
    (whole,) = regions_of(np.zeros((120, 120, 3), np.float32), ResidualOptions())
    assert whole.box == (0, 0, 120, 120)
    assert whole.feather == 0
    (part,) = regions_of(np.zeros((120, 300, 3), np.float32), ResidualOptions())
    assert part.box == (10, 10, 100, 100)
    assert part.angle == 10


def test_a_face_model_that_is_none_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no face model"):
        find.find_faces(PHOTO, str(tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    with pytest.raises(UsageError, match="no YuNet model"):
        find.find_faces(PHOTO, str(tmp_path / "bad.onnx"))


def test_imported_networks_see_srgb_and_answer_in_linear_light() -> None:
    design = design_of("sfsnet")
    network = build(design, "paper", 16).eval()
    conventions = Conventions(encoding=1, srgb=True)
    follow(network, conventions)
    options = ResidualOptions(size=64, find="whole")
    decomposer = ResidualDecomposer(design, network, conventions, options, RUNTIME)
    seen: list[torch.Tensor] = []
    network.register_forward_pre_hook(lambda module, inputs: seen.append(inputs[0]))
    photo = torch.full((1, 3, 64, 64), 0.2159)
    made = decomposer(photo)
    assert seen[0].mean().item() == pytest.approx(0.502, abs=0.01)
    albedo, shading = made.layers["albedo"], made.layers["shading"]
    assert (albedo * shading).allclose(photo, atol=1e-4)


def test_two_crops_answer_as_each_alone() -> None:
    decomposer = _decomposer()
    photos = torch.rand(2, 3, 80, 80, generator=torch.Generator().manual_seed(3))
    with torch.inference_mode():
        both = decomposer(photos)
        alone = decomposer(photos[1:])
    for name, layer in alone.layers.items():
        assert both.layers[name][1:].allclose(layer, atol=1e-4), name
    record, other = both.records["light"][1], alone.records["light"][0]
    assert record["sh"] == pytest.approx(other["sh"], abs=1e-3)
