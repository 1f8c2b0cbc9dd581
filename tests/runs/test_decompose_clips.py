"""Videos are inputs as photos are: every frame taken apart, steadied, in parts that stay."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import everything, go, photo, statuses, tell
from light_method import PowerDecomposer
from numpy.typing import NDArray
from torch import Tensor

from intrinsic_cli.api import Outputs, Region, UsageError
from intrinsic_cli.kit.files.clip_writer import ClipWriter
from intrinsic_cli.kit.files.photo import read_photo, to_photo
from intrinsic_cli.kit.files.video import open_video, read_frames
from intrinsic_cli.runs.decompose import clip_work

pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")

GROUND = np.random.default_rng(0).integers(60, 200, (6, 10, 3), np.uint8)
GROUND = GROUND.repeat(10, 0).repeat(10, 1)
COUNT = 10


def clip(path: Path, count: int = COUNT, width: int = 64) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    with ClipWriter(path, Fraction(24)) as writer:
        for at in range(count):
            writer.write(np.ascontiguousarray(GROUND[:48, at : at + width]))
        writer.close()
    return path


def light(path: Path) -> NDArray[np.float32]:
    """All frames of a video, [N,H,W,3] linear."""
    frames = [to_photo(frame, "srgb").pixels for frame in read_frames(open_video(path))]
    return np.array(frames)


def facts(out: Path, stem: str = "a") -> dict[str, Any]:
    return dict(json.loads((out / f"{stem}.iid.json").read_text()))


@pytest.fixture
def parts_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_work, "PART", 4)


@pytest.fixture
def flickering(monkeypatch: pytest.MonkeyPatch) -> None:
    """A method whose albedo is now bright, now dark, whatever it sees."""
    calls = [0]

    def look(self: PowerDecomposer, photos: Tensor) -> dict[str, Tensor]:
        calls[0] += 1
        return {"shading": photos.mean(1, keepdim=True) ** 0.5 * (1 + calls[0] % 2)}

    monkeypatch.setattr(PowerDecomposer, "__call__", look)


@pytest.mark.usefixtures("parts_of_four")
def test_a_video_becomes_a_video_of_each_layer(tmp_path: Path) -> None:
    path = clip(tmp_path / "a.mp4", width=63)
    out = tmp_path / "out"
    report = go(path, out=out).inputs[0]
    assert (report.status, report.error) == ("done", "")
    assert {Path(file).name for file in report.written} == {"a.albedo.mp4", "a.shading.mp4"}
    told = facts(out)
    assert (told["frames"], told["frame_rate"], told["size"]) == (COUNT, 24, [64, 48])
    assert told["reconstruction_rmse"] < 0.03
    albedo, shading = (
        light(out / entry["file"]) * entry["scale"] for entry in told["layers"].values()
    )
    assert albedo.shape == shading.shape == (COUNT, 48, 64, 3)
    assert np.abs(albedo * shading - light(path)).mean() < 0.02
    assert not list(out.glob(".iid-*"))


def test_a_finished_video_is_skipped(tmp_path: Path) -> None:
    path, out = clip(tmp_path / "a.mp4"), tmp_path / "out"
    done = go(path, out=out).inputs[0]
    assert go(path, out=out).inputs[0].status == "skipped"
    (out / "iid-manifest.jsonl").unlink()
    again = go(path, out=out).inputs[0]
    assert (again.status, again.layers) == ("skipped", done.layers)
    assert go(path, out=out, fps=12.0).inputs[0].status == "done"
    assert facts(out)["frames"] == COUNT // 2


@pytest.mark.parametrize(
    ("more", "suffix"), [({"frames": True}, "png"), ({"format": "exr"}, "exr")]
)
def test_or_numbered_pictures(tmp_path: Path, more: dict[str, Any], suffix: str) -> None:
    path = clip(tmp_path / "in/a.mp4")
    out = tmp_path / "in/out"
    report = go(path, out=out, **more).inputs[0]
    assert report.written == (str(out / "a.frames"),)
    names = sorted(file.name for file in (out / "a.frames").iterdir())
    assert len(names) == 2 * COUNT
    assert names[:2] == [f"000001.albedo.{suffix}", f"000001.shading.{suffix}"]
    told = facts(out)
    product = np.float32(1)
    for name, layer in told["layers"].items():
        picture = read_photo(out / f"a.frames/000001.{name}.{suffix}")
        product = product * picture.pixels * np.float32(layer["scale"])
    assert np.abs(product - light(path)[0]).mean() < 0.01
    assert told["reconstruction_rmse"] < 0.01
    assert go(path, out=out, **more).inputs[0].status == "skipped"
    (out / "iid-manifest.jsonl").unlink()
    assert go(path, out=out, **more).inputs[0].status == "skipped"
    found = go(tmp_path / "in", out=tmp_path / "other", recursive=True, **more)
    assert [Path(item.input).name for item in found.inputs] == ["a.mp4"], "frames are no photos"


@pytest.mark.usefixtures("flickering")
def test_albedo_does_not_flicker_with_the_method(tmp_path: Path) -> None:
    go(clip(tmp_path / "a.mp4"), out=tmp_path / "out", format="exr32")
    flicker = facts(tmp_path / "out")["flicker"]
    assert flicker["frame_by_frame"] == pytest.approx(np.log(2), rel=0.05)
    assert flicker["written"] < 0.05
    files = sorted((tmp_path / "out/a.frames").glob("*.albedo.exr"))
    brightness = [float(np.log(read_photo(file).pixels).mean()) for file in files]
    assert np.abs(np.diff(brightness)).max() < 0.1


def test_layers_of_a_video_have_one_scale(tmp_path: Path) -> None:
    path = tmp_path / "a.mp4"
    with ClipWriter(path, Fraction(24)) as writer:
        for level in (40, 90, 250):
            writer.write(np.full((48, 64, 3), level, np.uint8))
        writer.close()
    go(path, out=tmp_path / "out", frames=True, options=("power=1",))
    told = facts(tmp_path / "out")
    first = read_photo(tmp_path / "out/a.frames/000001.shading.png").pixels
    last = read_photo(tmp_path / "out/a.frames/000003.shading.png").pixels
    assert told["layers"]["shading"]["scale"] >= 0.95
    assert first.mean() < 0.1 * last.mean()


@pytest.mark.parametrize("more", [{}, {"frames": True}])
@pytest.mark.usefixtures("parts_of_four")
def test_a_killed_run_goes_on_with_its_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, more: dict[str, Any]
) -> None:
    path = clip(tmp_path / "a.mp4")
    go(path, out=tmp_path / "whole", **more)
    seen: list[int] = []
    real = PowerDecomposer.__call__

    def look(self: PowerDecomposer, photos: Tensor) -> Any:
        seen.append(len(photos))
        if len(seen) == SAMPLED + 7:
            raise KeyboardInterrupt
        return real(self, photos)

    monkeypatch.setattr(PowerDecomposer, "__call__", look)
    with pytest.raises(KeyboardInterrupt):
        go(path, out=tmp_path / "out", **more)
    assert not (tmp_path / "out/a.iid.json").exists()
    seen.clear()
    report, notes = tell(path, out=tmp_path / "out", **more)
    assert statuses(report)["done"] == 1
    assert f"going on after frame 4 of {COUNT}" in notes
    assert len(seen) == COUNT - 4
    made, whole = everything(tmp_path / "out"), everything(tmp_path / "whole")
    assert made.keys() == whole.keys()
    for name, data in whole.items():
        if not name.endswith(".json"):
            assert made[name] == data, name
    one, other = facts(tmp_path / "out"), facts(tmp_path / "whole")
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


SAMPLED = COUNT  # all frames of so short a video are looked at for the scales


@pytest.mark.skipif(os.name != "posix", reason="signals")
def test_ffmpeg_does_not_hear_what_ends_the_run(tmp_path: Path) -> None:
    """Else a video would seem to end where Ctrl-C was pressed."""
    path = clip(tmp_path / "a.mp4", count=30)
    program = (
        "import sys, os, signal; from pathlib import Path;"
        "from intrinsic_cli.kit.files.video import open_video, read_frames;"
        "signal.signal(signal.SIGINT, signal.SIG_IGN);"
        f"frames = read_frames(open_video(Path({str(path)!r})));"
        "next(frames); os.killpg(0, signal.SIGINT); print(1 + len(list(frames)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, process_group=0
    )
    assert done.stdout == "30\n", done.stderr


def test_a_folder_goes_on_beside_a_video_that_cannot_be_read(tmp_path: Path) -> None:
    photo(tmp_path / "in/b.png")
    clip(tmp_path / "in/c.mp4")
    (tmp_path / "in/a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    report = go(tmp_path / "in", out=tmp_path / "out")
    assert [item.status for item in report.inputs] == ["failed", "done", "done"]
    assert "truncated, damaged" in report.inputs[0].error
    lines = (tmp_path / "out/iid-manifest.jsonl").read_text().splitlines()
    assert len(lines) == 3
    assert go(tmp_path / "in", out=tmp_path / "out", retry_failed=True).count("failed") == 1


def test_a_photo_and_a_video_of_one_stem(tmp_path: Path) -> None:
    photo(tmp_path / "in/a.png")
    clip(tmp_path / "in/a.mp4", count=2)
    assert go(tmp_path / "in", out=tmp_path / "out").count("done") == 2
    names = {file.name for file in (tmp_path / "out").iterdir()}
    assert {"a.png.albedo.png", "a.mp4.albedo.mp4"} <= names


def test_what_a_video_cannot_be_made_into(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = clip(tmp_path / "a.mp4", count=2)
    photo(tmp_path / "mask.png")
    report = go(path, out=tmp_path / "out", mask=tmp_path / "mask.png").inputs[0]
    assert "--mask is for photos" in report.error
    with pytest.raises(UsageError, match="no number of frames"):
        go(path, out=tmp_path / "out", fps=0.0)
    kinds = {"shading": "record"}
    monkeypatch.setattr("intrinsic_cli.api.outputs.KIND_OF", {"albedo": "reflectance", **kinds})
    error = go(path, out=tmp_path / "out").inputs[0].error
    assert "makes a record of each frame (shading), which no clip can hold" in error
    assert "--layers albedo leaves it out" in error


def test_regions_are_done_frame_by_frame(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def regions(self: PowerDecomposer, shown: np.ndarray) -> list[Region]:
        return [Region((8.0, 8.0, 32.0, 32.0))]

    monkeypatch.setattr(PowerDecomposer, "regions", regions)
    report = go(clip(tmp_path / "a.mp4", count=3), out=tmp_path / "out").inputs[0]
    assert report.status == "done", report.error
    assert any("frame by frame" in note for note in report.notes)
    assert "flicker" not in facts(tmp_path / "out")


def test_notes_on_frames_are_told_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = PowerDecomposer.__call__

    def look(self: PowerDecomposer, photos: Tensor) -> Outputs:
        return Outputs(real(self, photos), notes=[("it is dark",)] * len(photos))

    monkeypatch.setattr(PowerDecomposer, "__call__", look)
    report = go(clip(tmp_path / "a.mp4"), out=tmp_path / "out").inputs[0]
    assert report.notes == ("it is dark",)
