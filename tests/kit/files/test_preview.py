"""Pictures made small while their rows pass are those made small whole."""

from __future__ import annotations

import numpy as np
import pytest

from intrinsic_cli.api.outputs import kind_of
from intrinsic_cli.kit.files.area_means import AreaMeans
from intrinsic_cli.kit.files.contact_sheet import contact_sheet
from intrinsic_cli.kit.files.encodings import encoding_of, for_display
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.preview import CELL, Preview

RNG = np.random.default_rng(4)


def cuts(height: int, step: int) -> list[slice]:
    return [slice(top, min(top + step, height)) for top in range(0, height, step)]


@pytest.mark.parametrize("channels", [1, 3])
@pytest.mark.parametrize("to", [(7, 11), (31, 40), (97, 131), (97, 50)])
@pytest.mark.parametrize("step", [1, 5, 97])
def test_area_means_are_those_of_opencv(to: tuple[int, int], step: int, channels: int) -> None:
    picture = RNG.random((97, 131, channels), np.float32)
    means = AreaMeans((97, 131), to)
    for rows in cuts(97, step):
        means.add(rows, picture[rows])
    meant = cv2.resize(picture, to[::-1], interpolation=cv2.INTER_AREA).reshape(*to, channels)
    assert means.picture.shape == meant.shape
    assert np.abs(means.picture - meant).max() < 1e-5


def test_a_picture_without_rows_is_none() -> None:
    with pytest.raises(ValueError, match="no rows"):
        _ = AreaMeans((4, 4), (2, 2)).picture


@pytest.mark.parametrize("size", [(700, 1030), (40, 30)])
def test_a_preview_made_of_rows_shows_layers_as_bright_as_their_files(
    size: tuple[int, int],
) -> None:
    photo = cv2.GaussianBlur(RNG.random((*size, 3), np.float32), (0, 0), 3)
    layers = {
        "albedo": photo * 1.5,
        "shading": 3 * photo[..., :1],
        "residual": (photo - 0.5) / 4,
        "normals": photo - 0.5,
        "mask": photo[..., :1],
    }
    kinds = {name: kind_of(name) for name in layers}
    preview = Preview(size)
    for rows in cuts(size[0], 16):
        preview.add_photo(rows, photo[rows])
        for name, layer in layers.items():
            preview.add_layer(name, kinds[name], rows, layer[rows])
    shown = []
    for name, kind in kinds.items():
        scale = encoding_of(kind).scale(layers[name]) if kind.scaled else 1.0
        shown.append(for_display(layers[name], kind, scale))
    meant = contact_sheet([[photo, *shown]], ["photo", *layers], CELL)
    found = preview.sheet()
    assert found.shape == meant.shape
    assert np.abs(found.astype(int) - meant).max() <= 1
    assert found[30:].std(axis=(0, 1)).min() > 10, "there is something to be seen"


def test_a_lone_highlight_does_not_darken_a_preview() -> None:
    layer = np.full((600, 600, 1), 0.8, np.float32)
    layer[300, 300] = 500
    preview = Preview((600, 600))
    for rows in cuts(600, 50):
        preview.add_photo(rows, layer[rows].repeat(3, 2))
        preview.add_layer("shading", kind_of("shading"), rows, layer[rows])
    cell = preview.sheet()[30:100, CELL + 20 : CELL + 90]
    assert cell.min() == cell.max() == round(255 * (1.055 * 0.5 ** (1 / 2.4) - 0.055))
