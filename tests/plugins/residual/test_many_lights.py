"""One face under many lights: as the names of files tell, and rendered."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from balls import SIDE, ball, write_heads

from iid_residual.data.one_light import LAMPS, open_heads_light
from iid_residual.data.write_lit_heads import write_lit_heads
from iid_residual.data.yale import direction_of, open_faces_light
from iid_residual.harmonics import towards, vectors_to_house
from iid_residual.protocols.faces_light import FACES_LIGHT
from iid_residual.protocols.light import towards as light_towards
from intrinsic_cli.api import Case, DataError, Silent
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.registry import load_registry, open_dataset

NAMES = ("A+035E+15", "A-035E+15", "A+000E+00", "A+060E-20", "A-060E-20")


def write_subject(folder: Path, subject: str, side: int = 1) -> None:
    """A ball under lamps; ``side`` −1 names them with azimuths the other way round."""
    normals, inside = ball()
    for name in NAMES:
        direction = direction_of(side * int(name[1:5]), int(name[6:9]))
        shading = np.maximum(normals @ direction, 0) * inside
        codes = np.rint(shading * 200).astype(np.uint8)
        cv2.imwrite(str(folder / f"{subject}{name}.pgm"), codes)
    cv2.imwrite(str(folder / f"{subject}_Ambient.pgm"), np.full((SIDE, SIDE), 9, np.uint8))


def test_names_tell_where_the_light_is(tmp_path: Path) -> None:
    (tmp_path / "yaleB02").mkdir()
    write_subject(tmp_path, "yaleB01_P00")
    write_subject(tmp_path / "yaleB02", "yaleB02_P00")
    cases = list(open_faces_light(tmp_path).cases())
    assert len(cases) == 2 * len(NAMES), "the ambient photos have no lamp"
    scenes = [case.facts["scene"] for case in cases]
    assert scenes == sorted(scenes), "scene by scene"
    assert len(set(scenes)) == 2
    found = {case.name: case.facts["towards"] for case in cases}
    assert found["yaleB01_P00A+000E+00"] == pytest.approx([0, 0, 1])
    right = found["yaleB01_P00A+035E+15"]
    wanted = vectors_to_house(towards(35, 15)[None])[0].numpy()
    assert right == pytest.approx(wanted, abs=1e-6), "as -O light=35,15"
    assert right[0] > 0.5, "the picture's right"
    assert right[1] == pytest.approx(np.sin(np.deg2rad(15))), "from above"


def test_numbers_of_a_pgm_are_linear_light(tmp_path: Path) -> None:
    write_subject(tmp_path, "one")
    case = next(case for case in open_faces_light(tmp_path).cases() if "A+000" in case.name)
    assert case.photo.max() == pytest.approx(200 / 255, abs=0.01)


@pytest.mark.parametrize("side", [1, -1])
def test_the_photos_say_which_side_is_positive(tmp_path: Path, side: int) -> None:
    """Names may count from the subject's right or from the picture's: the light is where it is."""
    write_subject(tmp_path, "yaleB01_P00", side)
    data = open_faces_light(tmp_path)
    assert ("right" if side > 0 else "left") in data.notes[0]
    for case in data.cases():
        x = case.facts["towards"][0]
        columns = case.photo.mean(axis=(0, 2))
        brighter = columns[SIDE // 2 :].sum() - columns[: SIDE // 2].sum()
        assert np.sign(round(x, 6)) == np.sign(round(float(brighter), 3))


def test_a_mask_beside_the_photos_is_that_of_the_subject(tmp_path: Path) -> None:
    write_subject(tmp_path, "one")
    assert open_faces_light(tmp_path).cases()[0].mask.all()
    _, inside = ball()
    cv2.imwrite(str(tmp_path / "one_mask.png"), inside.astype(np.uint8) * 255)
    data = open_faces_light(tmp_path)
    assert len(data.cases()) == len(NAMES)
    assert (data.cases()[0].mask == inside).all()


def test_a_folder_without_such_names_is_refused(tmp_path: Path) -> None:
    cv2.imwrite(str(tmp_path / "a.png"), np.zeros((8, 8, 3), np.uint8))
    with pytest.raises(DataError, match="no faces under named lights"):
        open_faces_light(tmp_path)


def test_the_true_answer_scores_zero_and_the_photo_itself_does_not(tmp_path: Path) -> None:
    write_subject(tmp_path, "one")
    _, inside = ball()
    cv2.imwrite(str(tmp_path / "one_mask.png"), inside.astype(np.uint8) * 255)
    source = open_dataset(f"faces-light:{tmp_path}", load_registry())
    true, lazy = FACES_LIGHT.pool(), FACES_LIGHT.pool()
    for case in source.cases():
        nine = harmonics.harmonics(case.facts["towards"][None])[0]
        light = {"faces": [{"sh": np.tile(nine, 3).tolist()}]}
        answer = {"albedo": np.full_like(case.photo, 0.5), "shading": case.photo, "light": light}
        scores = FACES_LIGHT.score(case, answer)
        assert scores["light_angle"] == pytest.approx(0, abs=1e-3)
        true.add(case, answer, scores)
        lazy.add(case, {"albedo": case.photo, "shading": case.photo}, {})
    assert true.scores()["constancy"] == pytest.approx(0, abs=1e-9)
    assert true.scores()["light_left_out"] == 0
    assert lazy.scores()["constancy_ratio"] == pytest.approx(1)


@pytest.fixture(scope="module")
def heads(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_heads(tmp_path_factory.mktemp("heads"))


def test_every_head_comes_under_each_of_its_lights_alone(heads: Path) -> None:
    cases = open_heads_light(heads).cases("val")
    assert len(cases) == 2 * (3 + len(LAMPS))
    first = [cases[place] for place in range(3 + len(LAMPS))]
    assert len({case.facts["scene"] for case in first}) == 1
    albedos = [case.truth["albedo"] for case in first]
    assert all(np.array_equal(albedos[0], albedo) for albedo in albedos), "the paint stays"
    photos = [case.photo for case in first]
    assert not any(np.allclose(photos[0], photo, atol=0.02) for photo in photos[3:])


def test_the_truth_of_a_lit_head_is_true(heads: Path) -> None:
    """Albedo times the shading of normals and light is the photo, and a lamp is where it is said
    to be."""
    cases = open_heads_light(heads).cases("val")
    for case in (cases[place] for place in range(3 + len(LAMPS))):
        made = case.truth["albedo"] * harmonics.shade(case.truth["normals"], case.facts["light"])
        error = np.abs(made - case.photo)[case.mask].mean()
        assert error < 0.06 * case.photo[case.mask].mean(), case.name
    lamp = cases[3 + LAMPS.index((40, 10))]
    assert lamp.name.endswith("A+040E+10")
    assert light_towards(lamp.facts["light"]) == pytest.approx(direction_of(40, 10), abs=1e-6)


def test_lit_heads_in_files_are_read_as_they_were_lit(heads: Path, tmp_path: Path) -> None:
    assert write_lit_heads(heads, tmp_path, Silent()) == 2 * len(LAMPS)
    assert write_lit_heads(heads, tmp_path, Silent()) == 0
    data = open_faces_light(tmp_path)
    assert "right" in data.notes[0]
    lamps = {case.facts["scene"] + case.facts["lamp"]: case for case in _lamps(heads)}
    assert len(data.cases()) == len(lamps)
    for case in data.cases():
        true = lamps[case.name]
        assert case.facts["towards"] == pytest.approx(light_towards(true.facts["light"]), abs=1e-6)
        assert (case.mask == true.facts["outline"]).all()
        assert np.abs(case.photo - true.photo).max() < 0.01


def _lamps(heads: Path) -> list[Case]:
    return [case for case in open_heads_light(heads).cases("val") if case.facts["lamp"]]


def test_lit_heads_are_not_trained_on(heads: Path) -> None:
    with pytest.raises(DataError, match="for measuring only"):
        open_heads_light(heads).batches("train", 1, 8)


def test_lights_of_a_case_without_scene_are_no_matter() -> None:
    case = Case("x", np.zeros((4, 4, 3), np.float32), {}, np.ones((4, 4), bool), {"scene": "a"})
    pool = FACES_LIGHT.pool()
    pool.add(case, {}, {})
    assert pool.scores() == {}
