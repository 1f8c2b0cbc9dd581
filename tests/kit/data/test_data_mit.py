"""The MIT reader on a tiny made-up copy of its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.mit import Mit, open_barron, open_lights, open_mit
from intrinsic_cli.kit.data.readers import all_cases
from intrinsic_cli.kit.files.opencv import cv2


@pytest.fixture
def lab(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for name in ("pear", "apple"):
        (tmp_path / name).mkdir()
        for layer, channels in (("diffuse", 3), ("reflectance", 3), ("shading", 1)):
            cv2.imwrite(
                str(tmp_path / name / f"{layer}.png"),
                rng.integers(900, 30000, (9, 7, channels), np.uint16),
            )
        mask = np.zeros((9, 7), np.uint16)
        mask[2:7, 1:6] = 65025  # what the real masks hold for "inside"
        cv2.imwrite(str(tmp_path / name / "mask.png"), mask)
    return tmp_path


def test_cases_by_name_exposed_as_a_16_bit_photo(lab: Path) -> None:
    cases = list(open_mit(lab).cases())
    assert [case.name for case in cases] == ["apple", "pear"]
    case, exact = cases[0], Mit(lab, exact=True).cases()[0]
    assert case.mask.sum() == 25
    assert np.percentile(exact.photo[case.mask], 99) == pytest.approx(1)
    assert exact.photo.max() > 1 == case.photo.max()
    assert np.abs(case.photo - exact.photo.clip(0, 1)).max() < 3e-5
    assert (case.truth["albedo"].shape, case.truth["shading"].shape) == ((9, 7, 3), (9, 7, 1))


def test_channels_come_in_rgb_order(lab: Path) -> None:
    red = np.zeros((9, 7, 3), np.uint16)
    red[..., 2] = 65535
    cv2.imwrite(str(lab / "apple" / "reflectance.png"), red)
    assert open_mit(lab).cases()[0].truth["albedo"][0, 0].tolist() == [1, 0, 0]


def test_relit_objects_bring_coloured_shading(lab: Path) -> None:
    cv2.imwrite(
        str(lab / "apple" / "shading_color.png"), np.full((9, 7, 3), (9, 99, 999), np.uint16)
    )
    (lab / "apple" / "shading.png").unlink()
    assert open_mit(lab).cases()[0].truth["shading"].shape == (9, 7, 3)


def test_original_archive_keeps_objects_below_data(lab: Path, tmp_path: Path) -> None:
    outer = tmp_path / "outer"
    outer.mkdir()
    for name in ("apple", "pear"):
        (outer / "data").mkdir(exist_ok=True)
        (lab / name).rename(outer / "data" / name)
    assert len(list(open_mit(outer).cases()[:1])) == 1


def test_missing_files_are_named(lab: Path) -> None:
    (lab / "pear" / "mask.png").unlink()
    with pytest.raises(MissingFilesError) as caught:
        open_mit(lab)
    assert [case.name for case in all_cases(caught.value.rest)] == ["apple"]
    (lab / "apple" / "shading.png").unlink()
    with pytest.raises(DataError, match=r"lacks apple.shading\.png, pear.mask\.png"):
        open_mit(lab)


def test_wrong_folder_broken_file_and_training_are_refused(lab: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no MIT objects"):
        open_mit(tmp_path / "apple")
    with pytest.raises(DataError, match="measuring only"):
        open_mit(lab).batches("train", 1, 8)
    with pytest.raises(DataError, match="no 'train' split"):
        open_mit(lab).cases("train")
    (lab / "apple" / "diffuse.png").write_bytes(b"not a picture")
    with pytest.raises(DataError, match=r"diffuse\.png: it is not an image"):
        open_mit(lab).cases()[0]


def test_one_object_under_many_lights(lab: Path) -> None:
    with pytest.raises(DataError, match="holds no MIT objects under several lights"):
        open_lights(lab)
    for number in (1, 2):
        cv2.imwrite(
            str(lab / "pear" / f"light0{number}.png"), np.full((9, 7, 3), 20000 * number, np.uint16)
        )
    cases = list(open_lights(lab).cases())
    assert [case.name for case in cases] == ["pear_light01", "pear_light02"]
    assert {case.facts["scene"] for case in cases} == {"pear"}
    assert [case.photo.max() for case in cases] == pytest.approx(
        [0.5, 1], abs=1e-4
    )  # one exposure for both
    assert cases[0].truth == {}
    (lab / "pear" / "light01.png").rename(lab / "apple" / "light01.png")
    (lab / "pear" / "mask.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks pear.mask\.png$") as caught:
        open_lights(lab)
    assert [case.name for case in all_cases(caught.value.rest)] == ["apple_light01"]


def test_an_object_without_its_photo_is_told(lab: Path) -> None:
    (lab / "pear" / "diffuse.png").unlink()
    with pytest.raises(DataError, match=r"lacks pear.diffuse\.png"):
        open_mit(lab)


def test_the_same_objects_may_be_scored_otherwise(lab: Path) -> None:
    assert (open_mit(lab).protocol, open_barron(lab).protocol) == ("mit", "mit-barron")
