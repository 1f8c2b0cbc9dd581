"""The layers of a video's frames → files that grow: videos in parts, or a folder of pictures.

What is there of a layer lies in a working folder until all is done, so that a killed run can be
gone on with at the last part it finished."""

from __future__ import annotations

import math
import shutil
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterable, Iterator, Mapping
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import Decomposition, IidError, PluginError
from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.clip import Clip, Frames, read_frames
from intrinsic_cli.kit.files.clip_writer import ClipWriter, join
from intrinsic_cli.kit.files.encodings import encoding_of
from intrinsic_cli.kit.files.exif import Exif
from intrinsic_cli.kit.files.layers import StoredLayer, quantise, rebuild_error
from intrinsic_cli.kit.files.outputs import Surroundings, Written, write_outputs

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Kinds = Mapping[str, Kind]
Decode = Callable[[Frames], "Image"]
#: What the folder of the pictures of a clip ends in.
FRAMES = ".frames"
#: Formats whose numbers need a scale.
INTEGER = ("png", "png16", "jpg", "webp")
_NUMBER = "[0-9]" * 8  # of the first frame of a part
#: How videos that iid wrote are read.
_PLAIN: dict[str, Any] = {"bits": 8, "sampled": False, "untold": False}
#: Frames of which the error of what was written is measured.
MEASURED = 8


class ClipLayers(ABC):
    """Layers ``kinds`` that are written frame by frame below ``folder``, with one of ``scales``
    each for the whole clip. ``squares`` are the squared errors of the frames so far, summed up."""

    def __init__(
        self, folder: Path, kinds: Kinds, scales: Mapping[str, float], squares: float = 0.0
    ) -> None:
        self.folder, self.kinds, self.scales, self.squares = folder, kinds, scales, squares

    @abstractmethod
    def write(self, number: int, result: Decomposition) -> None:
        """The layers of the frame ``number`` (from 0). OSError."""

    @abstractmethod
    def end_part(self) -> None:
        """All that was written so far stays, whatever comes. OSError."""

    def close(self) -> None:
        """Leave the part that is being written as it is; what is done may be finished."""
        return

    @abstractmethod
    def finish(self, base: Path) -> dict[str, Written]:
        """All frames are written: files that begin with ``base``. OSError."""

    @abstractmethod
    def error(self, clip: Clip, frames: int, decode: Decode) -> float | None:
        """The RMSE with which the finished layers rebuild the ``frames`` of ``clip``, of which
        ``decode`` makes light; None where they cannot."""

    def _written(self, name: str, path: Path, encoding: str) -> Written:
        entry = {
            "kind": self.kinds[name].name,
            "files": [path.name],
            "encoding": encoding,
            "scale": self.scales[name],
        }
        codes = np.empty((0, 0, 3), np.uint8)
        stored = StoredLayer(codes, encoding, self.scales[name])
        return Written((path,), entry, stored)


class VideoLayers(ClipLayers):
    """An MP4 a layer. Of those that an earlier run began, the parts before the frame ``done`` are
    gone on with."""

    def __init__(
        self, folder: Path, kinds: Kinds, scales: Mapping[str, float], clip: Clip, done: int
    ) -> None:
        super().__init__(folder, kinds, scales)
        self._clip = clip
        self._open: dict[str, ClipWriter] = {}
        self._stack = ExitStack()
        self._finished: dict[str, Written] = {}
        for part in folder.glob(f"{_NUMBER}.*.mp4"):
            if int(part.name.partition(".")[0]) >= done:
                part.unlink()

    def write(self, number: int, result: Decomposition) -> None:
        for name, kind in self.kinds.items():
            if name not in self._open:
                place = self.folder / f"{number:08d}.{name}.mp4"
                writer = ClipWriter(place, self._clip.rate, self._clip.aspect)
                self._open[name] = self._stack.enter_context(writer)
            layer = layer_of(result, name)
            stored = quantise(layer, kind, 8, self.scales[name])
            self._open[name].write(stored.codes)

    def end_part(self) -> None:
        for writer in self._open.values():
            writer.close()
        self.close()

    def close(self) -> None:
        self._stack.close()
        self._open.clear()

    def finish(self, base: Path) -> dict[str, Written]:
        for name, kind in self.kinds.items():
            path = base.with_name(f"{base.name}.{name}.mp4")
            parts = self.folder.glob(f"{_NUMBER}.{name}.mp4")
            join(sorted(parts), path)
            self._finished[name] = self._written(name, path, encoding_of(kind).name)
        return self._finished

    def error(self, clip: Clip, frames: int, decode: Decode) -> float | None:
        """Of a few frames, read back from the videos, spread over them."""
        step = max(1, frames // MEASURED)
        sources = [self._read_back(name, step) for name in self.kinds]
        squares = []
        for frame, *layers in zip(read_frames(clip, 0, step), *sources, strict=False):
            stored = dict(zip(self.kinds, layers, strict=True))
            error = rebuild_error(decode(frame), stored)
            if error is None:
                return None
            squares.append(error**2)
        if not squares:
            raise IidError("the videos of the layers cannot be read back", "try --frames")
        return float(np.mean(squares) ** 0.5)

    def _read_back(self, name: str, step: int) -> Iterator[StoredLayer]:
        """What the video of a layer holds of every ``step``-th frame."""
        path = self._finished[name].files[0]
        encoding = encoding_of(self.kinds[name]).name
        height, width = self._clip.size
        even_height = height + height % 2
        even_width = width + width % 2
        size = (even_height, even_width)
        video = replace(self._clip, path=path, size=size, **_PLAIN)
        for codes in read_frames(video, 0, step):
            cut = codes[:height, :width]
            yield StoredLayer(cut, encoding, self.scales[name])


class PictureLayers(ClipLayers):
    """A folder of pictures, numbered from 1, called as those of photos are."""

    def __init__(
        self,
        folder: Path,
        kinds: Kinds,
        scales: Mapping[str, float],
        form: str,
        exif: Exif | None,
        squares: float,
    ) -> None:
        super().__init__(folder, kinds, scales, squares)
        self._form, self._exif = form, exif
        self._pictures = folder / "frames"

    def write(self, number: int, result: Decomposition) -> None:
        outputs = {}
        for name, kind in self.kinds.items():
            outputs[name] = (kind, layer_of(result, name))
        photo, alpha = result.photo, result.alpha
        around = Surroundings(alpha, None, photo, self._exif, scales=self.scales)
        place = self._pictures / f"{number + 1:06d}"
        written = write_outputs(place, outputs, self._form, around)
        stored = {}
        for name, one in written.items():
            if one.stored is not None:
                stored[name] = one.stored
        error = rebuild_error(photo, stored)
        self.squares += math.nan if error is None else error**2

    def end_part(self) -> None:
        return

    def finish(self, base: Path) -> dict[str, Written]:
        path = base.with_name(f"{base.name}{FRAMES}")
        if self._pictures.exists():  # else an earlier run was killed just after this
            if path.exists():
                shutil.rmtree(path)
            self._pictures.replace(path)
        written = {}
        for name, kind in self.kinds.items():
            encoding = encoding_of(kind).name if self._form in INTEGER else "linear"
            written[name] = self._written(name, path, encoding)
        return written

    def error(self, clip: Clip, frames: int, decode: Decode) -> float | None:
        """Of all frames."""
        if math.isnan(self.squares):
            return None
        return math.sqrt(self.squares / frames)


def layer_of(result: Decomposition, name: str) -> Image:
    """A layer [H,W,C] of a frame. PluginError where the method did not make it."""
    if name not in result.layers:
        raise PluginError(f"the method gave no output {name!r}", "the plugin promises it")
    return result.layers[name]


def scales_of(frames: Iterable[Decomposition], kinds: Kinds) -> dict[str, float]:
    """The scale of each layer for integer files of a whole clip: the largest that one of
    ``frames`` asks for, so that a layer is as bright as its brightest frame."""
    scales = dict.fromkeys(kinds, 0.0)
    for result in frames:
        for name, kind in kinds.items():
            asked = 1.0
            if kind.scaled:
                asked = encoding_of(kind).scale(layer_of(result, name))
            scales[name] = max(scales[name], asked)
    return {name: scale or 1.0 for name, scale in scales.items()}
