"""The layers of a video's frames → files that grow: videos in parts, or a folder of pictures.

What is there of a layer lies in a working folder until all is done, so that a killed run can be
gone on with at the last part it finished."""

from __future__ import annotations

import math
import shutil
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping
from contextlib import ExitStack
from pathlib import Path
from typing import TYPE_CHECKING, Generic, TypeVar

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.api import Decomposition, IidError, PluginError
from intrinsic_cli.api.outputs import Kind
from intrinsic_cli.kit.files.clip import Clip, ClipFrame
from intrinsic_cli.kit.files.clip_writer import ClipWriter, join
from intrinsic_cli.kit.files.encodings import encoding_of
from intrinsic_cli.kit.files.frames_folder import frames_folder
from intrinsic_cli.kit.files.layers import StoredLayer, quantise, rebuild_error
from intrinsic_cli.kit.files.outputs import Surroundings, Written, write_outputs
from intrinsic_cli.kit.files.video import Video, read_frames

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Kinds = Mapping[str, Kind]
Codes = NDArray[np.uint8]
Encoded = TypeVar("Encoded")
#: Formats whose numbers need a scale.
INTEGER = ("png", "png16", "jpg", "webp")
_NUMBER = "[0-9]" * 8  # of the first frame of a part
#: Frames of which the error of what was written is measured.
MEASURED = 8


class ClipLayers(ABC, Generic[Encoded]):
    """Layers ``kinds`` that are written frame by frame below ``folder``, with one of ``scales``
    each for the whole clip. ``squares`` are the squared errors of the frames so far, summed up."""

    def __init__(
        self, folder: Path, kinds: Kinds, scales: Mapping[str, float], squares: float = 0.0
    ) -> None:
        self.folder, self.kinds, self.scales, self.squares = folder, kinds, scales, squares

    @abstractmethod
    def encode(self, frame: ClipFrame, result: Decomposition | None) -> Encoded:
        """What :meth:`put` wants of a frame, of which ``result`` is None where it is lost; in any
        thread, in any order. OSError."""

    @abstractmethod
    def put(self, frame: ClipFrame, encoded: Encoded) -> None:
        """The layers of the frames one after the other. OSError."""

    @abstractmethod
    def end_part(self) -> None:
        """All that was put so far stays, whatever comes. OSError."""

    def close(self) -> None:
        """Leave the part that is being written as it is; what is done may be finished."""
        return

    @abstractmethod
    def finish(self, base: Path) -> dict[str, Written]:
        """All frames are written: files that begin with ``base``. OSError."""

    @abstractmethod
    def error(self, clip: Clip, frames: int) -> float | None:
        """The RMSE with which the finished layers rebuild the ``frames`` of ``clip`` that are not
        lost; None where they cannot."""

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


class VideoLayers(ClipLayers[Mapping[str, Codes]]):
    """An MP4 a layer, black where a frame is lost, so that the others keep their time. Of those
    that an earlier run began, the parts before the frame ``done`` are gone on with."""

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

    def encode(self, frame: ClipFrame, result: Decomposition | None) -> dict[str, Codes]:
        if result is None:
            black = np.zeros((*self._clip.size, 1), np.uint8)
            return dict.fromkeys(self.kinds, black)
        encoded = {}
        for name, kind in self.kinds.items():
            stored = quantise(layer_of(result, name), kind, 8, self.scales[name])
            encoded[name] = stored.codes
        return encoded

    def put(self, frame: ClipFrame, encoded: Mapping[str, Codes]) -> None:
        for name, codes in encoded.items():
            if name not in self._open:
                part = f"{frame.index:08d}.{name}.mp4"
                self._open[name] = self._begun(self.folder / part)
            self._open[name].write(codes)

    def _begun(self, place: Path) -> ClipWriter:
        writer = ClipWriter(place, self._clip.rate, self._clip.aspect)
        return self._stack.enter_context(writer)

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

    def error(self, clip: Clip, frames: int) -> float | None:
        """Of a few frames, read back from the videos, spread over them."""
        step = max(1, clip.count // MEASURED)
        sources = [self._read_back(name, step) for name in self.kinds]
        squares = []
        for frame, *layers in zip(clip.frames(0, step), *sources, strict=False):
            if frame.photo is None:
                continue
            stored = dict(zip(self.kinds, layers, strict=True))
            error = rebuild_error(frame.photo.pixels, stored)
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
        video = Video(path, size, self._clip.rate, self._clip.count, "h264")
        for codes in read_frames(video, 0, step):
            cut = codes[:height, :width]
            yield StoredLayer(cut, encoding, self.scales[name])


class PictureLayers(ClipLayers[float]):
    """A folder of pictures, called as those of photos are: by the ``stem`` that the clip has for
    each frame. What is lost has none."""

    def __init__(
        self,
        folder: Path,
        kinds: Kinds,
        scales: Mapping[str, float],
        form: str,
        clip: Clip,
        squares: float,
        metadata: bool = True,
    ) -> None:
        super().__init__(folder, kinds, scales, squares)
        self._form, self._clip, self._metadata = form, clip, metadata
        self._pictures = folder / "frames"

    def encode(self, frame: ClipFrame, result: Decomposition | None) -> float:
        """All of the files; their squared error, NaN where they do not make the photo."""
        if result is None:
            return 0.0
        outputs = {}
        for name, kind in self.kinds.items():
            outputs[name] = (kind, layer_of(result, name))
        exif = frame.exif if self._metadata else None
        alpha = None if frame.photo is None else frame.photo.alpha
        around = Surroundings(result.alpha, alpha, result.photo, exif, scales=self.scales)
        place = self._pictures / self._clip.stem(frame.index)
        written = write_outputs(place, outputs, self._form, around)
        stored = {}
        for name, one in written.items():
            if one.stored is not None:
                stored[name] = one.stored
        error = rebuild_error(result.photo, stored)
        return math.nan if error is None else error**2

    def put(self, frame: ClipFrame, encoded: float) -> None:
        self.squares += encoded

    def end_part(self) -> None:
        return

    def finish(self, base: Path) -> dict[str, Written]:
        """The folder of pictures takes the place of an earlier one, of which
        :func:`~intrinsic_cli.kit.files.frames_folder.stranger_in` knows whether it may go."""
        path = frames_folder(base)
        if self._pictures.exists():  # else an earlier run was killed just after this
            self._set_aside(path)
            self._pictures.replace(path)
        written = {}
        for name, kind in self.kinds.items():
            encoding = encoding_of(kind).name if self._form in INTEGER else "linear"
            written[name] = self._written(name, path, encoding)
        return written

    def _set_aside(self, path: Path) -> None:
        """The earlier folder goes into the working folder, and with that: a run that is killed
        meanwhile leaves no half of it."""
        aside = self.folder / "replaced"
        if aside.exists():
            shutil.rmtree(aside)
        if path.exists():
            path.replace(aside)

    def error(self, clip: Clip, frames: int) -> float | None:
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
