"""Numbered photos as frames of one shot: one scale, one clip of layers, whatever is missing."""

from __future__ import annotations

import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from decomposing import everything, forget, go, photo, statuses, tell
from light_method import PowerDecomposer
from torch import Tensor

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.runs.decompose import clip_work
from intrinsic_cli.runs.decompose.rows import photo_row, read_photo_row
from intrinsic_cli.runs.decompose.targets import SEQUENCE, Target

GROUND = np.random.default_rng(0).integers(60, 200, (6, 10, 3), np.uint8)
GROUND = GROUND.repeat(10, 0).repeat(10, 1)
COUNT = 10


def shot(folder: Path, name: str = "a.", count: int = COUNT, suffix: str = ".png") -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for at in range(count):
        file = folder / f"{name}{1001 + at:04d}{suffix}"
        assert cv2.imwrite(str(file), GROUND[:48, at : at + 40])
    return folder


def facts(out: Path, stem: str = "a") -> dict[str, Any]:
    return dict(json.loads((out / f"{stem}.iid.json").read_text()))


def made(out: Path, stem: str = "a") -> list[str]:
    return sorted(file.name for file in (out / f"{stem}.frames").iterdir())


@pytest.fixture
def parts_of_four(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(clip_work, "PART", 4)


def test_a_folder_of_frames_is_one_shot(tmp_path: Path) -> None:
    folder, out = shot(tmp_path / "in"), tmp_path / "out"
    report = go(folder, out=out, sequence=True)
    (one,) = report.inputs
    assert (one.status, one.error, one.input) == ("done", "", str(folder / "a.%04d.png"))
    assert made(out)[:2] == ["a.1001.albedo.png", "a.1001.shading.png"]
    assert len(made(out)) == 2 * COUNT
    told = facts(out)
    assert (told["frames"], told["frame_rate"], told["size"]) == (COUNT, 24, [40, 48])
    assert told["flicker"]["written"] <= told["flicker"]["frame_by_frame"] + 1e-6
    assert told["reconstruction_rmse"] < 0.01
    for number in (1001, 1010):
        product = np.float32(1)
        for name, layer in told["layers"].items():
            picture = read_photo(out / f"a.frames/a.{number}.{name}.png")
            product = product * picture.pixels * np.float32(layer["scale"])
        light = read_photo(folder / f"a.{number}.png").pixels
        assert np.abs(product - light).mean() < 0.01
    assert not list(out.glob(".iid-*"))


def test_without_being_asked_they_are_photos(tmp_path: Path) -> None:
    report = go(shot(tmp_path / "in", count=3), out=tmp_path / "out")
    assert statuses(report)["done"] == 3


@pytest.mark.parametrize("pattern", ["a.%04d.png", "a.####.png"])
def test_a_pattern_says_it_by_itself(tmp_path: Path, pattern: str) -> None:
    folder = shot(tmp_path / "in", count=3)
    (one,) = go(folder / pattern, out=tmp_path / "out").inputs
    assert one.status == "done"
    assert len(made(tmp_path / "out")) == 6
    with pytest.raises(DataError, match="no frames called") as caught:
        go(folder / "b.%04d.png", out=tmp_path / "out")
    assert "####" in caught.value.hint


def test_one_frame_stands_for_its_shot(tmp_path: Path) -> None:
    folder = shot(tmp_path / "in", count=3)
    files = sorted(folder.iterdir())
    (one,) = go(*files[:2], folder / "a.####.png", out=tmp_path / "out", sequence=True).inputs
    assert facts(tmp_path / "out")["frames"] == 3
    assert one.status == "done"


def test_several_shots_and_a_photo(tmp_path: Path) -> None:
    folder = shot(tmp_path / "in", count=2)
    shot(folder, "b.", count=3)
    shot(folder / "sub/c", "", count=2)
    photo(folder / "cover.png")
    found = go(folder, out=tmp_path / "out", sequence=True, recursive=True)
    assert statuses(found)["done"] == 4
    assert facts(tmp_path / "out", "b")["frames"] == 3
    assert facts(tmp_path / "out/sub/c", "c")["input"] == "%04d.png"
    assert "frames" not in facts(tmp_path / "out", "cover")


def test_a_finished_shot_is_skipped_until_a_frame_changes(tmp_path: Path) -> None:
    folder, out = shot(tmp_path / "in", count=3), tmp_path / "out"
    assert go(folder, out=out, sequence=True).count("done") == 1
    assert go(folder, out=out, sequence=True).count("skipped") == 1
    forget(out)
    assert go(folder, out=out, sequence=True).count("skipped") == 1
    photo_of_another = GROUND[:48, 15:55]
    assert cv2.imwrite(str(folder / "a.1002.png"), photo_of_another)
    assert go(folder, out=out, sequence=True).count("done") == 1
    shot(folder, count=4)
    assert go(folder, out=out, sequence=True).count("done") == 1
    assert facts(out)["frames"] == 4


def test_frames_that_are_lost_are_named_and_the_rest_is_done(tmp_path: Path) -> None:
    folder = shot(tmp_path / "in")
    (folder / "a.1003.png").unlink()
    (folder / "a.1007.png").write_bytes(b"\x89PNG\r\n\x1a\n broken")
    (one,) = go(folder, out=tmp_path / "out", sequence=True).inputs
    assert one.status == "done"
    assert one.notes[0] == "frame 1003 is missing"
    assert one.notes[1].startswith("a.1007.png is left out: ")
    assert len(made(tmp_path / "out")) == 2 * (COUNT - 2)
    told = facts(tmp_path / "out")
    assert (told["frames"], told["lost"]) == (COUNT - 2, 2)
    assert told["reconstruction_rmse"] < 0.01


def test_a_shot_of_which_nothing_can_be_read_fails(tmp_path: Path) -> None:
    folder = shot(tmp_path / "in", count=3)
    for file in folder.iterdir():
        file.write_bytes(b"nothing")
    photo(folder / "b.png")
    found = go(folder, out=tmp_path / "out", sequence=True)
    assert [item.status for item in found.inputs] == ["failed", "done"]
    assert "none of its frames can be read" in found.inputs[0].error
    again = go(folder, out=tmp_path / "out", sequence=True, retry_failed=True)
    assert [item.status for item in again.inputs] == ["failed"]


def test_float_frames_make_float_layers(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for at in range(3):
        light = GROUND[:48, at : at + 40].astype(np.float32) / 100
        assert cv2.imwrite(str(folder / f"a.{at:04d}.hdr"), light)
    go(folder, out=tmp_path / "out", sequence=True, format="exr32")
    told = facts(tmp_path / "out")
    assert (told["encoding"], told["bits"]) == ("linear", 32)
    layers = [read_photo(tmp_path / f"out/a.frames/a.0001.{name}.exr") for name in told["layers"]]
    product = layers[0].pixels * layers[1].pixels
    assert np.abs(product - read_photo(folder / "a.0001.hdr").pixels).max() < 1e-4


@pytest.mark.usefixtures("parts_of_four")
@pytest.mark.parametrize("frames", [None, False])
def test_a_killed_run_goes_on_with_its_last_part(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, frames: bool | None
) -> None:
    if frames is False:
        pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")
    folder = shot(tmp_path / "in")
    (folder / "a.1004.png").unlink()  # the last of a part
    asked: dict[str, Any] = {"sequence": True, "frames": frames}
    go(folder, out=tmp_path / "whole", **asked)
    seen: list[int] = []
    real = PowerDecomposer.__call__

    def look(self: PowerDecomposer, photos: Tensor) -> Any:
        seen.append(len(photos))
        if len(seen) == COUNT - 1 + 6:
            raise KeyboardInterrupt
        return real(self, photos)

    monkeypatch.setattr(PowerDecomposer, "__call__", look)
    with pytest.raises(KeyboardInterrupt):
        go(folder, out=tmp_path / "out", **asked)
    seen.clear()
    report, notes = tell(folder, out=tmp_path / "out", **asked)
    assert statuses(report)["done"] == 1
    assert f"going on after frame 4 of {COUNT}" in notes
    assert len(seen) == COUNT - 4
    again, whole = everything(tmp_path / "out"), everything(tmp_path / "whole")
    assert again.keys() == whole.keys()
    for name, data in whole.items():
        if not name.endswith(".json"):
            assert again[name] == data, name
    one, other = facts(tmp_path / "out"), facts(tmp_path / "whole")
    assert {**one, "seconds": 0} == {**other, "seconds": 0}


def test_videos_of_its_layers_keep_their_time(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")
    from intrinsic_cli.kit.files.video import open_video

    folder, out = shot(tmp_path / "in", count=5), tmp_path / "out"
    (folder / "a.1003.png").unlink()
    (one,) = go(folder, out=out, sequence=True, frames=False, fps=12.0).inputs
    assert "the videos are black" in one.notes[-1]
    clip = open_video(out / "a.albedo.mp4")
    assert (clip.count, clip.rate) == (5, 12)
    levels = [frame.photo.pixels.mean() for frame in clip.frames() if frame.photo is not None]
    assert [level < 0.01 for level in levels] == [False, False, True, False, False]
    assert go(folder, out=out, sequence=True, frames=False, fps=12.0).count("skipped") == 1
    assert go(folder, out=out, sequence=True).count("done") == 1, "pictures are something else"


def test_frames_of_a_video_make_the_layers_that_the_video_makes(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg", reason="the extra 'video' is not installed")
    from intrinsic_cli.kit.files.clip_writer import ClipWriter
    from intrinsic_cli.kit.files.video import open_video, read_frames

    path, folder = tmp_path / "a.mp4", tmp_path / "in"
    folder.mkdir()
    with ClipWriter(path, Fraction(24)) as writer:
        for at in range(6):
            level = 1 - at % 2 / 3  # exposure flickers
            writer.write(np.asarray(GROUND[:48, at : at + 40] * level, np.uint8))
        writer.close()
    for number, codes in enumerate(read_frames(open_video(path)), start=1):
        assert cv2.imwrite(
            str(folder / f"{number:06d}.png"), np.ascontiguousarray(codes[..., ::-1])
        )
    go(path, out=tmp_path / "video", frames=True)
    go(folder, out=tmp_path / "frames", sequence=True)
    one, other = everything(tmp_path / "video/a.frames"), everything(tmp_path / "frames/in.frames")
    assert len(one) == 12
    assert one == other
    told, as_told = facts(tmp_path / "video"), facts(tmp_path / "frames", "in")
    for name in ("flicker", "flicker_of_places", "shots", "reconstruction_rmse"):
        assert told[name] == as_told[name]
    scales = [[layer["scale"] for layer in each["layers"].values()] for each in (told, as_told)]
    assert scales[0] == scales[1]


def test_what_cannot_be_asked(tmp_path: Path) -> None:
    folder, out = shot(tmp_path / "in", count=2), tmp_path / "out"
    with pytest.raises(UsageError, match="exclude each other"):
        go(folder, out=out, sequence=True, watch=True)
    with pytest.raises(UsageError, match="no video holds what --format exr does"):
        go(folder, out=out, sequence=True, frames=False, format="exr")
    photo(tmp_path / "mask.png")
    (one,) = go(folder, out=out, sequence=True, mask=tmp_path / "mask.png").inputs
    assert "without --sequence" in one.error


def test_frames_of_film_are_told_of(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    folder.mkdir()
    for at in range(3):
        (folder / f"a.{at}.dpx").write_bytes(b"SDPX" + bytes(2048))
    with pytest.raises(DataError, match=r"a DPX or Cineon frame \(3 times\)") as caught:
        go(folder, out=tmp_path / "out", sequence=True)
    assert "ffmpeg" in caught.value.hint
    (one,) = go(folder / "a.%d.dpx", out=tmp_path / "out").inputs
    assert "none of its frames can be read: it is a DPX or Cineon frame" in one.error


def test_workers_of_other_processes_are_told_of_a_shot(tmp_path: Path) -> None:
    folder = shot(tmp_path / "in", count=2)
    target = Target("in/a.%04d.png", folder / "a.%04d.png", tmp_path / "out/a")
    _, told = read_photo_row(photo_row(3, target))
    assert (told, told.kind) == (target, SEQUENCE)


def test_alpha_and_exif_of_each_frame_are_kept(tmp_path: Path) -> None:
    from PIL import Image

    folder = tmp_path / "in"
    folder.mkdir()
    for at in range(2):
        exif = Image.Exif()
        exif[271] = f"Camera {at}"
        picture = Image.fromarray(GROUND[:48, at : at + 40])
        picture.putalpha(128 + at)
        picture.save(folder / f"a.{at}.png", exif=exif)
    go(folder, out=tmp_path / "out", sequence=True)
    layer = Image.open(tmp_path / "out/a.frames/a.1.albedo.png")
    assert layer.getexif()[271] == "Camera 1"
    assert layer.getchannel("A").getextrema() == (129, 129)
