"""Which numbered files are frames of one shot."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrinsic_cli.kit.files.frame_numbers import (
    frames_of,
    is_sequence,
    numbering_of,
    numberings,
)


def patterns(*names: str) -> dict[str, str]:
    return {name: shot.pattern for name, shot in numberings(names).items()}


@pytest.mark.parametrize(
    ("names", "pattern"),
    [
        (("a.0001.png", "a.0002.png"), "a.%04d.png"),
        (("IMG_1001.JPG", "IMG_1002.JPG"), "IMG_%04d.JPG"),
        (("9.png", "10.png", "100.png"), "%d.png"),
        (("08.tif", "09.tif", "10.tif", "100.tif"), "%02d.tif"),
        (("9998.exr", "9999.exr", "10000.exr"), "%04d.exr"),
        (("50%_01.png", "50%_02.png"), "50%%_%02d.png"),
        (("v2_0001.png", "v2_0003.png"), "v2_%04d.png"),
    ],
)
def test_frames_of_one_shot(names: tuple[str, ...], pattern: str) -> None:
    assert patterns(*names) == dict.fromkeys(names, pattern)
    numbering = numbering_of(pattern)
    assert numbering is not None
    assert [numbering.number(name) is not None for name in names] == [True] * len(names)


def test_several_shots_in_one_folder() -> None:
    made = patterns("a.01.png", "a.02.png", "b.01.png", "b.02.png", "a.01.exr", "a.02.exr")
    assert set(made.values()) == {"a.%02d.png", "b.%02d.png", "a.%02d.exr"}
    assert patterns("a.0001.png", "a.0002.png", "a.1.png", "a.2.png") == {
        "a.0001.png": "a.%04d.png",
        "a.0002.png": "a.%04d.png",
        "a.1.png": "a.%d.png",
        "a.2.png": "a.%d.png",
    }


def test_what_is_not_numbered_or_alone_is_no_frame() -> None:
    assert patterns("a.png", "a.0001.png", "b_left.png", "0001_b.png", "c.0001.png") == {}


@pytest.mark.parametrize(
    ("pattern", "name", "number"),
    [
        ("a.%04d.png", "a.0010.png", 10),
        ("a.####.png", "a.0010.png", 10),
        ("a.%04d.png", "a.12345.png", 12345),
        ("a.%04d.png", "a.00010.png", None),
        ("a.%04d.png", "a.010.png", None),
        ("a.%04d.png", "a.0010.jpg", None),
        ("a.%04d.png", "b.0010.png", None),
        ("a.%d.png", "a.0.png", 0),
        ("a.%d.png", "a.²3.png", None),
        ("%d", "7", 7),
    ],
)
def test_numbers_of_names(pattern: str, name: str, number: int | None) -> None:
    numbering = numbering_of(pattern)
    assert numbering is not None
    assert numbering.number(name) == number


@pytest.mark.parametrize("name", ["a.png", "100%.png", "a%%d.png", "a#b#.png", "%d%d.png", ""])
def test_names_that_are_no_pattern(name: str) -> None:
    assert numbering_of(name) is None


def test_the_name_of_a_shot() -> None:
    for pattern, name in (("a.%04d.png", "a"), ("s_01 - ####.exr", "s_01"), ("%04d.png", "")):
        numbering = numbering_of(pattern)
        assert numbering is not None
        assert numbering.shot == name


def test_files_come_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    for name in ("10.png", "9.png", "1.png", "01.png", "a1.png"):
        (tmp_path / name).touch()
    assert [path.name for path in frames_of(tmp_path / "%d.png").values()] == [
        "1.png",
        "9.png",
        "10.png",
    ]
    assert frames_of(tmp_path / "none" / "%d.png") == {}


def test_a_file_that_is_called_like_a_pattern_is_a_file(tmp_path: Path) -> None:
    assert is_sequence(tmp_path / "a%d.png")
    (tmp_path / "a%d.png").touch()
    assert not is_sequence(tmp_path / "a%d.png")
    assert not is_sequence(tmp_path / "a.png")
