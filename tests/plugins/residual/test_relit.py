"""Photos under another light: what stays, what changes, and how far."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from lit_balls import RUNTIME, ball_decomposer, ball_photo, even_light, lamp_from

from iid_residual.harmonics import towards
from iid_residual.portrait import LitFace, Portrait, portrait_of
from iid_residual.relight import lamp
from iid_residual.relit import relit
from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files import formats
from intrinsic_cli.kit.files.animations import write_animation
from intrinsic_cli.kit.inference.pipeline import decompose_photos

SIDE = 64
OWN = lamp_from(0, 0)[0]


def _portrait(gain: float = 1.0, own: torch.Tensor = OWN) -> Portrait:
    """A ball on gray as its decomposition would describe it."""
    photo = ball_photo(own[None], SIDE)
    result = decompose_photos(ball_decomposer(find="whole"), [photo], RUNTIME)[0]
    known = portrait_of(result)
    return Portrait(known.photo * np.float32(gain), known.normals, known.mask, known.faces)


def _sides(picture: np.ndarray) -> tuple[float, float]:
    """Mean brightness of the ball's left and right cheek."""
    middle = slice(24, 40)
    return float(picture[middle, 12:24].mean()), float(picture[middle, 40:52].mean())


def test_a_face_in_its_own_light_stays_as_it_is() -> None:
    portrait = _portrait()
    made = relit(portrait, [portrait.faces[0].light])
    np.testing.assert_allclose(made, portrait.photo, atol=1e-5)


@pytest.mark.parametrize(("azimuth", "brighter"), [(70, 1), (-70, 0)])
def test_the_side_towards_the_light_becomes_bright(azimuth: float, brighter: int) -> None:
    portrait = _portrait()
    made = _sides(relit(portrait, [lamp(OWN[None], towards(azimuth, 0))[0]]))
    assert made[brighter] > 1.5 * made[1 - brighter]


def test_a_relit_face_is_about_as_bright_as_before() -> None:
    portrait = _portrait()
    head = portrait.mask > 0.5
    for light in (lamp_from(50, 0)[0], lamp_from(0, 60)[0] * 7):
        made = relit(portrait, [light])
        before, after = (float((x * head).mean()) for x in (portrait.photo, made))
        assert after == pytest.approx(before, rel=0.15)


def test_shadows_keep_light_and_highlights_do_not_clip() -> None:
    portrait = _portrait(gain=0.8)
    made = relit(portrait, [lamp(OWN[None], towards(90, 0))[0]])
    head = portrait.mask[..., 0] > 0.9
    assert (made[head] >= portrait.photo[head] / 4 - 1e-5).all()
    assert (made[head] <= portrait.photo[head] * 4 + 1e-5).all()
    assert made.max() <= max(1.0, portrait.photo.max())
    dark, bright = _sides(made)
    assert dark > 0.05
    assert bright < 1


def test_the_lights_colour_is_kept() -> None:
    warm = even_light()[0].view(3, 9).clone()
    warm[:, 0] = torch.tensor([0.9, 0.6, 0.3])
    portrait = _portrait()
    middle = relit(portrait, [warm.flatten()])[30:34, 30:34].mean((0, 1))
    assert middle[0] / middle[2] == pytest.approx(3, rel=0.15)


def test_two_faces_have_each_its_light_and_share_what_lies_between() -> None:
    """Their windows overlap; where both are equally near, each counts half."""
    height, width = 40, 60
    photo = np.full((height, width, 3), 0.4, np.float32)
    normals = np.broadcast_to(np.float32([0.6, 0, 0.8]), photo.shape)
    mask = np.ones((height, width, 1), np.float32)
    own = even_light()[0]
    left = LitFace(slice(0, 40), slice(0, 40), 20, 20, 40, own)
    right = LitFace(slice(0, 40), slice(20, 60), 40, 20, 40, own)
    portrait = Portrait(photo, normals, mask, [left, right])
    shares = np.zeros((height, width))
    for face in portrait.faces:
        shares[face.window] += portrait.share(face)[..., 0]
    np.testing.assert_allclose(shares, 1, atol=1e-6)
    red = own.clone().view(3, 9)
    red[1:] *= 0.5
    made = relit(portrait, [red.flatten(), own])
    assert made[20, 5, 0] > 1.5 * made[20, 5, 1]
    np.testing.assert_allclose(made[20, 55], 0.4, atol=1e-4)


def test_a_closer_look_shows_the_faces_at_the_size_wanted() -> None:
    photo = np.zeros((300, 400, 3), np.float32)
    photo[100:200, 50:250] = 0.5
    face = LitFace(slice(100, 200), slice(50, 250), 150, 150, 100, OWN)
    portrait = Portrait(photo, photo, photo[..., :1], [face])
    closer = portrait.closer(50)
    assert closer.photo.shape == (25, 50, 3)
    assert closer.photo.min() == 0.5
    (moved,) = closer.faces
    assert moved.window == (slice(0, 25), slice(0, 50))
    assert (moved.x, moved.y, moved.side) == (25, 12.5, 25)


def test_a_turning_light_and_steps_become_pictures() -> None:
    decomposer = ball_decomposer(find="whole", light="-60,0..60,0", turn=4, steps=3)
    photo = ball_photo(OWN[None], SIDE)
    result = decompose_photos(decomposer, [photo], RUNTIME, {"turn": "animation"})[0]
    (animation,) = result.animations["turn"]
    assert animation.form == "gif"
    film = animation.pictures
    assert film.shape == (4, SIDE, SIDE, 3)
    left, right = _sides(film[0])
    assert right > left
    left, right = _sides(film[2])
    assert left > right
    (row,) = result.textures["steps"]
    assert row.shape == (SIDE, 3 * SIDE + 2 * 4, 3)
    left, right = _sides(row[:, :SIDE])
    assert left > right
    np.testing.assert_allclose(row[:, -SIDE:], result.layers["relit"], atol=1e-6)


def test_a_turning_light_becomes_an_mp4_where_that_is_wanted(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    decomposer = ball_decomposer(find="whole", light="-60,0", turn=4, film="mp4")
    photo = ball_photo(OWN[None], SIDE)
    result = decompose_photos(decomposer, [photo], RUNTIME, {"turn": "animation"})[0]
    (animation,) = result.animations["turn"]
    path = write_animation(tmp_path / "ball.turn", animation, 12.0)
    assert path.name == "ball.turn.mp4"
    assert path.read_bytes()[4:8] == b"ftyp"


def test_what_cannot_be_an_mp4_is_said_before_anything_is_done(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    with pytest.raises(UsageError, match="for the light's turn"):
        ball_decomposer(film="mp4")
    monkeypatch.setattr(formats, "_is_installed", lambda module: False)
    with pytest.raises(UsageError, match="needs the extra 'video'") as caught:
        ball_decomposer(film="mp4", turn=4)
    assert "intrinsic-cli[video]" in caught.value.hint


def test_a_variant_without_light_says_so() -> None:
    from iid_residual.decomposer import ResidualDecomposer
    from iid_residual.networks.pipe import Conventions, build
    from iid_residual.settings import ResidualOptions
    from iid_residual.variants import design_of

    design = design_of("latent")
    network = build(design, "paper", 8)
    for options in (ResidualOptions(light="0,0"), ResidualOptions(turn=4)):
        with pytest.raises(UsageError, match="no light to move"):
            ResidualDecomposer(design, network, Conventions(), options, RUNTIME)
