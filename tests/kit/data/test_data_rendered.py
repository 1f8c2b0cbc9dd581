"""MPI Sintel, Hypersim and CGIntrinsics on tiny made-up copies of their layouts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch

from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.kit.data.cgintrinsics import divide, open_cgintrinsics
from intrinsic_cli.kit.data.hypersim.reader import open_hypersim
from intrinsic_cli.kit.data.hypersim.recipe import shading_from_albedo, tonemap
from intrinsic_cli.kit.data.hypersim.write_frames import make_frame, read_rendering, write_frames
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.data.readers import all_cases
from intrinsic_cli.kit.data.sintel import open_images, open_sintel
from intrinsic_cli.kit.files.exr import write_exr
from intrinsic_cli.kit.files.opencv import cv2


def write(path: Path, value: int = 100, size: tuple[int, int] = (20, 24)) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((*size, 3), value, np.uint8))


@pytest.fixture
def film(tmp_path: Path) -> Path:
    for scene in ("alley_1", "bamboo_2", "cave_3"):
        for frame in (1, 2):
            for layer, value in (("clean", 51), ("albedo", 102), ("shading", 128)):
                write(tmp_path / "training" / layer / scene / f"frame_000{frame}.png", value)
    return tmp_path


def test_sintel_is_split_by_scene_or_by_image(film: Path) -> None:
    assert [case.name for case in open_sintel(film).cases()] == [
        "bamboo_2_frame_0001",
        "bamboo_2_frame_0002",
    ]
    assert [case.name[-1] for case in open_images(film).cases()] == ["2", "2", "2"]
    case = open_sintel(film / "training").cases("train")[0]
    assert case.photo[0, 0, 0] == pytest.approx(0.2)  # as stored
    assert case.truth["shading"].shape == (20, 24, 1)
    batch = next(open_sintel(film).batches("train", 2, 16))
    assert batch["albedo"].shape == (2, 3, 16, 16)


def test_supplied_lists_say_what_is_held_out(film: Path) -> None:
    (film / "scene-test.txt").write_text("cave_3\nalley_1/frame_0002.png\n")
    names = [case.name for case in open_sintel(film).cases()]
    assert names == ["alley_1_frame_0002", "cave_3_frame_0001", "cave_3_frame_0002"]
    (film / "scene-test.txt").write_text("market_5\n")
    with pytest.raises(DataError, match="not there, such as market_5"):
        open_sintel(film)


def test_half_a_film_is_told(film: Path) -> None:
    (film / "training/shading/cave_3/frame_0002.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks shading.cave_3.frame_0002\.png") as caught:
        open_sintel(film)
    left = [case.name for case in all_cases(caught.value.rest)]
    assert len(left) == 5
    assert "cave_3_frame_0002" not in left
    with pytest.raises(DataError, match="holds no MPI Sintel frames"):
        open_sintel(film / "elsewhere")


@pytest.fixture
def renderings(tmp_path: Path) -> Path:
    rng = np.random.default_rng(0)
    for scene in ("ai_001_001", "ai_001_002"):
        folder = tmp_path / "raw" / scene / "images" / "scene_cam_00_final_hdf5"
        folder.mkdir(parents=True)
        for kind in ("color", "diffuse_reflectance"):
            layer = rng.uniform(0.1, 0.9, (300, 400, 3)).astype(np.float32)
            write_exr(folder / f"frame.0003.{kind}.exr", layer * (7 if kind == "color" else 1))
    return tmp_path / "raw"


def test_prepared_frames_are_read_back(renderings: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    assert write_frames(renderings, out, Silent()) == 2
    assert write_frames(renderings, out, Silent()) == 0
    data = open_hypersim(out)
    assert sum(data.counts(split)["photo"] for split in ("train", "val")) == 2
    case = data.cases()[0]
    assert case.name.startswith("ai_001_00")
    assert case.photo.shape == (256, 256, 3)
    assert case.truth["shading"].shape == (256, 256, 1)
    assert case.photo.max() <= 1
    next(out.glob("ai_001_002/images/*/*.shading.exr")).unlink()
    lacking = r"Hypersim at .* lacks .*frame\.0003\.shading\.exr"
    with pytest.raises(MissingFilesError, match=lacking) as caught:
        open_hypersim(out)
    (left,) = all_cases(caught.value.rest)
    assert left.name.startswith("ai_001_001")


def test_frames_are_tone_mapped_then_divided_then_resized() -> None:
    made = torch.Generator().manual_seed(0)
    light, albedo = (
        torch.rand(1, 3, 40, 60, generator=made) * 5,
        torch.rand(1, 3, 40, 60, generator=made),
    )
    photo, _, shading = make_frame(light, albedo, None, side=40)
    torch.testing.assert_close(photo, tonemap(light)[..., 10:50])
    torch.testing.assert_close(shading, shading_from_albedo(tonemap(light), albedo)[..., 10:50])


def test_missing_renderings_are_named(renderings: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="holds no Hypersim renderings"):
        write_frames(tmp_path / "nothing", tmp_path, Silent())
    next(renderings.glob("ai_001_001/images/*/*.diffuse_reflectance.exr")).unlink()
    with pytest.raises(DataError, match=r"lacks .*diffuse_reflectance\.exr"):
        write_frames(renderings, tmp_path, Silent())


def test_hdf5_is_read_where_h5py_is(tmp_path: Path) -> None:
    h5py = pytest.importorskip("h5py")
    with h5py.File(tmp_path / "x.hdf5", "w") as file:
        file["dataset"] = np.ones((2, 3, 3), np.float16)
    assert read_rendering(tmp_path / "x.hdf5").shape == (2, 3, 3)


@pytest.fixture
def rooms(tmp_path: Path) -> Path:
    for scene in ("aa", "bb"):
        for name, value in (("1_mlt", 150), ("1_mlt_albedo", 120), ("1_mlt_mask", 255)):
            write(tmp_path / "images" / scene / f"{name}.png", value, (40, 48))
    return tmp_path


def test_cgintrinsics_divides_photo_by_albedo(rooms: Path) -> None:
    data = open_cgintrinsics(rooms)
    case = data.cases()[0]
    assert case.name in ("aa_1_mlt", "bb_1_mlt")
    assert case.photo[0, 0, 0] == pytest.approx((150 / 255) ** 2.2)
    assert case.mask.sum() == (40 - 10) * (48 - 10)  # eroded by 11×11
    assert case.truth["shading"][case.mask] == pytest.approx(1)
    assert next(data.batches("train", 1, 8))["shading"].shape == (1, 3, 8, 8)
    (rooms / "images/aa/1_mlt_mask.png").unlink()
    with pytest.raises(MissingFilesError, match=r"lacks aa.1_mlt_mask\.png") as caught:
        open_cgintrinsics(rooms)
    assert [case.name for case in all_cases(caught.value.rest)] == ["bb_1_mlt"]


def test_division_leaves_out_black_and_glaring_pixels() -> None:
    photo, albedo = np.full((30, 30, 3), 0.5, np.float32), np.full((30, 30, 3), 0.5, np.float32)
    albedo[15, 15], albedo[15, 16], photo[15, 17] = 0, 0.01, 0
    shading, known = divide(photo, albedo, np.ones((30, 30), bool))
    assert known.sum() == 20 * 20 - 3
    assert shading.max() == 1
