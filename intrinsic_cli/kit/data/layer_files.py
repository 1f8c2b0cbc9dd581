"""What the readers of real datasets share: reading stored numbers, naming missing files, refusing
to train."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.files.photo import read_photo

if TYPE_CHECKING:
    pass

Image = NDArray[np.float32]


def read_layer(path: Path, encoding: str = "linear") -> Image:
    """A stored layer or photo: [H,W,3], or [H,W,1] where all channels are equal; integers become
    0..1.

    ``encoding`` as in :func:`~intrinsic_cli.kit.files.photo.read_photo`. DataError if unreadable.
    """
    pixels = read_photo(path, encoding).pixels
    gray = np.array_equal(pixels[..., 0], pixels[..., 1]) and np.array_equal(
        pixels[..., 0], pixels[..., 2]
    )
    return pixels[..., :1].copy() if gray else pixels


def read_mask(path: Path) -> NDArray[np.bool_]:
    """[H,W], True where any channel of the stored numbers is brighter than half."""
    return np.asarray((read_photo(path, "linear").pixels > 0.5).any(-1))


def require_files(kind: str, folder: Path, wanted: Iterable[Path], layout: str) -> None:
    """DataError naming the missing files (at most four of them)."""
    missing = [str(path.relative_to(folder)) for path in wanted if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise DataError(
            f"{kind} at {folder} lacks {', '.join(missing[:4])}{more}", f"expected: {layout}"
        )


def refuse_empty(kind: str, folder: Path, layout: str) -> NoReturn:
    """DataError: the folder holds nothing of this kind."""
    raise DataError(f"{folder} holds no {kind}", f"expected: {layout}")
