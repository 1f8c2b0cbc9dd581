"""Light one can move."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import iid_residual
from iid_residual.decomposer import light_record
from iid_residual.harmonics import angles, direction, shade, towards, unit
from iid_residual.relight import Wanted, read_light, relit_shading, with_ambient
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import UsageError


def _own() -> torch.Tensor:
    own = torch.zeros(1, 27)
    own[0, [0, 9, 18]] = torch.tensor([1.0, 0.8, 0.6])
    own[0, [1, 10, 19]] = 0.3
    return own


@pytest.mark.parametrize("text", ["60,20", "-90,0", "0,45"])
def test_light_comes_from_where_it_is_wanted(text: str) -> None:
    wanted = Wanted.of(text, -1.0)
    assert wanted is not None
    light = wanted.light_for(_own())
    azimuth, elevation = (float(part) for part in text.split(","))
    assert angles(direction(light)[0]) == pytest.approx((azimuth, elevation), abs=0.1)
    colours = light.view(3, 9)[:, 0]
    assert (colours / colours[0]).tolist() == pytest.approx([1, 0.8, 0.6])


def test_a_lamp_lights_what_faces_it_and_hardly_darkens_below_black() -> None:
    wanted = Wanted.of("0,0", 0.0)
    assert wanted is not None
    normals = torch.stack([towards(0, 0), towards(90, 0), towards(180, 0)]).T[None, :, :, None]
    facing, aside, away = shade(normals, wanted.light_for(_own()))[0, 0, :, 0].tolist()
    assert facing > 3 * abs(aside)
    assert aside > -0.1
    assert abs(away) < 0.2 * facing


def test_ambient_takes_the_direction_away() -> None:
    even = with_ambient(_own(), 1.0)
    assert even.view(3, 9)[:, 1:].abs().max() == 0
    assert even.view(3, 9)[:, 0].equal(_own().view(3, 9)[:, 0])
    wanted = Wanted.of("", 0.5)
    assert wanted is not None
    assert wanted.light_for(_own())[0, 1].item() == pytest.approx(0.15)


def test_nothing_asked_for_is_nothing_done() -> None:
    assert Wanted.of("", -1.0) is None


def test_a_relit_face_is_as_bright_as_before() -> None:
    normals = unit(torch.randn(1, 3, 16, 16, generator=torch.Generator().manual_seed(1)))
    where, like = torch.ones(1, 1, 16, 16), torch.full((1, 3, 16, 16), 0.7)
    made = relit_shading(normals, _own(), like, where)
    assert made.mean().item() == pytest.approx(0.7, rel=0.1)
    assert made.min() > 0


def test_the_light_of_another_face_is_taken_over(tmp_path: Path) -> None:
    record = {"faces": [{"box": [0, 0, 9, 9], **light_record(_own())[0]}]}
    path = tmp_path / "a.light.json"
    path.write_text(json.dumps(record))
    assert read_light(path).allclose(_own()[0], atol=1e-5)
    wanted = Wanted.of(str(path), -1.0)
    assert wanted is not None
    assert wanted.light_for(torch.rand(2, 27)).allclose(_own().expand(2, 27), atol=1e-5)


@pytest.mark.parametrize("text", ["left", "1,2,3", "none.light.json"])
def test_what_is_no_light_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        Wanted.of(text, -1.0)


def test_a_file_without_light_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    path.write_text("{}")
    with pytest.raises(UsageError, match="no light"):
        read_light(path)


def test_a_relit_photo_is_an_output_only_where_it_is_asked_for() -> None:
    (spec,) = iid_residual.iid_methods()
    plain = spec.default.outputs(ResidualOptions())
    assert plain == spec.default.layers
    for asking in (ResidualOptions(light="0,0"), ResidualOptions(ambient=0.5)):
        assert spec.default.outputs(asking) == (*plain, "relit")
    latent = spec.variant("latent")
    assert latent.outputs(ResidualOptions(light="0,0")) == latent.layers


def test_records_say_where_the_light_comes_from() -> None:
    record = light_record(_own())[0]
    assert record["direction"] == {"azimuth": 0.0, "elevation": 0.0}
    assert len(record["sh"]) == 27
    assert "x right, y up" in record["order"]
    assert 0 < record["focus"] < 1
    assert json.dumps(record)
