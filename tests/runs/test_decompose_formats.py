"""Photos of any colour space and depth are taken apart as the same photo; what describes them goes
on to their layers."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from decomposing import go, statuses, tell
from PIL import Image, ImageFilter

from intrinsic_cli.api import UsageError
from intrinsic_cli.kit.files import sidecar
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.colour import srgb_to_linear

sys.path.append(str(Path(__file__).parents[1] / "kit" / "files"))

from profiles import ADOBE, PROPHOTO, from_srgb, gamma, rgb_profile
from test_exr_layers import channels_of

RNG = np.random.default_rng(0)
NOISE = Image.fromarray(RNG.integers(0, 256, (40, 56, 3), dtype=np.uint8))
CODES = np.asarray(NOISE.filter(ImageFilter.GaussianBlur(3)))
SCENE = srgb_to_linear(CODES / 255)


def albedo(path: Path, out: Path, **more: Any) -> Any:
    report = go(path, out=out, format="tiff", **more)
    assert statuses(report)["done"] == 1, report.inputs[0].error
    return read_photo(Path(report.inputs[0].layers["albedo"])).pixels


def adobe(path: Path) -> Path:
    codes = np.round(from_srgb(SCENE, ADOBE) ** (256 / 563) * 255).astype(np.uint8)
    exif = Image.Exif()
    exif[271], exif[274], exif[33432] = "House", 6, "(c) somebody"
    profile = rgb_profile(ADOBE, gamma(563 / 256), "Adobe RGB (1998)")
    options: dict[str, Any] = {"icc_profile": profile, "exif": exif}
    Image.fromarray(np.rot90(codes)).save(path, **options)
    return path


def prophoto(path: Path) -> Path:
    import tifffile

    codes = np.round(from_srgb(SCENE, PROPHOTO) ** (256 / 461) * 65535).astype(np.uint16)
    profile = rgb_profile(PROPHOTO, gamma(461 / 256), "ProPhoto RGB")
    tifffile.imwrite(path, codes, photometric="rgb", iccprofile=profile)
    return path


def heic(path: Path) -> Path:
    library = pytest.importorskip("pillow_heif")
    size = (CODES.shape[1], CODES.shape[0])
    library.from_bytes("RGB", size, CODES.tobytes()).save(path, quality=-1, chroma=444)
    return path


@pytest.mark.parametrize(
    ("name", "make", "most"),
    [("a.png", adobe, 0.012), ("b.tif", prophoto, 3e-4), ("c.heic", heic, 0.02)],
)
def test_the_colour_space_does_not_matter(
    name: str, make: Any, most: float, tmp_path: Path
) -> None:
    NOISE.filter(ImageFilter.GaussianBlur(3)).save(tmp_path / "plain.png")
    plain = albedo(tmp_path / "plain.png", tmp_path / "plain")
    out = tmp_path / "out"
    mine = albedo(make(tmp_path / name), out)
    assert np.abs(mine - plain).max() < most
    facts = sidecar.read(out / f"{Path(name).stem}.iid.json")
    assert facts is not None
    wanted = {"a.png": "Adobe RGB (1998)", "b.tif": "ProPhoto RGB"}.get(name)
    assert facts.get("profile") == wanted
    assert facts["encoding"] == ("icc" if wanted else "srgb")


def test_metadata_are_kept_or_stripped(tmp_path: Path) -> None:
    photo = adobe(tmp_path / "a.png")
    go(photo, out=tmp_path / "out")
    with Image.open(tmp_path / "out/a.albedo.png") as layer:
        exif = layer.getexif()
        assert (exif[271], exif[274], exif[33432]) == ("House", 1, "(c) somebody")
        assert layer.size == (56, 40)
        assert "srgb" in layer.info
    assert statuses(go(photo, out=tmp_path / "out"))["skipped"] == 1
    assert statuses(go(photo, out=tmp_path / "out", metadata="strip"))["done"] == 1
    with Image.open(tmp_path / "out/a.albedo.png") as layer:
        assert not layer.getexif()
        assert "srgb" not in layer.info
    with pytest.raises(UsageError, match="choice of metadata"):
        go(photo, out=tmp_path / "out", metadata="some")


def test_one_exr_of_the_photo_and_its_layers(tmp_path: Path) -> None:
    photo = adobe(tmp_path / "a.png")
    report = go(photo, out=tmp_path / "out", exr_multilayer=True)
    path = tmp_path / "out/a.exr"
    assert report.inputs[0].layers == {"albedo": str(path), "shading": str(path)}
    assert report.inputs[0].written == (str(path),)
    planes = channels_of(path)
    assert {"R", "G", "B", "albedo.R", "shading.R"} <= planes.keys()
    rebuilt = planes["albedo.G"].astype(np.float32) * planes["shading.G"]
    assert np.allclose(rebuilt, planes["G"], atol=2e-3)
    again = go(photo, out=tmp_path / "out", exr_multilayer=True)
    assert statuses(again)["skipped"] == 1
    later = go(photo, out=tmp_path / "out", exr_multilayer=True, preview=True)
    preview = str(tmp_path / "out/a.preview.png")
    assert later.inputs[0].written == (preview,), "made of the layers in the EXR"
    full = go(photo, out=tmp_path / "full", exr_multilayer=True, format="exr32")
    assert channels_of(Path(full.inputs[0].layers["albedo"]))["albedo.R"].dtype == np.float32
    with pytest.raises(UsageError, match="do not go together"):
        go(photo, out=tmp_path / "out", exr_multilayer=True, format="tiff")
    with OpenEXR.File(str(path), header_only=True) as file:
        assert len(file.parts) == 1


def test_photos_of_too_many_pixels_are_refused_one_by_one(tmp_path: Path) -> None:
    NOISE.save(tmp_path / "large.png")
    NOISE.crop((0, 0, 20, 20)).save(tmp_path / "small.png")
    report = go(tmp_path, out=tmp_path / "out", max_pixels=1000)
    assert statuses(report) == {"done": 1, "skipped": 0, "failed": 1}
    error = report.inputs[0].error
    assert "56x40 pixels, more than are allowed" in error
    assert "--max-pixels" in error
    assert statuses(go(tmp_path, out=tmp_path / "out"))["failed"] == 0
    with pytest.raises(UsageError, match="at least 1"):
        go(tmp_path, out=tmp_path / "out", max_pixels=0)


def test_what_a_profile_costs_is_told(tmp_path: Path) -> None:
    broken = rgb_profile(ADOBE, gamma(2.2))[:150]
    Image.fromarray(CODES).save(tmp_path / "a.png", icc_profile=broken)
    report, notes = tell(tmp_path / "a.png", out=tmp_path / "out")
    sentence = "its colour profile cannot be followed and was passed over"
    assert sentence in notes
    assert report.inputs[0].notes == (sentence,)
    facts = sidecar.read(tmp_path / "out/a.iid.json")
    assert facts is not None
    assert facts["notes"] == [sentence]


def test_deep_layers_are_tagged_too(tmp_path: Path) -> None:
    photo = adobe(tmp_path / "a.png")
    go(photo, out=tmp_path / "out", format="png16")
    layer = cv2.imread(str(tmp_path / "out/a.albedo.png"), cv2.IMREAD_UNCHANGED)
    assert layer.dtype == np.uint16
    assert b"sRGB" in (tmp_path / "out/a.albedo.png").read_bytes()[:60]
