"""The decomposer with true networks: layers of the photo's own size, one face or several."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from iid_residual.decomposer import ResidualDecomposer
from iid_residual.domain import Domain
from iid_residual.faces import regions
from iid_residual.faces.find import Face
from iid_residual.faces.template import Pose
from iid_residual.networks.pipe import Conventions, Prediction, build, follow
from iid_residual.settings import ResidualOptions
from iid_residual.shadings import bounded_shadings
from iid_residual.variants import design_of
from intrinsic_cli.api import Runtime, WeightsError
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.inference.pipeline import decompose_photos
from intrinsic_cli.kit.light.colour import luminance

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


def test_a_face_model_is_looked_at_before_any_photo(tmp_path: Path) -> None:
    with pytest.raises(WeightsError, match=r"there is no face model .*none\.onnx"):
        _decomposer(face_model=str(tmp_path / "none.onnx"))
    (tmp_path / "bad.onnx").write_bytes(b"garbage")
    with pytest.raises(WeightsError, match="no YuNet model OpenCV can run"):
        _decomposer(face_model=str(tmp_path / "bad.onnx"))


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
    assert (result.alpha[:, 117:] == 0).all()
    assert len(result.records["light"]["faces"]) == 2
    assert result.records["light"]["faces"][0]["confidence"] == 0.9


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


def test_the_albedo_a_network_draws_is_heard() -> None:
    """Half as bright an albedo means more shading, and less albedo, in the layers."""
    photo = torch.full((1, 3, 8, 8), 0.2)
    domain = Domain.of(photo)
    outline = torch.ones(1, 1, 8, 8)

    def shading(albedo: float, residual: bool = True) -> float:
        flat = torch.ones(1, 3, 8, 8)
        made = Prediction(
            normals=flat,
            albedo=albedo * flat,
            light=None,
            harmonic=flat,
            residual=flat * 0 if residual else None,
            shading=flat,
            rebuilt=flat,
        )
        return float(bounded_shadings(made, domain, photo, outline)[0].mean())

    ratio = shading(0.3) / shading(0.6)
    assert 1.5 < ratio < 2
    assert shading(0.3, residual=False) == pytest.approx(shading(0.6, residual=False))


def test_the_light_on_a_face_has_one_colour_nearer_to_white() -> None:
    """However the network colours its pixels; all layers of light have the same."""
    numbers = torch.Generator().manual_seed(5)
    colour = torch.tensor([1.4, 1.0, 0.7]).view(1, 3, 1, 1)
    photo = torch.rand(1, 3, 16, 16, generator=numbers) * 0.3 * colour
    flat = torch.ones(1, 3, 16, 16)
    made = Prediction(
        normals=flat,
        albedo=0.4 * flat,
        light=None,
        harmonic=flat * torch.tensor([0.8, 1.0, 1.1]).view(1, 3, 1, 1),
        residual=flat * 0,
        shading=torch.rand(1, 3, 16, 16, generator=numbers) + 0.5,
        rebuilt=flat,
    )
    outline = torch.zeros(1, 1, 16, 16)
    outline[..., 4:12, 4:12] = 1
    shading, harmonic = bounded_shadings(made, Domain.of(photo), photo, outline)
    tint = (shading / luminance(shading, axis=1)).flatten(2)
    assert torch.allclose(tint, tint[..., :1].expand_as(tint), atol=1e-5)
    assert tint[0, 0, 0] > 1.01 > 0.99 > tint[0, 2, 0], "it is a little red still"
    ratio = float(tint[0, 0, 0] / tint[0, 2, 0])
    assert ratio < 1.6, "the photo is twice as red as blue"
    other = (harmonic / luminance(harmonic, axis=1)).flatten(2)
    assert torch.allclose(other, tint, atol=1e-5)
