"""The reader of your own photos with layers."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import torch
from PIL import Image

from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.kit.data.folder import open_folder
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes


def write(path: Path, image: np.ndarray) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), image[..., ::-1] if image.shape[-1] == 3 else image)


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    for number in range(12):
        rng = np.random.default_rng(number)
        albedo = rng.uniform(0.2, 0.9, (20, 30, 3)).astype(np.float32)
        shading = rng.uniform(0.2, 0.9, (20, 30, 1)).astype(np.float32)
        write(tmp_path / "photo" / f"p{number}.png", encode_codes(albedo * shading, 16))
        write(tmp_path / "albedo" / f"p{number}.png", encode_codes(albedo, 16))
        write(tmp_path / "shading" / f"p{number}.tiff", shading)
    return tmp_path


def test_layers_rebuild_the_photo(photos: Path) -> None:
    for split in ("train", "val"):
        for case in open_folder(photos).cases(split):
            rebuilt = case.truth["albedo"] * case.truth["shading"]
            assert np.abs(rebuilt - case.photo).max() < 1e-4
            assert case.truth["shading"].shape == (20, 30, 1)
            assert case.mask.all()


def test_split_is_stable_and_leaves_nothing_out(photos: Path) -> None:
    names = {
        split: [case.name for case in open_folder(photos).cases(split)]
        for split in ("train", "val")
    }
    assert names["val"]
    assert sorted(names["train"] + names["val"]) == sorted(f"p{i}" for i in range(12))
    for layer in ("photo", "albedo", "shading"):
        next((photos / layer).glob(f"{names['train'][0]}.*")).unlink()
    assert [case.name for case in open_folder(photos).cases("val")] == names["val"]


def test_one_photo_serves_both_splits(photos: Path) -> None:
    for path in [*photos.glob("*/p[1-9]*")]:
        path.unlink()
    folder = open_folder(photos)
    assert (
        [case.name for case in folder.cases("train")]
        == [case.name for case in folder.cases("val")]
        == ["p0"]
    )


@pytest.mark.parametrize("layer", ["albedo/p7.png", "shading/p7.tiff", "mask/p7.png"])
def test_files_of_unlike_sizes_are_found_by_their_headers(photos: Path, layer: str) -> None:
    open_folder(photos).check_files(Silent())
    write(photos / layer, np.ones((20, 29, 1), np.float32 if "tiff" in layer else np.uint16))
    with pytest.raises(DataError, match=r"29×20 pixels, but .*p7\.png has 30×20"):
        open_folder(photos).check_files(Silent())


def test_an_empty_file_is_found_too(photos: Path) -> None:
    (photos / "albedo" / "p3.png").write_bytes(b"")
    with pytest.raises(DataError, match=r"albedo/p3\.png: the file is empty"):
        open_folder(photos).check_files(Silent())


def test_headers_that_mislead_are_no_mistake(photos: Path) -> None:
    """EXIF that turns a picture may stand behind the pixels of a PNG."""
    exif = Image.Exif()
    exif[274] = 6
    turned = Image.new("RGB", (20, 30))
    turned.save(photos / "photo" / "p0.png", exif=exif)
    open_folder(photos).check_files(Silent())


def test_sidecar_scale_applies(photos: Path) -> None:
    plain = {case.name: case for case in open_folder(photos).cases("train")}
    name = next(iter(plain))
    facts = {
        "layers": {
            "albedo": {"encoding": "srgb", "scale": 2.0},
            "shading": {"encoding": "linear", "scale": 0.5},
        }
    }
    (photos / "albedo" / f"{name}.iid.json").write_text(json.dumps(facts))
    scaled = next(case for case in open_folder(photos).cases("train") if case.name == name)
    np.testing.assert_allclose(scaled.truth["albedo"], plain[name].truth["albedo"] * 2)
    np.testing.assert_allclose(
        scaled.truth["shading"], plain[name].truth["shading"]
    )  # another layer's neighbour
    (photos / f"{name}.iid.json").write_text(json.dumps(facts))
    scaled = next(case for case in open_folder(photos).cases("train") if case.name == name)
    np.testing.assert_allclose(scaled.truth["shading"], plain[name].truth["shading"] * 0.5)
    (photos / f"{name}.iid.json").write_text("[]")
    with pytest.raises(DataError, match="not a sidecar"):
        list(open_folder(photos).cases("train"))


def test_masks_and_transparency_leave_pixels_out(photos: Path) -> None:
    mask = np.zeros((20, 30), np.uint8)
    mask[:10] = 255
    name = open_folder(photos).cases()[0].name
    write(photos / "mask" / f"{name}.png", mask)
    assert open_folder(photos).cases()[0].mask.sum() == 300
    photo = np.full((20, 30, 4), 99, np.uint8)
    photo[..., 3] = np.arange(30) * 8
    cv2.imwrite(str(photos / "photo" / f"{name}.png"), photo)
    assert open_folder(photos).cases()[0].mask.sum() == 10 * 14


def test_training_batches_depend_on_seed_and_number_alone(photos: Path) -> None:
    folder = open_folder(photos)
    stream = folder.batches("train", 3, 16, seed=5)
    batches = [next(stream) for _ in range(6)]
    resumed = next(open_folder(photos).batches("train", 3, 16, seed=5, start=4))
    for name in ("photo", "albedo", "shading", "mask"):
        assert torch.equal(batches[4][name], resumed[name])
        assert batches[0][name].shape == (3, 1 if name == "mask" else 3, 16, 16)
        assert batches[0][name].dtype == torch.float32
    assert not torch.equal(batches[0]["photo"], batches[1]["photo"])
    other = next(folder.batches("train", 3, 16, seed=6))
    assert not torch.equal(batches[0]["photo"], other["photo"])


def test_layers_of_a_batch_stay_aligned(photos: Path) -> None:
    batch = next(open_folder(photos).batches("train", 4, 11, seed=1))
    # Crops are resized, and products of averages differ a little from averages of products.
    assert (batch["albedo"] * batch["shading"] - batch["photo"]).abs().mean() < 0.02


def test_validation_is_finite_and_always_the_same(photos: Path) -> None:
    first, again = (list(open_folder(photos).batches("val", 2, 16)) for _ in range(2))
    assert first
    assert all(torch.equal(a["photo"], b["photo"]) for a, b in zip(first, again, strict=True))


def test_mistakes_are_named(photos: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match="nowhere holds no photos with layers"):
        open_folder(tmp_path / "nowhere")
    with pytest.raises(DataError, match="photo holds 12 photos but no layers of them") as told:
        open_folder(photos / "photo")
    assert "photo/, albedo/, shading/" in told.value.hint
    assert f"reflection:{photos / 'photo'}" in told.value.hint
    write(photos / "photo" / "p3.jpg", np.zeros((20, 30, 3), np.uint8))
    with pytest.raises(DataError, match=r"both p3\.jpg and p3\.png"):
        open_folder(photos)
    (photos / "photo" / "p3.jpg").unlink()
    (photos / "shading" / "p7.tiff").unlink()
    with pytest.raises(DataError, match=r"lacks shading/p7\.\*"):
        open_folder(photos)


def test_layers_of_another_size_are_named(photos: Path) -> None:
    for path in (photos / "albedo").glob("*"):
        write(path, np.zeros((9, 9, 3), np.uint8))
    with pytest.raises(
        DataError, match=r"albedo.p\d+\.png has 9×9 pixels, but .*photo.p\d+\.png has 30×20"
    ):
        open_folder(photos).cases()[0]
