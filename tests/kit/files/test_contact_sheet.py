"""Contact sheets: sizes, encoding, text."""

from __future__ import annotations

import numpy as np

from intrinsic_cli.kit.files.contact_sheet import contact_sheet


def test_cells_keep_the_shape_of_their_images() -> None:
    wide, high = np.ones((10, 40, 3), np.float32), np.ones((40, 10, 1), np.float32)
    sheet = contact_sheet([[wide, high]], cell=64)
    assert sheet.dtype == np.uint8
    assert sheet.shape == (64 + 8, 2 * 68 + 4, 3)
    white = (sheet == 255).all(-1)
    assert white[:, :68].sum() == 64 * 16
    assert white[:, 68:].sum() == 64 * 16


def test_light_is_encoded_for_display() -> None:
    gray = np.full((8, 8), 0.2140, np.float32)
    sheet = contact_sheet([[gray]], cell=8)
    assert sheet[8, 8].tolist() == [127, 127, 127] or sheet[8, 8].tolist() == [128, 128, 128]


def test_values_beyond_display_and_broken_ones_do_no_harm() -> None:
    image = np.array([[[np.nan, -1, 9]]], np.float32).repeat(4, 0).repeat(4, 1)
    assert contact_sheet([[image]], cell=4)[5, 5].tolist() == [0, 0, 255]


def test_rows_of_different_lengths_and_heights() -> None:
    image = np.ones((5, 10, 3), np.float32)
    sheet = contact_sheet([[image], [image, image, image[:, :5]]], cell=20)
    assert sheet.shape == (4 + 14 + 24, 3 * 24 + 4, 3)


def test_labels_and_titles_take_a_line_each() -> None:
    rows = [[np.zeros((8, 8, 3), np.float32)] * 2] * 2
    plain = contact_sheet(rows, cell=32)
    told = contact_sheet(rows, ["photo", "albédo"], cell=32, titles=["first", "second"])
    assert told.shape[0] - plain.shape[0] == 3 * 16
    assert told[4:20].max() > 200  # ink


def test_nothing_to_show_is_still_a_picture() -> None:
    assert contact_sheet([], cell=16).ndim == 3
    assert contact_sheet([[]], cell=16).ndim == 3
