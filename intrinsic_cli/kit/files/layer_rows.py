"""Layers read from their files some rows at a time, as they were written: PNG, TIFF and EXR."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from intrinsic_cli.api import DataError
from intrinsic_cli.api.outputs import KIND_OF, KINDS, Kind
from intrinsic_cli.kit.files import exr_scanlines, png_lines, tiff_strips
from intrinsic_cli.kit.files.decode import AGAIN, DAMAGED
from intrinsic_cli.kit.files.encodings import ENCODINGS, find_encoding
from intrinsic_cli.kit.files.exr_layers import channels_of
from intrinsic_cli.kit.files.file_parts import Asked, FileParts
from intrinsic_cli.kit.files.float_rows import BROKEN, Scanlines
from intrinsic_cli.kit.files.photo import repair_rows, split_alpha
from intrinsic_cli.kit.files.read_layers import LayerFile

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image


class LayerRows:
    """A layer of ``size`` (h, w) as a sidecar tells of it, whose rows are asked for from the first
    to the last."""

    def __init__(self, lines: Scanlines, file: LayerFile, is_light: bool) -> None:
        self.size = lines.size
        self._lines = lines
        self._file = file
        self._is_light = is_light

    def linear(self, rows: slice) -> Image:
        """Some rows [n,W,1 or 3], linear. DataError where the file is damaged."""
        try:
            codes = self._lines.read(rows.start, rows.stop)
        except BROKEN as error:
            raise DataError(f"{self._file.path}: {DAMAGED}", AGAIN) from error
        colours, _ = split_alpha(codes)
        if codes.dtype.kind != "f":
            encoding = find_encoding(self._file.encoding)
            return encoding.decode(colours, self._file.scale)
        values = np.asarray(colours, np.float32)
        if self._is_light:
            values, _ = repair_rows(values, np.inf)
        return values * np.float32(self._file.scale)


def open_layer_rows(name: str, file: LayerFile) -> LayerRows | None:
    """The layer ``name``; None where it must be read whole."""
    kind = KINDS[KIND_OF.get(name, "reflectance")]
    is_usual = file.encoding in ENCODINGS  # told by a sidecar
    try:
        lines = _opened(file, kind)
    except (OSError, DataError, *BROKEN):  # whoever reads it whole says what is wrong with it
        return None
    if lines is None or not is_usual:
        return None
    return LayerRows(lines, file, is_light=kind.low == 0)


def _opened(file: LayerFile, kind: Kind) -> Scanlines | None:
    parts = FileParts(file.path)
    asked = Asked(file.path)
    suffix = file.path.suffix.lower()
    if suffix == ".png":
        return png_lines.open_lines(parts)
    if suffix in (".tif", ".tiff"):
        return tiff_strips.open_strips(parts, asked)
    if suffix != ".exr":
        return None
    among_others = exr_scanlines.open_channels(parts, channels_of(file.array, kind))
    return among_others or exr_scanlines.open_scanlines(parts, asked)
