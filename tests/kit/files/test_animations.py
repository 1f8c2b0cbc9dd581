"""Animations that ask for a form of their file."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from intrinsic_cli.api import Animation, UsageError
from intrinsic_cli.api.outputs import KINDS
from intrinsic_cli.kit.files import formats
from intrinsic_cli.kit.files.outputs import Surroundings, write_output
from intrinsic_cli.kit.files.video import open_video, read_frames
from intrinsic_cli.kit.light.colour import linear_to_srgb

COLOURS = np.float32([[0.8, 0.1, 0.1], [0.1, 0.8, 0.1], [0.1, 0.1, 0.8]])
PICTURES = np.broadcast_to(COLOURS[:, None, None], (3, 32, 48, 3))


def written(folder: Path, animation: object) -> list[Path]:
    pace = Surroundings(fps=10)
    spin = write_output(folder / "a", "spin", KINDS["animation"], [animation], "png", pace)
    assert spin.entry["files"] == [path.name for path in spin.files]
    return list(spin.files)


def test_an_mp4_has_the_pictures_and_the_pace(tmp_path: Path) -> None:
    pytest.importorskip("imageio_ffmpeg")
    (path,) = written(tmp_path, Animation(PICTURES, "mp4"))
    assert path == tmp_path / "a.spin.mp4"
    clip = open_video(path)
    assert (clip.count, clip.rate, clip.size) == (3, 10, (32, 48))
    for frame, colour in zip(read_frames(clip), COLOURS, strict=True):
        codes = linear_to_srgb(colour) * 255
        np.testing.assert_allclose(frame[16, 24], codes, atol=6)


def test_a_gif_is_what_bare_pictures_become(tmp_path: Path) -> None:
    (bare,) = written(tmp_path / "bare", PICTURES)
    (asked,) = written(tmp_path / "asked", Animation(PICTURES))
    assert bare.name == asked.name == "a.spin.gif"
    assert bare.read_bytes() == asked.read_bytes()


def test_without_the_extra_nothing_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(formats, "_is_installed", lambda module: False)
    with pytest.raises(UsageError, match="needs the extra 'video'"):
        written(tmp_path, Animation(PICTURES, "mp4"))
    assert not list(tmp_path.iterdir())
