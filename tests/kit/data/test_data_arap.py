"""The ARAP reader on a tiny made-up copy of its layout."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.data.arap import open_arap, open_arap_1k, open_arap_o
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.readers import all_cases
from intrinsic_cli.kit.files.opencv import cv2


@pytest.fixture
def scenes(tmp_path: Path) -> Path:
    for scene, value in (("bedroom", 51), ("a", 255)):
        for layer in ("image", "albedo", "shading"):
            cv2.imwrite(str(tmp_path / f"{scene}_{layer}.png"), np.full((6, 8, 3), value, np.uint8))
    return tmp_path


def test_cases_by_name_in_linear_light(scenes: Path) -> None:
    first, second = open_arap(scenes).cases()
    assert (first.name, second.name) == ("a", "bedroom")
    assert second.photo.dtype == np.float32
    assert second.photo == pytest.approx(np.full((6, 8, 3), 0.2))
    assert second.mask.all()
    assert set(second.truth) == {"albedo", "shading"}


def test_missing_files_are_named(scenes: Path) -> None:
    (scenes / "a_albedo.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks a_albedo\.png") as caught:
        open_arap(scenes)
    assert [case.name for case in all_cases(caught.value.rest)] == ["bedroom"]
    (scenes / "bedroom_image.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks a_albedo\.png, bedroom_") as caught:
        open_arap(scenes)
    assert caught.value.rest is None
    with pytest.raises(DataError, match="holds no ARAP scenes"):
        open_arap(scenes / "elsewhere")


def test_measuring_only(scenes: Path) -> None:
    with pytest.raises(DataError, match="measuring only"):
        open_arap(scenes).batches("train", 1, 8)


def test_two_more_protocols(scenes: Path) -> None:
    for layer in ("image", "albedo", "shading"):
        cv2.imwrite(str(scenes / f"office_{layer}.png"), np.full((6, 8, 3), 9, np.uint8))
    assert (open_arap_o(scenes).protocol, open_arap_o(scenes).counts("val")["photo"]) == (
        "arap-o",
        3,
    )
    assert (open_arap_1k(scenes).protocol, open_arap_1k(scenes).counts("val")["photo"]) == (
        "arap-1k",
        2,
    )
    (scenes / "a_image.png").unlink()
    with pytest.raises(DataError, match=r"lacks a_image\.png"):
        open_arap(scenes)
