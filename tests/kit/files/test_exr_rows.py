"""EXRs made row by row are read as those that are made whole."""

from __future__ import annotations

import io
from pathlib import Path

import numpy as np
import OpenEXR
import pytest

from intrinsic_cli.kit.files.exr import stored_numbers, write_exr
from intrinsic_cli.kit.files.exr_ending import require_ending
from intrinsic_cli.kit.files.exr_rows import ExrWriter, channel_names

RNG = np.random.default_rng(0)


@pytest.mark.parametrize("bits", [16, 32])
@pytest.mark.parametrize("channels", [1, 2, 3, 4])
@pytest.mark.parametrize("size", [(1, 1), (50, 157), (9, 6000)])
def test_the_openexr_package_reads_what_it_would_have_written(
    size: tuple[int, int], channels: int, bits: int, tmp_path: Path
) -> None:
    values = RNG.normal(0.5, 0.4, (*size, channels)).astype(np.float32)
    values[: len(values) // 2] = 0.25  # that can be compressed, and noise that cannot
    alpha = channels in (2, 4)
    path, whole = tmp_path / "rows.exr", tmp_path / "whole.exr"
    path.write_bytes(written(stored_numbers(values, bits), 8, bits, alpha))
    require_ending(path, size[0])
    if alpha:
        write_exr(whole, values[..., :-1], values[..., -1], bits)
    else:
        write_exr(whole, values, None, bits)
    found, meant = contents(path), contents(whole)
    assert found[0] == meant[0]
    assert found[1].keys() == meant[1].keys()
    for name, pixels in meant[1].items():
        assert found[1][name].dtype == pixels.dtype
        assert np.array_equal(found[1][name], pixels)


def contents(path: Path) -> tuple[dict[str, str], dict[str, np.ndarray]]:
    """All that is told of the picture, and its channels."""
    with OpenEXR.File(str(path), separate_channels=True) as file:
        told = {name: str(value) for name, value in file.header().items()}
        pixels = {name: np.array(channel.pixels) for name, channel in file.channels().items()}
    told["channels"] = ""  # told as objects
    return told, pixels


def test_smooth_lines_are_compressed() -> None:
    smooth = np.tile(np.linspace(0, 1, 2000, dtype=np.float32)[None, :, None], (9, 1, 3))
    assert len(written(smooth, 4, 32, alpha=False)) < 0.5 * smooth.nbytes


def written(values: np.ndarray, step: int, bits: int, alpha: bool) -> bytes:
    """In pieces of so many rows."""
    file = io.BytesIO()
    height, width, channels = values.shape
    writer = ExrWriter(file, (height, width), channel_names(channels - alpha, alpha), bits)
    for top in range(0, height, step):
        writer.write(values[top : top + step])
    writer.close()
    return file.getvalue()
