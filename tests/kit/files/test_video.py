"""Videos → frames, and frames → videos."""

from __future__ import annotations

import sys
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from video_files import pattern, run, video

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.clip_writer import ClipWriter, join
from intrinsic_cli.kit.files.code_points import CodePoints
from intrinsic_cli.kit.files.formats import is_video
from intrinsic_cli.kit.files.memory import at_most
from intrinsic_cli.kit.files.metadata import Metadata
from intrinsic_cli.kit.files.photo import read_photo, to_photo
from intrinsic_cli.kit.files.video import Video, open_video, read_frames

FRAMES = pattern()


def written(path: Path, frames: list[np.ndarray], rate: Fraction = Fraction(24)) -> Path:
    with ClipWriter(path, rate) as writer:
        for frame in frames:
            writer.write(frame)
        writer.close()
    return path


def difference(clip: Video, frames: list[np.ndarray]) -> float:
    read = list(read_frames(clip))
    assert len(read) == len(frames)
    return float(np.abs(np.array(read, int) - np.array(frames, int)).mean())


def test_frames_come_as_they_were(tmp_path: Path) -> None:
    clip = open_video(video(tmp_path / "a.mp4", FRAMES, fps=23.976))
    assert (clip.count, clip.size, clip.bits, clip.codec) == (16, (48, 64), 8, "h264")
    assert clip.rate == pytest.approx(23.976, abs=1e-3)
    assert not clip.sampled
    assert not clip.notes
    assert clip.seconds == pytest.approx(16 / 23.976, abs=1e-3)
    assert difference(clip, FRAMES) < 10


def test_frames_from_the_middle_are_the_same(tmp_path: Path) -> None:
    clip = open_video(video(tmp_path / "a.mp4", FRAMES))
    whole = list(read_frames(clip))
    assert all(map(np.array_equal, read_frames(clip, 5), whole[5:]))
    some = list(read_frames(clip, 2, 4))
    assert len(some) == 4
    assert all(map(np.array_equal, some, whole[2::4]))


def test_a_turned_video_comes_upright(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4", FRAMES)
    turned = tmp_path / "turned.mp4"
    run("-display_rotation", "90", "-i", str(tmp_path / "a.mp4"), "-c", "copy", str(turned))
    clip = open_video(turned)
    assert clip.size == (64, 48)
    assert difference(clip, [np.rot90(frame) for frame in FRAMES]) < 10


def test_an_uneven_rate_becomes_even(tmp_path: Path) -> None:
    """Two seconds, the second of which has a fifth of the frames."""
    source = "testsrc2=s=64x48:r=30:d=2,select=lt(n\\,30)+not(mod(n\\,5))"
    path = tmp_path / "a.mp4"
    run("-f", "lavfi", "-i", source, "-fps_mode", "vfr", "-pix_fmt", "yuv420p", str(path))
    clip = open_video(path)
    assert clip.sampled
    assert "frame rate varies" in clip.notes[0]
    assert clip.rate == 30
    assert len(list(read_frames(clip))) == pytest.approx(60, abs=5)


def test_fewer_frames_a_second(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", FRAMES, fps=24)
    clip = open_video(path, fps=6)
    assert (clip.rate, clip.count, clip.sampled) == (6, 4, True)
    assert len(list(read_frames(clip))) == 4
    assert open_video(path, fps=60).count == 16, "frames are not made up"


def test_more_than_eight_bits_stay(tmp_path: Path) -> None:
    ramp = "nullsrc=s=64x48:d=0.2,format=gbrp10,geq=r=X*16:g=X*16:b=X*16"
    run("-f", "lavfi", "-i", ramp, "-c:v", "ffv1", str(tmp_path / "a.mkv"))
    clip = open_video(tmp_path / "a.mkv")
    assert clip.bits == 16
    frame = next(read_frames(clip))
    assert frame.dtype == np.uint16
    assert len(np.unique(frame)) > 60


@pytest.mark.parametrize(
    ("words", "note"),
    [
        (("-vf", "setparams=color_trc=smpte2084", "-c:v", "libx264"), "HDR (PQ): a white page"),
        (("-vf", "setfield=tff", "-c:v", "mpeg2video", "-flags", "+ildct"), "interlaced"),
        (("-c:v", "ffv1", "-pix_fmt", "yuva420p"), "alpha is passed over"),
    ],
)
def test_what_is_not_as_one_might_expect_is_told(
    tmp_path: Path, words: tuple[str, ...], note: str
) -> None:
    path = str(tmp_path / "a.mkv")
    run("-f", "lavfi", "-i", "testsrc2=s=64x48:d=0.2", *words, path)
    assert any(note in told for told in open_video(Path(path)).notes)


@pytest.mark.parametrize(
    ("points", "bits"), [(("bt2020", "smpte2084", 9, 16), 10), (("smpte432", "bt709", 12, 2), 8)]
)
def test_wider_colours_and_hdr_are_followed(
    tmp_path: Path, points: tuple[str, str, int, int], bits: int
) -> None:
    """As a picture of the same codes is that says the same."""
    primaries, curve, *numbers = points
    said = f"setparams=color_primaries={primaries}:color_trc={curve}:range=pc"
    ramp = f"nullsrc=s=64x48:d=0.2,format=gbrp{bits if bits > 8 else ''},geq=r=X*9:g=X*12:b=Y*9"
    path = tmp_path / "a.mkv"
    run("-f", "lavfi", "-i", f"{ramp},{said}", "-c:v", "ffv1", str(path))
    clip = open_video(path)
    metadata = Metadata(points=CodePoints(*numbers))
    wanted = to_photo(next(read_frames(clip)), "auto", metadata)
    frame = next(clip.frames()).photo
    assert frame is not None
    assert clip.encoding == "icc"
    assert clip.profile == wanted.profile
    assert clip.profile.startswith({9: "BT.2020, PQ", 12: "Display P3, sRGB"}[numbers[0]])
    assert np.array_equal(frame.pixels, wanted.pixels)
    assert (frame.pixels.max() > 1.5) == (numbers[1] == 16)
    plain = open_video(path, encoding="srgb")
    assert (plain.encoding, plain.notes) == ("srgb", ())


def test_a_video_without_pictures(tmp_path: Path) -> None:
    run("-f", "lavfi", "-i", "sine=d=0.2", "-c:a", "aac", str(tmp_path / "a.mp4"))
    with pytest.raises(DataError, match="without pictures"):
        open_video(tmp_path / "a.mp4")


@pytest.mark.parametrize("length", [0, 40, 2000])
def test_a_broken_video_is_one_sentence(tmp_path: Path, length: int) -> None:
    path = video(tmp_path / "a.mp4", FRAMES)
    path.write_bytes(path.read_bytes()[:length])
    with pytest.raises(DataError, match="truncated, damaged") as caught:
        open_video(path)
    assert caught.value.hint


def test_what_is_left_of_a_damaged_video_is_read(tmp_path: Path) -> None:
    video(tmp_path / "a.mp4", FRAMES)
    whole = tmp_path / "b.mp4"
    run("-i", str(tmp_path / "a.mp4"), "-c", "copy", "-movflags", "+faststart", str(whole))
    whole.write_bytes(whole.read_bytes()[:-400])
    clip = open_video(whole)
    assert "damaged" in clip.notes[0]
    assert 0 < len(list(read_frames(clip))) < 16


def test_a_playlist_is_no_video(tmp_path: Path) -> None:
    """It could name any file of this machine."""
    video(tmp_path / "a.mp4", FRAMES)
    (tmp_path / "list.mp4").write_text("ffconcat version 1.0\nfile 'a.mp4'\n")
    with pytest.raises(DataError):
        open_video(tmp_path / "list.mp4")


def test_a_video_too_large_is_refused(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", FRAMES)
    with at_most(1000), pytest.raises(DataError, match="64x48 pixels"):
        open_video(path)


def test_names_that_look_like_something_else(tmp_path: Path) -> None:
    path = video(tmp_path / "concat:a 'b' %03d.mp4", FRAMES)
    assert open_video(path).count == 16


def test_the_extra_is_named_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = video(tmp_path / "a.mp4", FRAMES)
    with pytest.raises(DataError, match="frames are not taken apart here"):
        read_photo(path)
    monkeypatch.setitem(sys.modules, "imageio_ffmpeg", None)
    for read in (open_video, read_photo):
        with pytest.raises(DataError, match="needs the extra 'video'") as caught:
            read(path)
        assert 'pip install "intrinsic-cli[video]"' in caught.value.hint


def test_videos_are_known_by_their_bytes(tmp_path: Path) -> None:
    path = video(tmp_path / "a.mp4", FRAMES)
    assert is_video(path)
    assert is_video(path.rename(tmp_path / "nameless"))
    (tmp_path / "photo.mp4").write_bytes(b"\xff\xd8\xff\xe0" + bytes(100))
    assert not is_video(tmp_path / "photo.mp4")
    assert not is_video(tmp_path / "none.mp4")


@pytest.mark.parametrize(("size", "even"), [((64, 48), (48, 64)), ((65, 47), (48, 66))])
def test_what_is_written_is_read_again(
    tmp_path: Path, size: tuple[int, int], even: tuple[int, int]
) -> None:
    """Odd sides get one pixel more."""
    rate = Fraction(30000, 1001)
    clip = open_video(written(tmp_path / "a.mp4", pattern(6, *size), rate))
    assert clip.size == even
    assert (clip.rate, clip.count) == (rate, 6)


def test_gray_stays_what_it_is(tmp_path: Path) -> None:
    levels = range(40, 160, 20)
    flat = [np.full((47, 65, 1), level, np.uint8) for level in levels]
    clip = open_video(written(tmp_path / "a.mp4", flat))
    for frame, level in zip(read_frames(clip), levels, strict=True):
        assert np.abs(frame.astype(int) - level).max() <= 1


def test_joined_parts_are_what_one_file_would_be(tmp_path: Path) -> None:
    whole = open_video(written(tmp_path / "whole.mp4", FRAMES))
    first = written(tmp_path / "1.mp4", FRAMES[:7])
    second = written(tmp_path / "2.mp4", FRAMES[7:])
    join([first, second], tmp_path / "it's both.mp4")
    both = open_video(tmp_path / "it's both.mp4")
    assert (both.count, both.rate, both.sampled) == (16, 24, False)
    assert difference(both, list(read_frames(whole))) < 1.5


def test_ffmpeg_says_why_it_cannot_write(tmp_path: Path) -> None:
    with pytest.raises(Exception, match=r"ffmpeg could not write the video: .*No such file"):
        written(tmp_path / "no folder" / "a.mp4", FRAMES)
