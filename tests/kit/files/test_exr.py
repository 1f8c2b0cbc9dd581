"""EXRs as renderers write them: layers, parts, primaries."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import OpenEXR
import pytest
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.exr import read_exr, write_exr
from intrinsic_cli.kit.files.exr_ending import require_ending
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.kit.light.primaries import to_rec709

RNG = np.random.default_rng(0)
BEAUTY, SPECULAR, PLAIN = (RNG.random((9, 12, 3)).astype(np.float32) for _ in range(3))
REC2020 = (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, 0.3127, 0.3290)


def channels(name: str, pixels: NDArray[Any], colours: str = "RGB") -> dict[str, NDArray[Any]]:
    prefix = f"{name}." if name else ""
    return {
        f"{prefix}{colour}": np.ascontiguousarray(pixels[..., at])
        for at, colour in enumerate(colours)
    }


def write(path: Path, planes: Mapping[str, NDArray[Any]], **header: Any) -> Path:
    OpenEXR.File(header, dict(planes)).write(str(path))
    return path


@pytest.fixture
def layered(tmp_path: Path) -> Path:
    planes = {
        **channels("beauty", BEAUTY),
        **channels("light.specular", SPECULAR),
        "beauty.A": np.full((9, 12), 0.25, np.float32),
        "depth.Z": np.ones((9, 12), np.float32),
        "sss.Y": SPECULAR[..., 0].copy(),
    }
    return write(tmp_path / "layers.exr", planes)


def test_a_layer_is_chosen_by_name(layered: Path) -> None:
    photo = read_photo(layered, layer="beauty")
    assert np.array_equal(photo.pixels, BEAUTY)
    assert photo.alpha is not None
    assert (photo.alpha == 0.25).all()
    assert np.array_equal(read_photo(layered, layer="Light.Specular").pixels, SPECULAR)
    gray = read_photo(layered.read_bytes(), layer="sss")
    assert np.array_equal(gray.pixels, SPECULAR[..., :1].repeat(3, axis=2))


def test_without_a_choice_the_layers_are_listed(layered: Path) -> None:
    with pytest.raises(DataError, match=r"layers\.exr: the EXR has several layers") as caught:
        read_photo(layered)
    assert all(name in caught.value.message for name in ("beauty", "light.specular", "sss"))
    assert "depth" not in caught.value.message
    assert caught.value.hint == "name the one to read, such as --exr-layer beauty"
    with pytest.raises(DataError, match="has no layer 'glossy'") as caught:
        read_photo(layered, layer="glossy")
    assert "beauty" in caught.value.hint


def test_the_plain_picture_goes_before_layers(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", {**channels("", PLAIN), **channels("beauty", BEAUTY)})
    assert np.array_equal(read_photo(path).pixels, PLAIN)
    assert np.array_equal(read_photo(path, layer="beauty").pixels, BEAUTY)
    plain = write(tmp_path / "b.exr", channels("", PLAIN))
    with pytest.raises(DataError, match="no layer 'beauty'"):
        read_photo(plain, layer="beauty")


def test_only_an_exr_has_layers(tmp_path: Path) -> None:
    from intrinsic_cli.kit.files.photo import write_png

    write_png(tmp_path / "a.png", np.zeros((3, 4, 3), np.uint8))
    with pytest.raises(DataError, match="no layer 'beauty'"):
        read_photo(tmp_path / "a.png", layer="beauty")


def test_parts_are_layers(tmp_path: Path) -> None:
    parts = [
        OpenEXR.Part({}, channels("", PLAIN), "rgba"),
        OpenEXR.Part({}, channels("", BEAUTY), "beauty"),
        OpenEXR.Part({}, channels("spec", SPECULAR), "other"),
    ]
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    path = tmp_path / "a.exr"
    assert np.array_equal(read_photo(path).pixels, PLAIN)
    assert np.array_equal(read_photo(path, layer="beauty").pixels, BEAUTY)
    assert np.array_equal(read_photo(path, layer="spec").pixels, SPECULAR)


@pytest.mark.parametrize("colours", [("red", "green", "blue"), ("r", "g", "b")])
def test_channels_by_other_names(tmp_path: Path, colours: tuple[str, ...]) -> None:
    planes = {
        f"beauty.{name}": np.ascontiguousarray(BEAUTY[..., at]) for at, name in enumerate(colours)
    }
    path = write(tmp_path / "a.exr", planes)
    assert np.array_equal(read_photo(path, layer="beauty").pixels, BEAUTY)


def test_no_colours_at_all(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", {"Z": PLAIN[..., 0].copy()})
    with pytest.raises(DataError, match="has channels Z but no R, G, B"):
        read_photo(path)


def test_whole_numbers_are_no_light(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", channels("", (PLAIN * 9).astype(np.uint32)))
    with pytest.raises(DataError, match="whole numbers"):
        read_photo(path)


def test_other_primaries_are_converted(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", channels("", PLAIN), chromaticities=REC2020)
    assert np.allclose(read_exr(path.read_bytes()), to_rec709(PLAIN, REC2020), atol=1e-6)
    photo = read_photo(path)
    assert photo.repaired > 0, "colours beyond sRGB are clipped, and told"
    assert photo.pixels.min() == 0
    gray = write(tmp_path / "g.exr", {"Y": PLAIN[..., 0].copy()}, chromaticities=REC2020)
    assert np.array_equal(read_photo(gray).pixels, PLAIN[..., :1].repeat(3, axis=2))


def test_primaries_that_make_no_sense(tmp_path: Path) -> None:
    path = write(tmp_path / "a.exr", channels("", PLAIN), chromaticities=(0.0,) * 8)
    with pytest.raises(DataError, match="span no colours"):
        read_photo(path)


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("masked", [False, True])
def test_both_precisions_come_back(tmp_path: Path, bits: int, masked: bool) -> None:
    alpha = BEAUTY[..., 0] if masked else None
    stored = write_exr(tmp_path / "a.exr", PLAIN * 9, alpha, bits=bits)
    assert stored.dtype == f"float{bits}"
    photo = read_photo(tmp_path / "a.exr")
    assert np.array_equal(photo.pixels, stored.astype(np.float32))
    assert (photo.alpha is not None) == masked


def test_layers_of_one_name_in_two_parts(tmp_path: Path) -> None:
    parts = [
        OpenEXR.Part({}, channels("spec", SPECULAR), "left"),
        OpenEXR.Part({}, channels("spec", BEAUTY), "right"),
    ]
    OpenEXR.File(parts).write(str(tmp_path / "a.exr"))
    assert np.array_equal(read_photo(tmp_path / "a.exr", layer="spec").pixels, SPECULAR)
    assert np.array_equal(read_photo(tmp_path / "a.exr", layer="right.spec").pixels, BEAUTY)


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has a disk that is full")
@pytest.mark.parametrize("side", [4, 200])
def test_a_full_disk_is_an_os_error(side: int) -> None:
    """OpenEXR itself says nothing of what is lost as a small file is closed."""
    layer = RNG.random((side, side, 3)).astype(np.float32)
    with pytest.raises(OSError, match="No space left"):
        write_exr(Path("/dev/full"), layer)


@pytest.mark.parametrize("bits", [16, 32])
def test_a_file_that_breaks_off_is_known(bits: int, tmp_path: Path) -> None:
    path = tmp_path / "a.exr"
    write_exr(path, BEAUTY, SPECULAR[..., 0], bits)
    require_ending(path, len(BEAUTY))
    whole = path.read_bytes()
    for length in (0, 5, 100, len(whole) // 2, len(whole) - 1):
        path.write_bytes(whole[:length])
        with pytest.raises(OSError, match="No space left"):
            require_ending(path, len(BEAUTY))
