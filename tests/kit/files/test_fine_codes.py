"""Numbers of 16 bits become the codes of 8 bits that their values have."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from intrinsic_cli.api.outputs import KINDS
from intrinsic_cli.kit.files import fine_codes, tables
from intrinsic_cli.kit.files.encodings import encoding_of
from intrinsic_cli.kit.files.fine_codes import FineCodes, encode_finely
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.files.tables import looked_up

RNG = np.random.default_rng(4)


@pytest.mark.parametrize("kind", ["reflectance", "residual", "mask", "depth", "vector"])
@pytest.mark.parametrize("share", [0.5, 0.77, 1.0])
def test_they_are_within_a_code_of_the_exact_ones(kind: str, share: float) -> None:
    low = -1.0 if fine_codes.has_sign(KINDS[kind]) else 0.0
    values = RNG.uniform(low, 1.0, (3, 41, 57)).astype(np.float32) ** 3 * 4
    fine = FineCodes(KINDS[kind], 4.0)
    codes = looked_up(fine.of(values), fine.table(4 * share))
    exact = encoding_of(KINDS[kind]).encode(values, 8, 4 * share)
    assert codes.shape == values.shape
    off = np.abs(codes.astype(int) - exact)
    assert off.max() <= 1
    assert off.mean() < 0.02


def test_what_is_no_light_is_black_and_what_is_too_bright_white() -> None:
    values = np.tile(np.float32([-0.5, 0.0, 3.0, 1e9]), 9).reshape(1, 9, 4)
    fine = FineCodes(KINDS["factor"], 3.0)
    codes = looked_up(fine.of(values), fine.table(3.0))
    assert codes[0, 8].tolist() == [0, 0, 255, 255]
    assert codes[0, 0].tolist() == [0, 0, 255, 255]


@pytest.mark.parametrize("kind", ["factor", "residual", "depth"])
def test_the_scale_is_that_of_the_layer(kind: str) -> None:
    layer = RNG.normal(0, 0.4, (60, 70, 3)).astype(np.float32)
    layer[5, 6] = 99.0
    if not fine_codes.has_sign(KINDS[kind]):
        layer = np.abs(layer)
    own = encoding_of(KINDS[kind]).scale(layer)
    assert encode_finely(layer, KINDS[kind])[1] == pytest.approx(own)
    assert encode_finely(layer / 900, KINDS[kind])[1] == encoding_of(KINDS[kind]).scale(layer / 900)
    assert encode_finely(layer, KINDS[kind], 2.5)[1] == 2.5


@pytest.mark.parametrize(("dtype", "size"), [("uint8", 256), ("uint16", 65536)])
def test_tables_are_read_by_older_opencv_too(
    dtype: str, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    codes = RNG.integers(0, size, (5, 7, 3)).astype(dtype)
    table = RNG.random(size).astype(np.float32)
    assert np.array_equal(looked_up(codes, table), table[codes])

    def refuse(*given: Any) -> None:
        raise cv2.error("tables of 256 only")

    monkeypatch.setattr(tables.cv2, "LUT", refuse)
    assert np.array_equal(looked_up(codes, table), table[codes])
