"""What the files of a photo are called."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from decomposing import everything, go, photo, tell

from intrinsic_cli.api import UsageError


def test_a_name_pattern_keeps_runs_apart(tmp_path: Path) -> None:
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    runs: tuple[dict[str, Any], ...] = ({}, {"format": "tiff"}, {"method": "power:soft"})
    for more in runs:
        for expected in ("done", "skipped"):
            report = go(path, out=out, name="{stem}.{method}-{variant}.{format}.{layer}", **more)
            assert report.inputs[0].status == expected
    assert {name for name in everything(out) if "albedo" in name} == {
        "a.power-default.png.albedo.png",
        "a.power-default.tiff.albedo.tiff",
        "a.power-soft.png.albedo.png",
    }
    go(path, out=out, name="{method}/{stem}")
    assert (out / "power/a.iid.json").exists()


def test_photos_are_told_apart_under_a_pattern_too(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png")
    photo(tmp_path / "in/a.bmp")
    report = go(tmp_path / "in", out=tmp_path / "out", name="{stem}-x")
    assert [Path(item.sidecar).name for item in report.inputs] == [
        "a.bmp-x.iid.json",
        "a.png-x.iid.json",
    ]


@pytest.mark.parametrize(
    "pattern", ["{layer}-{stem}", "x", "{stem", "{stem}{x}", "/{stem}", "../{stem}"]
)
def test_a_pattern_that_makes_no_names_is_refused(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="the name") as caught:
        go(photo(tmp_path / "a.png"), out=tmp_path / "out", name=pattern)
    assert "{stem}" in caught.value.hint


@pytest.mark.parametrize(
    "pattern", ["{stem:s}", "{stem!r}", "{stem}{method:>9}", "{stem:{format}}"]
)
def test_fields_are_filled_in_as_they_are(pattern: str, tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="says how to write") as caught:
        go(photo(tmp_path / "a.png"), out=tmp_path / "out", name=pattern)
    assert "{stem}" in caught.value.hint


def test_braces_in_the_name_of_a_photo_are_left_alone(tmp_path: Path) -> None:
    path = photo(tmp_path / "{method}-{stem}-{x.png")
    go(path, out=tmp_path / "out", name="{{{stem}}}.{method}.{layer}")
    assert (tmp_path / "out/{{method}-{stem}-{x}.power.albedo.png").exists()


def test_outputs_of_another_kind_in_the_same_place_are_told(tmp_path: Path) -> None:
    path, out = photo(tmp_path / "a.png"), tmp_path / "out"
    assert "had outputs" not in tell(path, out=out)[1]
    assert "had outputs" not in tell(path, out=out, options=("power=0.3",))[1]
    _, notes = tell(path, out=out, format="tiff")
    assert "1 photo had outputs of power (png) here" in notes
    assert "tell of power (tiff) only" in notes
    assert '--name "{stem}.{method}.{format}"' in notes


@pytest.mark.parametrize(("given", "suffix"), [("PNG", ".png"), ("tif", ".tiff"), ("JPEG", ".jpg")])
def test_formats_have_other_names(given: str, suffix: str, tmp_path: Path) -> None:
    report = go(photo(tmp_path / "a.png"), out=tmp_path / "out", format=given)
    assert report.inputs[0].layers["albedo"].endswith(suffix)
