"""``--mask``: silhouettes in files of their own, in place of the photos' alpha."""

from __future__ import annotations

import errno
import json
import os
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from click.testing import CliRunner
from decomposing import FLAT, go, statuses
from PIL import Image

from intrinsic_cli.api import DataError, UsageError
from intrinsic_cli.cli import iid
from intrinsic_cli.kit.files.mask import Mask, with_mask
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.photo import read_photo
from intrinsic_cli.runs.decompose import content

HEIGHT, WIDTH = FLAT.shape[:2]
LEFT = np.zeros((HEIGHT, WIDTH), np.uint8)
LEFT[:, : WIDTH // 2] = 255


def save(path: Path, codes: Any) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    Image.fromarray(codes).save(path)
    return path


def alpha_of(path: Path) -> Any:
    return read_photo(path).alpha


def test_a_mask_takes_the_place_of_alpha(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", FLAT)
    report = go(photo, out=tmp_path / "out", mask=save(tmp_path / "m.png", LEFT))
    assert np.array_equal(alpha_of(tmp_path / "out/a.albedo.png"), LEFT / np.float32(255))
    sidecar = json.loads(Path(report.inputs[0].sidecar).read_text())
    assert sidecar["mask"] == "m.png"


def test_masks_of_a_folder_go_by_stem(tmp_path: Path) -> None:
    for name in ("a", "b", "deep/c"):
        save(tmp_path / f"photos/{name}.png", FLAT[..., :3])
    save(tmp_path / "masks/a.png", LEFT)
    save(tmp_path / "masks/deep/c.mask.png", 255 - LEFT)
    given = {"mask": tmp_path / "masks", "recursive": True, "out": tmp_path / "out"}
    report = go(tmp_path / "photos", **given)
    assert statuses(report) == {"done": 2, "skipped": 0, "failed": 1}
    (failed,) = (item for item in report.inputs if item.status == "failed")
    assert failed.error == f"there is no mask of it in {tmp_path / 'masks'} (call it b.png)"
    assert alpha_of(tmp_path / "out/a.albedo.png")[0, 0] == 1
    assert alpha_of(tmp_path / "out/deep/c.albedo.png")[0, 0] == 0


@pytest.mark.parametrize("name", ["a_mask.png", "a.mask.png", "a.tif"])
def test_a_mask_may_lie_beside_its_photo(tmp_path: Path, name: str) -> None:
    photo = save(tmp_path / "in/a.png", FLAT[..., :3])
    save(tmp_path / "in" / name, LEFT)
    (tmp_path / "link").symlink_to(tmp_path / "in", target_is_directory=True)
    for place in ("in", "link"):
        (one,) = go(photo, out=tmp_path / place / "out", mask=tmp_path / place).inputs
        assert json.loads(Path(one.sidecar).read_text())["mask"] == name
        assert alpha_of(tmp_path / place / "out/a.albedo.png").mean() == 0.5


def test_a_photo_is_not_its_own_mask(tmp_path: Path) -> None:
    photo = save(tmp_path / "a.png", FLAT[..., :3])
    (one,) = go(photo, out=tmp_path / "out", mask=tmp_path).inputs
    assert one.error == f"there is no mask of it in {tmp_path} (call it a_mask.png)"


def test_another_mask_makes_a_photo_be_done_again(tmp_path: Path) -> None:
    photo, out = save(tmp_path / "a.png", FLAT[..., :3]), tmp_path / "out"
    mask = save(tmp_path / "m.png", LEFT)
    told = [go(photo, out=out, mask=place).inputs[0].status for place in (mask, mask, None, mask)]
    assert told == ["done", "skipped", "done", "done"]
    save(mask, 255 - LEFT)
    assert go(photo, out=out, mask=mask).inputs[0].status == "done"


def test_a_mask_that_is_none_is_told_early(tmp_path: Path) -> None:
    photos = [save(tmp_path / f"{name}.png", FLAT[..., :3]) for name in "ab"]
    with pytest.raises(DataError, match="there is no mask at"):
        go(photos[0], out=tmp_path / "out", mask=tmp_path / "none.png")
    with pytest.raises(UsageError, match="is one mask for 2 photos"):
        go(*photos, out=tmp_path / "out", mask=save(tmp_path / "m.png", LEFT))


def test_on_the_command_line(tmp_path: Path) -> None:
    photo, mask = save(tmp_path / "a.png", FLAT[..., :3]), save(tmp_path / "m.png", LEFT)
    words = ["decompose", str(photo), "-m", "retinex", "-o", str(tmp_path / "out")]
    done = CliRunner().invoke(iid, [*words, "--mask", str(mask), "--device", "cpu"])
    assert done.exit_code == 0, done.output
    assert alpha_of(tmp_path / "out/a.albedo.png").mean() == 0.5


MASKS = {
    "gray": LEFT,
    "colour": np.stack([LEFT] * 3, 2),
    "one": LEFT // 255,
    "deep": LEFT.astype(np.uint16) * 257,
    "cut-out": np.dstack([np.full((HEIGHT, WIDTH, 3), 77, np.uint8), LEFT]),
    "large": LEFT.repeat(2, 0).repeat(2, 1),
}


@pytest.mark.parametrize("name", MASKS)
def test_masks_of_every_kind(name: str, tmp_path: Path) -> None:
    data = save(tmp_path / "m.png", MASKS[name]).read_bytes()
    photo = read_photo(save(tmp_path / "a.png", FLAT))
    alpha = with_mask(photo, data).alpha
    assert alpha is not None
    assert np.abs(alpha - LEFT / 255).mean() < 0.02


@pytest.mark.parametrize("size", [(40, 52), (17, 23), (131, 140), (40, 53), (41, 52)])
def test_rows_of_a_resized_mask_are_those_that_opencv_makes(
    size: tuple[int, int], tmp_path: Path
) -> None:
    mask = Mask(save(tmp_path / "m.png", FLAT[..., 0]).read_bytes())
    codes = FLAT[..., 0] / np.float32(255)
    meant = cv2.resize(codes, size[::-1], interpolation=cv2.INTER_LINEAR)
    found = [mask.resized_rows(slice(top, top + 7), size) for top in range(0, size[0], 7)]
    assert np.abs(np.concatenate(found) - meant).max() < 1e-5
    assert np.abs(mask.resized_rows(slice(3, size[0], 5), size) - meant[3::5]).max() < 1e-5


def test_a_mask_of_other_proportions_is_refused(tmp_path: Path) -> None:
    photo = read_photo(save(tmp_path / "a.png", FLAT))
    data = save(tmp_path / "m.png", LEFT[:, :30]).read_bytes()
    with pytest.raises(DataError, match=r"its mask m\.png has 30x40 pixels, it has 52x40"):
        with_mask(photo, data, "m.png")
    with pytest.raises(DataError, match="its mask"):
        with_mask(photo, b"no picture")
    assert Mask(data).size == (40, 30)


def test_a_mask_that_cannot_be_read_is_not_passed_over(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    photo, out = save(tmp_path / "a.png", FLAT[..., :3]), tmp_path / "out"
    assert go(photo, out=out).count("done") == 1
    mask = save(tmp_path / "m.png", LEFT)
    opening, real = os.open, content._hash

    def refuse(path: Any, *more: Any, **other: Any) -> Any:
        if path == mask:
            raise PermissionError(errno.EACCES, "Permission denied", str(path))
        return opening(path, *more, **other)

    monkeypatch.setattr(content, "_hash", lambda path: refuse(path) if path == mask else real(path))
    monkeypatch.setattr(os, "open", refuse)
    report = go(photo, out=out, mask=mask)
    assert statuses(report) == {"done": 0, "skipped": 0, "failed": 1}
    assert "permission denied" in report.inputs[0].error
