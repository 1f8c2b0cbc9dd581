"""Light one can move: what is asked for, and the lights that are made of it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
import torch

import iid_residual
from iid_residual.harmonics import angles, direction, shade, towards
from iid_residual.lights import light_record
from iid_residual.relight import Wanted, with_ambient
from iid_residual.settings import ResidualOptions
from intrinsic_cli.api import UsageError


def _own() -> torch.Tensor:
    own = torch.zeros(27)
    own[[0, 9, 18]] = torch.tensor([1.0, 0.8, 0.6])
    own[[1, 10, 19]] = 0.3
    return own


def _wanted(light: str = "", ambient: float = -1.0, turn: int = 0, steps: int = 0) -> Wanted:
    options = ResidualOptions(light=light, ambient=ambient, turn=turn, steps=steps)
    wanted = Wanted.of(options)
    assert wanted is not None
    return wanted


def _from(light: torch.Tensor) -> tuple[float, float]:
    return angles(direction(light[None])[0])


def _written(path: Path, light: torch.Tensor) -> str:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps({"faces": light_record(light[None])}))
    return str(path)


@pytest.mark.parametrize("text", ["60,20", "-90,0", "0,45"])
def test_light_comes_from_where_it_is_wanted(text: str) -> None:
    light = _wanted(text).light_for(_own())
    azimuth, elevation = (float(part) for part in text.split(","))
    assert _from(light) == pytest.approx((azimuth, elevation), abs=0.1)
    # As what faces the camera is seen: order 0 and, from in front, order 1.
    flat, linear = 0.8862269254527579, 1.0233267079464883
    seen = [flat * colour + linear * 0.3 for colour in (1.0, 0.8, 0.6)]
    colours = light.view(3, 9)[:, 0]
    assert (colours / colours[0]).tolist() == pytest.approx([one / seen[0] for one in seen])
    assert colours.mean().item() == pytest.approx(0.8)


def test_a_lamp_lights_what_faces_it_and_hardly_darkens_below_black() -> None:
    light = _wanted("0,0", 0.0).light_for(_own())
    normals = torch.stack([towards(0, 0), towards(90, 0), towards(180, 0)]).T[None, :, :, None]
    facing, aside, away = shade(normals, light[None])[0, 0, :, 0].tolist()
    assert facing > 3 * abs(aside)
    assert aside > -0.1 * facing
    assert abs(away) < 0.2 * facing


def test_ambient_takes_the_direction_away() -> None:
    even = with_ambient(_own()[None], 1.0)
    assert even.view(3, 9)[:, 1:].abs().max() == 0
    assert even.view(3, 9)[:, 0].equal(_own().view(3, 9)[:, 0])
    assert _wanted(ambient=0.5).light_for(_own())[1].item() == pytest.approx(0.15)


def test_nothing_asked_for_is_nothing_done() -> None:
    assert Wanted.of(ResidualOptions()) is None


def test_the_light_of_another_face_is_taken_over(tmp_path: Path) -> None:
    wanted = _wanted(_written(tmp_path / "a.light.json", _own()))
    assert wanted.light_for(torch.rand(27)).allclose(_own(), atol=1e-5)


def test_steps_go_from_one_face_to_another(tmp_path: Path) -> None:
    """In equal parts, whatever the face's own light is; paths may begin with two dots."""
    other = _own() * 0.5
    first = _written(tmp_path / "a" / "a.light.json", _own())
    last = _written(tmp_path / "b.light.json", other)
    for text in (f"{first}..{last}", f"{tmp_path}/a/../b.light.json..{first}"):
        lights = list(_wanted(text, steps=5).passing(torch.rand(27), 5))
        ends = (_own(), other) if text.startswith(first) else (other, _own())
        for number, light in enumerate(lights):
            assert light.allclose(torch.lerp(*ends, number / 4), atol=1e-5)


def test_steps_between_directions_pass_through_those_between() -> None:
    lights = list(_wanted("-40,0..40,0", steps=3).passing(_own(), 3))
    assert [round(_from(light)[0]) for light in lights] == [-40, 0, 40]
    focus = [light_record(light[None])[0]["focus"] for light in lights]
    assert focus == pytest.approx([focus[0]] * 3, abs=1e-3)


def test_steps_to_one_light_start_with_the_faces_own() -> None:
    lights = list(_wanted("80,0", steps=4).passing(_own(), 4))
    assert lights[0].equal(_own())
    assert _from(lights[-1]) == pytest.approx((80, 0), abs=0.1)


def test_a_turning_light_goes_once_round_the_cameras_axis() -> None:
    lights = list(_wanted("50,0", turn=4).turning(_own(), 4))
    found = [_from(light) for light in lights]
    for one, other in zip(found, [(50, 0), (0, 50), (-50, 0), (0, -50)], strict=True):
        assert one == pytest.approx(other, abs=0.1)


def test_a_turning_light_needs_no_direction() -> None:
    first = next(iter(_wanted(turn=8).turning(_own(), 8)))
    assert _from(first) == pytest.approx((60, 0), abs=0.1)


@pytest.mark.parametrize("text", ["left", "1,2,3", "none.light.json", "1,2..left", "nan,0", ".."])
def test_what_is_no_light_is_refused(text: str) -> None:
    with pytest.raises(UsageError):
        _wanted(text)


def test_steps_to_nowhere_are_refused() -> None:
    with pytest.raises(UsageError, match="steps"):
        _wanted(steps=3)


def test_outputs_of_moved_light_are_made_only_where_they_are_asked_for() -> None:
    (spec,) = iid_residual.iid_methods()
    plain = spec.default.outputs(ResidualOptions())
    assert plain == spec.default.layers
    for asking in (ResidualOptions(light="0,0"), ResidualOptions(ambient=0.5)):
        assert spec.default.outputs(asking) == (*plain, "relit")
    assert spec.default.outputs(ResidualOptions(turn=8)) == (*plain, "turn")
    asking = ResidualOptions(light="0,0", steps=8)
    assert spec.default.outputs(asking) == (*plain, "relit", "steps")
    latent = spec.variant("latent")
    assert latent.outputs(ResidualOptions(light="0,0")) == latent.layers
