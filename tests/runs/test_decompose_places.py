"""What lies in the output folder already: layers of the same photo, of its neighbours, of a
namesake."""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import Any

import pytest
from light_method import REGISTRY
from PIL import Image

from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.requests import DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.run import decompose


def photo(path: Path, width: int) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.new("RGB", (width, 8), (90, 90, 90)).save(path)
    return path


def go(path: Path, out: Path, **more: Any) -> InputReport:
    return decompose(
        DecomposeRequest((path,), "power", out, device="cpu", **more), registry=REGISTRY
    ).inputs[0]


def width(out: Path, base: str) -> int:
    return read_photo(out / f"{base}.albedo.png").pixels.shape[1]


def test_a_namesake_from_another_folder_is_refused(tmp_path: Path) -> None:
    one, other, out = (
        photo(tmp_path / "a/x.png", 9),
        photo(tmp_path / "b/x.png", 10),
        tmp_path / "out",
    )
    assert go(one, out).status == "done"
    report = go(other, out)
    assert (report.status, report.layers) == ("failed", {})
    assert f"those of {one} at {out / 'x'} " in report.error
    assert "--force" in report.error
    assert width(out, "x") == 9
    assert go(one, out).status == "skipped"
    assert go(other, out, options=("power=0.4",)).status == "failed"
    assert go(other, out, force=True).status == "done"
    assert width(out, "x") == 10
    assert go(other, out).status == "skipped"
    assert go(one, out).status == "failed"


def test_a_photo_may_change_and_move(tmp_path: Path) -> None:
    path, out = photo(tmp_path / "a/x.png", 9), tmp_path / "out"
    assert go(path, out).status == "done"
    photo(path, 10)
    assert go(path, out).status == "done", "the same file with another picture"
    moved = tmp_path / "b" / "x.png"
    moved.parent.mkdir()
    path.rename(moved)
    assert go(moved, out).status == "skipped", "the same picture elsewhere"
    assert go(moved, out, options=("power=0.4",)).status == "done"
    photo(moved, 11)
    assert go(moved, out).status == "done"


def test_photos_and_layers_may_move_together(tmp_path: Path) -> None:
    go(photo(tmp_path / "old/photos/x.png", 9), tmp_path / "old/out")
    shutil.move(tmp_path / "old", tmp_path / "new")
    assert go(photo(tmp_path / "new/photos/x.png", 10), tmp_path / "new/out").status == "done"


def test_another_extension_is_kept_to_tell_photos_apart(tmp_path: Path) -> None:
    one, other, out = (
        photo(tmp_path / "x.png", 9),
        photo(tmp_path / "b/x.bmp", 10),
        tmp_path / "out",
    )
    for expected in ("done", "skipped"):
        for path, base, size in ((one, "x", 9), (other, "x.bmp", 10)):
            report = go(path, out)
            assert (report.status, report.sidecar) == (expected, str(out / f"{base}.iid.json"))
            assert width(out, base) == size


@pytest.mark.parametrize("lacking", ["source", "input"])
def test_a_sidecar_that_does_not_tell_whose_it_is_makes_no_trouble(
    tmp_path: Path, lacking: str
) -> None:
    one, other, out = (
        photo(tmp_path / "a/x.png", 9),
        photo(tmp_path / "b/x.png", 10),
        tmp_path / "out",
    )
    go(one, out)
    facts = json.loads((out / "x.iid.json").read_text())
    facts.pop("source")
    facts.pop(lacking, None)
    (out / "x.iid.json").write_text(json.dumps(facts))
    assert go(one, out).status == "skipped"
    assert go(other, out).status == "done"


def test_names_that_some_file_systems_take_for_the_same(tmp_path: Path) -> None:
    inputs = (photo(tmp_path / "a/Rose.png", 9), photo(tmp_path / "b/rose.bmp", 10))
    request = DecomposeRequest(inputs, "power", tmp_path / "out", device="cpu")
    report = decompose(request, registry=REGISTRY)
    assert [Path(item.sidecar).name.lower() for item in report.inputs] == [
        "rose.png.iid.json",
        "rose.bmp.iid.json",
    ]


def test_namesakes_keep_their_places_in_any_order(tmp_path: Path) -> None:
    one, two, three = (photo(tmp_path / f"{n}/x.png", 8 + n) for n in (1, 2, 3))

    def places(*paths: Path) -> list[tuple[str, str]]:
        request = DecomposeRequest(paths, "power", tmp_path / "out", device="cpu")
        found = decompose(request, registry=REGISTRY).inputs
        by_input = sorted(found, key=lambda item: paths.index(Path(item.input)))
        return [(item.status, Path(item.sidecar).name) for item in by_input]

    first, second = "x.png.iid.json", "x.png-2.iid.json"
    assert places(one, two) == [("done", first), ("done", second)]
    assert places(two, one) == [("skipped", second), ("skipped", first)]
    third = ("done", "x.png-3.iid.json")
    assert places(three, two, one) == [third, ("skipped", second), ("skipped", first)]
    (tmp_path / "out/iid-manifest.jsonl").unlink()
    known = [("skipped", name) for name in (second, third[1], first)]
    assert places(two, three, one) == known, "the sidecars know it, too"
