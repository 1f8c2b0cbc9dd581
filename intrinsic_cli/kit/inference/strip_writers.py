"""Files of layers that are written band by band: one a layer, or one of all layers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Protocol

from numpy.typing import NDArray

from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.containers import Marks
from intrinsic_cli.kit.files.encodings import encoding_of
from intrinsic_cli.kit.files.exr_layers import ExrLayersWriter
from intrinsic_cli.kit.files.exr_rows import ExrWriter, channel_names
from intrinsic_cli.kit.files.formats import MULTILAYER
from intrinsic_cli.kit.files.jpeg_rows import JpegWriter
from intrinsic_cli.kit.files.layers import with_alpha
from intrinsic_cli.kit.files.png_rows import PngWriter
from intrinsic_cli.kit.files.tiff_rows import NO_EXIF, TiffWriter
from intrinsic_cli.kit.inference.coded_layers import CodedLayers
from intrinsic_cli.kit.inference.float_layers import FloatLayers

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.exif import Exif

Codes = NDArray[Any]
Layers = CodedLayers | FloatLayers


class StripWriter(Protocol):
    """The files of all layers."""

    def write(self, rows: slice, codes: Mapping[str, Codes]) -> None:
        """The next rows, [n,W,C] of each layer."""

    def close(self) -> None:
        """The end of each; they stay open."""


@contextmanager
def open_strips(
    layers: Layers, places: Mapping[str, Path], form: str, exif: Exif | None
) -> Iterator[StripWriter]:
    """The files of ``layers`` at ``places``, in the format ``form``, with ``exif``; of a format of
    which one file holds all layers the places are one. OSError."""
    with ExitStack() as stack:
        paths = dict.fromkeys(places.values())
        files = {path: stack.enter_context(path.open("wb")) for path in paths}
        if form in MULTILAYER:
            (file,) = files.values()
            yield _OneFile(layers, file)
            return
        named = {name: files[path] for name, path in places.items()}
        yield _Files(layers, named, form, exif)


class _Files:
    """One a layer."""

    def __init__(
        self, layers: Layers, files: Mapping[str, IO[bytes]], form: str, exif: Exif | None
    ) -> None:
        self._layers = layers
        self._files = files
        self._form = form
        self._exif = exif
        self._writers: dict[str, Any] = {}

    def write(self, rows: slice, codes: Mapping[str, Codes]) -> None:
        alpha = None
        if self._form != "jpg":  # of these formats, only JPEG has none
            alpha = self._layers.photo.alpha(rows)
        for name, part in codes.items():
            if name not in self._writers:
                self._writers[name] = self._opened(name, part.shape[2])
            self._writers[name].write(with_alpha(part, alpha))

    def close(self) -> None:
        for writer in self._writers.values():
            writer.close()

    def _opened(self, name: str, channels: int) -> Any:
        """What writes a layer of so many channels."""
        layers, file = self._layers, self._files[name]
        size, alpha = layers.photo.size, layers.photo.has_alpha
        if self._form == "tiff":
            return TiffWriter(file, size, channels, alpha, self._exif or NO_EXIF)
        if isinstance(layers, FloatLayers):
            return ExrWriter(file, size, channel_names(channels, alpha), layers.bits)
        marks = _marks(layers.kinds[name], self._exif)
        if self._form == "jpg":
            return JpegWriter(file, size, marks)
        return PngWriter(file, size, channels + alpha, layers.bits, marks)


class _OneFile:
    """One EXR of the photo and all layers."""

    def __init__(self, layers: Layers, file: IO[bytes]) -> None:
        self._photo = photo = layers.photo
        self._writer = ExrLayersWriter(file, photo.size, layers.kinds, layers.bits, photo.has_alpha)

    def write(self, rows: slice, codes: Mapping[str, Codes]) -> None:
        shown = self._photo.rows(rows)
        self._writer.write(shown.pixels, codes, shown.alpha)

    def close(self) -> None:
        self._writer.close()


def _marks(kind: Kind, exif: Exif | None) -> Marks:
    if exif is None:
        return Marks()
    return Marks(exif, encoding_of(kind).name == "srgb")
