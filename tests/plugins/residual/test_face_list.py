"""Lists of faces, made and read, on a tiny made-up copy of the synthetic faces."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from iid_residual.data.face_files import (
    decode_normals,
    light_of_house,
    normals_of_house,
    shading_of,
)
from iid_residual.data.face_folders import open_celeba, open_faces, open_sfsnet
from iid_residual.data.source import KEYS, require_truth
from iid_residual.data.write_lists import write_celeba_lists, write_sfsnet_lists
from intrinsic_cli.api import DataError, Silent
from intrinsic_cli.kit.data import harmonics
from intrinsic_cli.kit.data.missing_files import MissingFilesError
from intrinsic_cli.kit.files.opencv import cv2

LIGHT = np.zeros(27, np.float32)
LIGHT[[0, 9, 18]] = 0.6  # ambient
LIGHT[[1, 10, 19]] = 0.2  # from the viewer


def write(path: Path, pixel: tuple[int, int, int]) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    cv2.imwrite(str(path), np.full((16, 16, 3), pixel[::-1], np.uint8))


@pytest.fixture
def faces(tmp_path: Path) -> Path:
    shading = 0.6 * np.sqrt(np.pi) / 2 + 0.2 * np.sqrt(np.pi / 3)
    for split in ("train", "test"):
        for number in ("000041", "000042"):
            base = tmp_path / split / "0003"
            values = {
                "albedo": (200, 150, 100),
                "normal": (128, 128, 255),
                "depth": (9, 9, 9),
                "mask": (255,) * 3,
            }
            values["face"] = tuple(round(shading * v) for v in values["albedo"])
            for kind, pixel in values.items():
                write(base / f"{number}_{kind}_1_3.png", pixel)
            (base / f"{number}_light_1_3.txt").write_text("\t".join(map(str, LIGHT)))
    (tmp_path / "test/0003/000042_depth_1_3.png").unlink()
    return tmp_path


def test_lists_hold_complete_sixes_with_relative_paths(faces: Path) -> None:
    assert write_sfsnet_lists(faces, faces, Silent()) == 3
    lines = (faces / "train.csv").read_text().splitlines()
    assert lines[0] == ",albedo,normal,depth,mask,face,light,name"
    assert lines[1].startswith("0,0003/000041_albedo_1_3.png,0003/000041_normal_1_3.png")
    assert len((faces / "test.csv").read_text().splitlines()) == 2


def test_a_face_is_albedo_times_the_shading_of_its_light(faces: Path, tmp_path: Path) -> None:
    elsewhere = tmp_path / "lists"
    write_sfsnet_lists(faces, elsewhere, Silent())
    data = open_sfsnet(elsewhere)
    (case,) = data.cases()
    assert np.abs(case.truth["albedo"] * case.truth["shading"] - case.photo).max() < 0.003
    assert case.truth["normals"][0, 0] == pytest.approx([0, 0, 1])
    assert case.mask.all()
    assert data.offers == KEYS
    batch = next(data.batches("train", 2, 8))
    assert batch.keys() == KEYS
    assert batch["label"].tolist() == [[1], [1]]
    assert batch["normals"].shape == (2, 3, 8, 8)
    assert batch["light"].shape == (2, 27)


def test_a_round_face_is_its_albedo_under_its_light(faces: Path) -> None:
    """SH(N, L) · A with all 27 coefficients, in the files' axes: x down, y right."""
    rng = np.random.default_rng(1)
    down, right = (np.mgrid[:16, :16] + 0.5) / 8 - 1
    inside = down**2 + right**2 < 0.8
    normals = np.stack([down, right, np.sqrt(np.maximum(1 - down**2 - right**2, 0))], axis=2)
    codes = np.rint(normals * 127 + 128).clip(0, 255)
    x, y, z = np.moveaxis((codes - 128) / np.linalg.norm(codes - 128, axis=2, keepdims=True), 2, 0)
    c1, c2, c3, c4, c5 = 0.8862269, 1.0233267, 0.2477080, 0.8580855, 0.4290428
    basis = [c1 + 0 * x, c2 * z, c2 * x, c2 * y, c3 * (2 * z * z - x * x - y * y)]
    basis += [c4 * x * z, c4 * y * z, c5 * (x * x - y * y), c4 * x * y]
    light = rng.normal(0, 0.06, (3, 9)) + np.eye(9)[0] * 0.7
    shading = np.stack(basis, axis=2) @ light.T
    albedo = rng.uniform(60, 200, (16, 16, 3)).round()
    place = faces / "test" / "0003"
    planes = {
        "normal": codes,
        "albedo": albedo,
        "face": (albedo * shading).round().clip(0, 255),
        "mask": np.repeat(inside[..., None] * 255.0, 3, axis=2),
    }
    for kind, plane in planes.items():
        bgr = plane[..., ::-1].astype(np.uint8)
        cv2.imwrite(str(place / f"000041_{kind}_1_3.png"), bgr)
    (place / "000041_light_1_3.txt").write_text("\t".join(map(str, light.flatten())))
    write_sfsnet_lists(faces, faces, Silent())
    (case,) = open_sfsnet(faces).cases()
    assert (case.mask == inside).all()
    made = case.truth["albedo"] * case.truth["shading"]
    assert np.abs(made - case.photo)[inside].max() < 0.004
    ours = harmonics.shade(case.truth["normals"], case.facts["light"])
    assert np.abs(ours * case.truth["albedo"] - case.photo)[inside].max() < 0.004


def test_normals_come_with_x_right_and_y_up(faces: Path) -> None:
    write(
        faces / "test/0003/000041_normal_1_3.png", (128, 255, 128)
    )  # the files' second axis points right
    write_sfsnet_lists(faces, faces, Silent())
    assert open_sfsnet(faces).cases()[0].truth["normals"][0, 0] == pytest.approx([1, 0, 0])
    assert decode_normals(np.full((1, 1, 3), 255 / 255, np.float32))[0, 0] == pytest.approx(
        [3**-0.5] * 3
    )


def test_harmonics_by_hand() -> None:
    light = np.zeros(27, np.float32)
    light[[2, 9 + 6]] = 1
    x, y, z = (np.float32(v) for v in (0.6, 0.0, 0.8))
    found = shading_of(np.array([[[x, y, z]]], np.float32), light)[0, 0]
    assert found == pytest.approx([1.0233267 * 0.6, 0, 0], abs=1e-6)


def test_light_in_our_axes_gives_the_shading_of_the_files() -> None:
    rng = np.random.default_rng(0)
    vectors = rng.normal(size=(5, 7, 3)).astype(np.float32)
    theirs = vectors / np.linalg.norm(vectors, axis=-1, keepdims=True)
    light = rng.normal(size=27).astype(np.float32)
    ours = harmonics.shade(normals_of_house(theirs), light_of_house(light))
    np.testing.assert_allclose(ours, shading_of(theirs, light), atol=1e-5)


def test_mistakes_are_named(faces: Path, tmp_path: Path) -> None:
    with pytest.raises(DataError, match=r"neither train\.csv nor test\.csv") as told:
        open_sfsnet(faces)
    assert "prepare sfsnet" in told.value.hint
    write_sfsnet_lists(faces, faces, Silent())
    (faces / "train/0003/000042_light_1_3.txt").write_text("1 2 3")
    with pytest.raises(DataError, match="does not hold 27 numbers"):
        list(open_sfsnet(faces).cases("train"))
    (faces / "train/0003/000041_albedo_1_3.png").unlink()
    lacking = r"sfsnet at .* lacks train.0003.000041_albedo_1_3\.png$"
    with pytest.raises(MissingFilesError, match=lacking) as caught:
        open_sfsnet(faces)
    assert caught.value.rest.counts("train") == {"photo": 1}
    with pytest.raises(MissingFilesError, match=lacking.replace("sfsnet", "faces")):
        open_sfsnet(Path(f"{faces},{faces}"))
    with pytest.raises(DataError, match="holds no faces"):
        write_sfsnet_lists(tmp_path / "nothing", tmp_path, Silent())


def test_a_missing_file_elsewhere_is_named_whole(faces: Path, tmp_path: Path) -> None:
    lists = tmp_path / "lists"
    write_sfsnet_lists(faces, lists, Silent())
    gone = faces / "train/0003/000041_albedo_1_3.png"
    gone.unlink()
    with pytest.raises(MissingFilesError) as caught:
        open_sfsnet(lists)
    assert f"lacks {gone.resolve()}" in caught.value.message


def test_celeba_has_photos_only(tmp_path: Path) -> None:
    for split in ("train", "test"):
        write(tmp_path / split / "a" / "all" / "7.jpg", (90, 90, 90))
    assert write_celeba_lists(tmp_path, tmp_path, Silent()) == 2
    data = open_celeba(tmp_path)
    assert data.cases()[0].truth == {}
    batch = next(data.batches("train", 1, 8))
    assert batch.keys() == KEYS
    assert batch["label"].item() == 0
    assert "stage real" in data.notes[0]


def test_predicted_layers_have_no_mask(tmp_path: Path) -> None:
    for kind in ("face", "albedo", "normal"):
        write(tmp_path / "train" / f"1_2_{kind}.png", (128, 128, 255))
    (tmp_path / "train" / "1_2_light.txt").write_text(" ".join(map(str, LIGHT)))
    assert write_celeba_lists(tmp_path, tmp_path, Silent()) == 1
    assert ",None,None," in (tmp_path / "train.csv").read_text()
    case = open_celeba(tmp_path).cases("train")[0]
    assert case.mask.all()
    assert "normals" in case.truth
    data = open_celeba(tmp_path)
    assert next(data.batches("train", 1, 8))["label"].item() == 1
    assert data.notes == ()


def test_any_folder_of_faces_will_do(tmp_path: Path) -> None:
    for number in range(30):
        write(tmp_path / "some" / f"{number}.png", (90 + number, 90, 90))
    data = open_faces(tmp_path)
    assert data.counts("train")["photo"] + data.counts("val")["photo"] == 30
    assert 0 < data.counts("val")["photo"] < 10
    batch = next(data.batches("val", 4, 8))
    assert batch["photo"].mean() == pytest.approx((90 / 255) ** 2.2, abs=0.03)
    assert batch["label"].sum() == batch["albedo"].sum() == batch["light"].abs().sum() == 0
    assert batch["mask"].all()
    (tmp_path / "empty").mkdir()
    with pytest.raises(DataError, match="no photos of faces"):
        open_faces(tmp_path / "empty")
    with pytest.raises(DataError, match="no folder of faces"):
        open_faces(tmp_path / "nowhere")


def test_the_first_stage_needs_truth(tmp_path: Path) -> None:
    write(tmp_path / "a.png", (90, 90, 90))
    photos = open_faces(tmp_path)
    with pytest.raises(DataError, match="faces has no truth") as told:
        require_truth(photos, "synthetic")
    assert "--stage real" in told.value.hint


def test_photos_stand_beside_faces_with_truth(faces: Path, tmp_path: Path) -> None:
    photos = tmp_path / "photos"
    for number in range(3):
        write(photos / f"{number}.png", (90, 90, 90))
    write_sfsnet_lists(faces, faces, Silent())
    for data in (open_sfsnet(Path(f"{faces},{photos}")), open_faces(Path(f"{photos},{faces}"))):
        batches = data.batches("train", 8, 8)
        labels = np.concatenate([next(batches)["label"].numpy() for _ in range(5)])
        assert 0.25 < labels.mean() < 0.75
        assert data.counts("train")["other photo"] >= 2
        again = next(data.batches("train", 8, 8, start=3))
        third = next(batch for n, batch in enumerate(data.batches("train", 8, 8)) if n == 3)
        assert all(again[key].equal(third[key]) for key in KEYS)
        assert next(data.batches("val", 8, 8))["label"].all()
        require_truth(data, "synthetic")
    assert open_sfsnet(faces).first(1).counts("train") == {"photo": 1}


def test_the_word_none_is_no_file(faces: Path) -> None:
    """Whoever reads the lists otherwise takes None for a number that is missing."""
    write_sfsnet_lists(faces, faces, Silent())
    page = (faces / "train.csv").read_text()
    mask = "0003/000041_mask_1_3.png"
    assert mask in page
    (faces / "train.csv").write_text(page.replace(mask, "None"))
    write(faces / "train" / mask, (0, 0, 0))
    cases = open_sfsnet(faces).cases("train")
    assert cases[0].mask.all()
    assert cases[0].truth.keys() == {"albedo", "normals", "shading"}


def test_lists_come_in_the_same_order_however_files_lie(faces: Path, tmp_path: Path) -> None:
    write_sfsnet_lists(faces, tmp_path / "one", Silent())
    files = sorted((faces / "train" / "0003").iterdir(), reverse=True)
    for path in files:
        path.touch()
    write_sfsnet_lists(faces, tmp_path / "two", Silent())
    pages = [(tmp_path / name / "train.csv").read_text() for name in ("one", "two")]
    assert pages[0] == pages[1]
    names = [line.rsplit(",", 1)[1] for line in pages[0].splitlines()[1:]]
    assert names == ["0003_000041_1_3", "0003_000042_1_3"]
