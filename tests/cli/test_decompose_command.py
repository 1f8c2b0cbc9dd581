"""``iid decompose`` as typed: one layer into a file, words for formats, what is missing."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
from click.testing import CliRunner, Result
from PIL import Image

from intrinsic_cli.cli import iid
from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.kit.files.photo import read_photo

RETINEX = ("-m", "retinex", "--device", "cpu")


def run(*words: str) -> Result:
    return CliRunner().invoke(iid, ["decompose", *words])


@pytest.fixture
def photo(tmp_path: Path) -> str:
    rng = np.random.default_rng(0)
    codes = rng.integers(40, 200, (24, 32, 3), dtype=np.uint8)
    Image.fromarray(codes).save(tmp_path / "photo.png")
    return str(tmp_path / "photo.png")


def test_without_arguments_it_says_what_is_missing() -> None:
    done = run()
    assert done.exit_code == 2
    assert "no input" in done.stderr
    assert "--from-list FILE" in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize("name", ["albedo.png", "albedo.TIF", "albedo.jpeg", "albedo.exr"])
def test_one_layer_goes_into_one_file(name: str, photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out" / name
    out.parent.mkdir()
    done = run(photo, *RETINEX, "--layers", "albedo", "-o", str(out))
    assert done.exit_code == 0, done.output
    assert done.stdout == f"{out}\n"
    assert [path.name for path in out.parent.iterdir()] == [name]
    assert read_photo(out).pixels.shape == (24, 32, 3)


@pytest.mark.parametrize("out", ["one.png", "-"])
def test_one_file_is_not_for_several_photos(out: str, photo: str, tmp_path: Path) -> None:
    where = out if out == "-" else str(tmp_path / out)
    for inputs in ([str(tmp_path)], [photo, photo + "x"]):
        done = run(*inputs, *RETINEX, "--layers", "albedo", "-o", where)
        assert done.exit_code == 2
        assert "writes one layer of one photo" in done.stderr
        assert "give one photo" in done.stderr
    done = run(photo, *RETINEX, "-o", where)
    assert "--layers NAME" in done.stderr
    (tmp_path / "a.mp4").write_bytes(b"\0\0\0\x18ftypisom" + bytes(100))
    done = run(str(tmp_path / "a.mp4"), *RETINEX, "--layers", "albedo", "-o", where)
    assert (done.exit_code, "not of a clip" in done.stderr) == (2, True)
    (tmp_path / "a.mp4").unlink()
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_the_file_may_be_of_the_format_asked_for(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "deep.png"
    run(photo, *RETINEX, "--layers", "albedo", "-o", str(out), "--format", "png16")
    assert read_photo(out).bits == 16
    done = run(photo, *RETINEX, "--layers", "albedo", "-o", str(out), "--force", "--json")
    told = json.loads(done.stdout)
    assert told["layers"] == {"albedo": str(out)}
    assert told["written"] == [str(out)]
    assert read_photo(out).bits == 8


def test_the_file_is_of_no_other_format_than_asked_for(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "v.exr"
    words = (photo, *RETINEX, "--layers", "albedo", "-o", str(out), "--format")
    done = run(*words, "png")
    assert (done.exit_code, done.stdout, out.exists()) == (2, "", False)
    assert done.stderr.startswith(f"iid: -o {out} is not of the --format png\n")
    assert "end the file's name in .png" in done.stderr
    assert run(*words, "exr32").exit_code == 0
    assert read_photo(out).bits == 32


@pytest.mark.parametrize("suffix", [".bmp", ".GIF", ".heic", ".dng"])
def test_a_picture_that_cannot_be_written_is_no_folder(
    suffix: str, photo: str, tmp_path: Path
) -> None:
    out = tmp_path / f"v{suffix}"
    words = (photo, *RETINEX, "--layers", "albedo", "-o", str(out))
    done = run(*words)
    assert (done.exit_code, done.stdout, out.exists()) == (2, "", False)
    assert done.stderr.startswith(f"iid: layers cannot be written as {suffix}\n")
    assert ".png, .jpg, .webp, .tiff, .exr, .npz" in done.stderr
    out.mkdir()
    assert run(*words).exit_code == 0


def test_a_file_is_for_one_layer_and_no_input(photo: str, tmp_path: Path) -> None:
    before = Path(photo).read_bytes()
    assert run(photo, *RETINEX, "-o", str(tmp_path / "a.png")).exit_code == 2
    done = run(photo, *RETINEX, "--layers", "albedo", "-o", photo)
    assert done.exit_code == 2
    assert "is an input" in done.stderr
    assert Path(photo).read_bytes() == before
    done = run(photo, photo + "x", *RETINEX, "--layers", "albedo", "-o", str(tmp_path / "a.png"))
    assert done.exit_code == 2
    done = run(photo, *RETINEX, "--layers", "albedo", "-o", f"{photo}/a.png")
    assert done.exit_code == 2
    assert "is not a folder" in done.stderr


@pytest.mark.parametrize("out", ["one.png", "one.npz", "-"])
def test_what_is_no_layer_goes_into_no_layer_file(out: str, photo: str, tmp_path: Path) -> None:
    where = out if out == "-" else str(tmp_path / out)
    for name, kind in {"mesh": "mesh", "camera": "record", "turntable": "animation"}.items():
        done = run(photo, "-m", "blob", "--layers", name, "-o", where)
        assert (done.exit_code, done.stdout) == (2, "")
        assert f"`-o {where}` writes a layer, and {name} of blob is a {kind}" in done.stderr
        assert "give -o a folder" in done.stderr
    done = run(photo, "-m", "blob", "--layers", "none", "-o", where)
    assert (done.exit_code, "has no layer 'none'" in done.stderr) == (2, True)
    assert [path.name for path in tmp_path.iterdir()] == ["photo.png"]


def test_one_file_of_all_layers_leaves_no_mesh_behind(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "all.npz"
    done = run(photo, "-m", "blob", "-o", str(out))
    assert (done.exit_code, done.stdout, out.exists()) == (2, "", False)
    assert "and mesh of blob is a mesh" in done.stderr
    assert done.stderr.endswith(", or say which: --layers mask,render\n")


@pytest.mark.parametrize("out", ["one.png", "-"])
def test_one_file_is_no_place_for_a_preview(out: str, photo: str, tmp_path: Path) -> None:
    where = out if out == "-" else str(tmp_path / out)
    done = run(photo, *RETINEX, "--layers", "albedo", "-o", where, "--preview")
    assert (done.exit_code, done.stdout) == (2, "")
    assert "leave out --preview" in done.stderr


def test_a_folder_may_be_called_like_a_file(photo: str, tmp_path: Path) -> None:
    folder = tmp_path / "layers.png"
    folder.mkdir()
    assert run(photo, *RETINEX, "-o", str(folder)).exit_code == 0
    assert (folder / "photo.iid.json").exists()


@pytest.mark.parametrize(("word", "suffix"), [("PNG", "png"), ("tif", "tiff"), ("JPEG", "jpg")])
def test_formats_have_other_names(word: str, suffix: str, photo: str, tmp_path: Path) -> None:
    done = run(photo, *RETINEX, "-o", str(tmp_path / "out"), "--format", word)
    assert done.exit_code == 0, done.output
    assert (tmp_path / f"out/photo.albedo.{suffix}").exists()
    assert run(photo, *RETINEX, "--format", "bmp").exit_code == 2


def test_a_preview_is_printed_when_it_is_written(photo: str, tmp_path: Path) -> None:
    words = (photo, *RETINEX, "-o", str(tmp_path / "out"))
    assert "photo.preview" not in run(*words).stdout
    sheet = str(tmp_path / "out/photo.preview.png")
    assert run(*words, "--preview").stdout.split() == [sheet]
    assert run(*words, "--preview").stdout == ""


def test_names_are_made_by_a_pattern(photo: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert run(photo, *RETINEX, "-o", str(out), "--name", "{stem}.{method}.{layer}").exit_code == 0
    assert (out / "photo.retinex.albedo.png").exists()
    done = run(photo, *RETINEX, "-o", str(out), "--name", "{photo}")
    assert done.exit_code == 2
    assert "{stem}" in done.stderr


def test_light_that_half_precision_cannot_hold_is_told(tmp_path: Path) -> None:
    bright = np.full((16, 16, 3), 0.5, np.float32)
    bright[4:8] = 3e5
    path = tmp_path / "bright.exr"
    write_exr(path, bright, bits=32)
    words = (str(path), *RETINEX, "-o", str(tmp_path / "out"))
    done = run(*words, "--format", "exr")
    assert done.exit_code == 0, done.output
    facts = json.loads((tmp_path / "out/bright.iid.json").read_text())
    clipped = [name for name, entry in facts["outputs"].items() if entry.get("clipped")]
    assert clipped
    assert f"of {clipped[0]} is beyond what half precision holds and was clipped" in done.stderr
    assert "--format exr32" in done.stderr
    done = run(*words, "--format", "exr32")
    assert "clipped" not in done.stderr
    facts = json.loads((tmp_path / "out/bright.iid.json").read_text())
    assert not any(entry.get("clipped") for entry in facts["outputs"].values())
