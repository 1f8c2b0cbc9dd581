"""Sizes for networks: aspect kept, multiples met, nothing blown up."""

from __future__ import annotations

import random

import pytest
import torch

from intrinsic_cli.api import Frame
from intrinsic_cli.kit.light import resize as module
from intrinsic_cli.kit.light.resize import (
    bands,
    enlarged,
    fit_size,
    pad_to_multiple,
    resize,
    rows_needed,
    shrunk,
)

DICE = random.Random(0)


@pytest.mark.parametrize(
    ("photo", "frame", "expected"),
    [
        ((683, 1024), Frame(size=256, multiple=32), (256, 384)),
        ((1024, 683), Frame(size=256, multiple=32), (384, 256)),
        ((3, 5), Frame(size=256, multiple=32), (32, 32)),
        ((3, 5), Frame(), (3, 5)),
        ((200, 300), Frame(size=256, multiple=8), (200, 304)),
        ((100, 10000), Frame(size=256, multiple=32), (96, 10016)),
        ((1000, 20000), Frame(size=250, multiple=1), (250, 5000)),
        ((1, 20000), Frame(size=256, multiple=32), (32, 20000)),
    ],
)
def test_fit_size(photo: tuple[int, int], frame: Frame, expected: tuple[int, int]) -> None:
    assert fit_size(*photo, frame) == expected


def test_sizes_are_multiples_and_never_blown_up() -> None:
    for _ in range(2000):
        photo = [DICE.choice([DICE.randint(1, 40), DICE.randint(1, 20000)]) for _ in "hw"]
        multiple, size = DICE.choice([1, 8, 32, 64]), DICE.choice([None, DICE.randint(1, 1024)])
        for native, fitted in zip(
            photo, fit_size(*photo, Frame(size=size, multiple=multiple)), strict=True
        ):
            assert fitted % multiple == 0
            assert multiple <= fitted <= max(multiple, native + multiple / 2)


def test_shrinking_averages() -> None:
    stripes = torch.arange(64).remainder(2).float().expand(1, 3, 64, 64)
    assert torch.allclose(resize(stripes, (8, 8))[..., 1:-1], torch.tensor(0.5), atol=0.02)


def test_shrinking_sees_what_lies_between() -> None:
    """One bright column in eight, where bilinear samples would look at two others."""
    lines = (torch.arange(64) % 8 == 0).float().expand(1, 3, 64, 64)
    assert torch.allclose(resize(lines, (8, 8))[..., 1:-1], torch.tensor(0.125), atol=0.03)


def test_a_small_photo_comes_nearer_to_the_size_but_not_all_the_way() -> None:
    photo = torch.rand(1, 3, 64, 96)
    assert enlarged(photo, 384, 32).shape == (1, 3, 96, 160)
    assert enlarged(photo, 80, 32).shape == (1, 3, 96, 128)
    assert enlarged(photo, 64, 32) is photo


def test_enlarging_is_bilinear() -> None:
    assert resize(torch.tensor([[[[0.0, 1.0]]]]), (1, 4)).flatten().tolist() == [
        0.0,
        0.25,
        0.75,
        1.0,
    ]


def test_same_size_is_the_same_tensor() -> None:
    image = torch.rand(1, 3, 5, 7)
    assert resize(image, (5, 7)) is image
    assert pad_to_multiple(image, 1) is image


def test_padding_repeats_the_border() -> None:
    image = torch.rand(1, 3, 3, 5)
    padded = pad_to_multiple(image, 32)
    assert padded.shape == (1, 3, 32, 32)
    assert torch.equal(padded[..., :3, :5], image)
    assert torch.equal(padded[..., 31, 31], image[..., 2, 4])


@pytest.mark.parametrize(
    ("height", "width"), [(1, 1), (5000, 1), (1, 10**7), (3000, 4000), (7, 100_000)]
)
def test_bands_cover_every_row_once(height: int, width: int) -> None:
    rows = [row for band in bands(height, width) for row in range(band.start, band.stop)]
    assert rows == list(range(height))


@pytest.mark.parametrize("to", [(7, 9), (40, 33), (96, 40), (97, 64), (150, 61)])
def test_shrinking_in_bands_is_shrinking(
    to: tuple[int, int], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "BAND_PIXELS", 500)
    photo = torch.rand(1, 3, 97, 64)
    found = shrunk(lambda rows: photo[:, :, rows], (97, 64), to)
    assert torch.allclose(found, resize(photo, to), atol=1e-5)


@pytest.mark.parametrize("height", [31, 30, 7, 200])
def test_rows_made_need_no_others(height: int) -> None:
    """A row that would be needed and is not named would leave a hole."""
    scale = height / 30
    for top in range(30):
        made = slice(top, min(top + 4, 30))
        needed = rows_needed(made, scale, height)
        shares = module.row_shares(made, slice(0, height), scale)
        assert shares[:, needed].sum() == pytest.approx(float(shares.sum()))
