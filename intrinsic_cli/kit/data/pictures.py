"""What the readers of real datasets share: reading stored numbers, naming missing files, refusing to train."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import DataError
from intrinsic_cli.kit.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Batch, Split

Image = NDArray[np.float32]


class MeasuringOnly:
    """Half a :class:`~intrinsic_cli.api.data.Source`: data that may be measured on and never trained on."""

    name: str

    def batches(self, split: Split, size: int, crop: int, seed: int = 0, start: int = 0) -> Iterator[Batch]:
        """Always a DataError."""
        hint = "train on synth or on a folder of your own"
        raise DataError(f"{self.name} is for measuring only, its licence keeps it out of training", hint)

    def _only_val(self, split: Split) -> None:
        if split != "val":
            raise DataError(f"{self.name} has no {split!r} split", "it is for measuring only: use --split val")


def read_codes(path: Path) -> NDArray[Any]:
    """The numbers as stored, RGB order, [H,W] or [H,W,C]. Alpha is dropped. DataError if unreadable."""
    # imread takes no non-ASCII path on Windows; imdecode does not care.
    stored = cv2.imdecode(np.frombuffer(path.read_bytes(), np.uint8), cv2.IMREAD_UNCHANGED)
    if stored is None:
        raise DataError(f"{path} is not a readable picture")
    return np.ascontiguousarray(stored[..., 2::-1]) if stored.ndim == 3 else np.asarray(stored)


def read_linear(path: Path) -> Image:
    """A picture that holds linear values: integers become 0..1, floats stay. float32 [H,W,C]."""
    codes = read_codes(path)
    top = np.iinfo(codes.dtype).max if codes.dtype.kind == "u" else 1
    values = (codes / np.float32(top)).astype(np.float32, copy=False)
    return values[..., None] if values.ndim == 2 else values


def read_mask(path: Path) -> NDArray[np.bool_]:
    """[H,W], True where any channel is brighter than half."""
    return np.asarray((read_linear(path) > 0.5).any(-1))


def require_files(kind: str, folder: Path, wanted: Iterable[Path], layout: str) -> None:
    """DataError naming the missing files (at most four of them)."""
    missing = [str(path.relative_to(folder)) for path in wanted if not path.is_file()]
    if missing:
        more = f" and {len(missing) - 4} more" if len(missing) > 4 else ""
        raise DataError(f"{kind} at {folder} lacks {', '.join(missing[:4])}{more}", f"expected: {layout}")


def refuse_empty(kind: str, folder: Path, layout: str) -> NoReturn:
    """DataError: the folder holds nothing of this kind."""
    raise DataError(f"{folder} holds no {kind}", f"expected: {layout}")
