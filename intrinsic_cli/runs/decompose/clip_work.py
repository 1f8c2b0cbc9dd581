"""The frames of one video, taken apart in parts that stay when the run is killed."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field, replace
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from intrinsic_cli.api import DataError, Decomposition, IidError, Kind
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.runs.decompose.clip_parts import ClipParts
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.workers import photos_at_a_time
from intrinsic_cli.runs.session import Session

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.clip import Clip, Frames
    from intrinsic_cli.kit.files.photo import Photo
    from intrinsic_cli.kit.inference.clip_files import ClipLayers
    from intrinsic_cli.kit.inference.steady_light import SteadyLight

Item = TypeVar("Item")
Note = Callable[[str], None]

#: Frames of a part: so many are done again at most after a run was killed.
PART = 60
#: Frames, spread over a video, that say how bright its layers are.
SAMPLE = 12
QUIET = 30.0  # seconds between two sentences about how far it is
ALBEDO, SHADING = FACTORS


@dataclass(frozen=True, slots=True)
class OpenedClip:
    """A video that was looked through, the hash of its file, and when work on it began."""

    target: Target
    clip: Clip
    sha256: str
    began: float


@dataclass(slots=True)
class ClipResult:
    """The layers of its ``frames``, all written but not in their places, and what the sidecar
    shall say."""

    layers: ClipLayers
    parts: ClipParts
    frames: int
    facts: Mapping[str, Any]
    notes: Sequence[str]


@dataclass(slots=True)
class Done:
    """How far it is: ``frames``, the ``seconds`` they took, the sum of the squared errors of
    pictures, and sentences about frames."""

    steady: SteadyLight
    frames: int = 0
    seconds: float = 0.0
    squares: float = 0.0
    notes: dict[str, None] = field(default_factory=dict)

    @staticmethod
    def begun(saved: Mapping[str, Any] | None, rate: float) -> Done:
        """How far an earlier run came."""
        from intrinsic_cli.kit.inference.steady_light import SteadyLight

        if saved is None:
            return Done(SteadyLight(rate))
        return Done(
            SteadyLight.restored(rate, saved),
            int(saved["frames"]),
            float(saved["seconds"]),
            float(saved["squares"]),
            dict.fromkeys(saved["notes"].tolist()),
        )


class ClipWork:
    """Work on one video, begun or gone on with."""

    def __init__(self, opened: OpenedClip, plan: Plan, session: Session, note: Note) -> None:
        self._clip = opened.clip
        self._plan = plan
        self._session = session
        self._name = opened.target.input
        self._note = note
        self._parts = ClipParts(opened.target, plan.for_clip, opened.sha256)
        self._kinds = {name: plan.choice.variant.kind(name) for name in plan.outputs}
        saved = self._parts.open()
        self._done = Done.begun(saved, float(opened.clip.rate))
        if saved is None:
            self._scales = self._measured_scales()
        else:
            self._scales = dict(zip(plan.outputs, saved["scales"].tolist(), strict=True))
            self._tell("going on after frame")
        self._layers = _layers(self._parts, plan, self._kinds, self._scales, self._clip, self._done)
        self._told = time.perf_counter()

    def run(self) -> ClipResult:
        """All frames that are not done yet. OSError, IidError."""
        done = self._done
        # Their processes end when they are closed, come what may.
        with closing(self._layers), closing(self._results()) as results:
            for result in results:
                self._layers.write(done.frames, result)
                done.frames += 1
                if done.frames % PART == 0:
                    self._save()
            self._layers.end_part()
        if not done.frames:
            raise DataError("no frame of the video can be decoded", "copy or download it again")
        notes = (*self._clip.notes, *done.notes)
        return ClipResult(self._layers, self._parts, done.frames, self._numbers(), notes)

    def _save(self) -> None:
        """A part is done."""
        self._layers.end_part()
        self._parts.save(self._state())
        if time.perf_counter() - self._told > QUIET:
            self._told = time.perf_counter()
            self._tell("at frame")

    def _tell(self, where: str) -> None:
        self._note(f"{self._name}: {where} {self._done.frames} of {self._clip.count}")

    def _results(self) -> Generator[Decomposition, None, None]:
        """Frames, taken apart and steadied."""
        from intrinsic_cli.kit.files.clip import read_frames

        device, asked = self._session.runtime.device, self._plan.request.batch_size
        height, width = self._clip.size
        batch = photos_at_a_time(device, asked, height * width)
        number = self._done.frames
        with closing(read_frames(self._clip, number)) as frames:
            for group in _groups(frames, batch):
                began = time.perf_counter()
                photos = [to_photo(frame, self._plan) for frame in group]
                for result in self._session.try_many(photos, self._note):
                    number += 1
                    yield self._steadied(_whole(result, number))
                self._done.seconds += time.perf_counter() - began

    def _steadied(self, result: Decomposition) -> Decomposition:
        """The frame in the scale of its shot, if it has one."""
        for note in result.notes:
            self._done.notes.setdefault(note)
        layers = dict(result.layers)
        if result.regions or not layers.keys() >= set(FACTORS):
            self._done.notes.setdefault(_FRAME_BY_FRAME)
            return result
        gain = self._done.steady.gain(result.photo, layers[ALBEDO])
        layers[ALBEDO] = layers[ALBEDO] * gain
        layers[SHADING] = layers[SHADING] / gain
        return replace(result, layers=layers)

    def _measured_scales(self) -> dict[str, float]:
        """The scale of each layer for the whole video; float formats need none."""
        from intrinsic_cli.kit.files.clip import read_frames
        from intrinsic_cli.kit.inference.clip_files import INTEGER, scales_of

        if self._plan.makes_frames and self._plan.request.format not in INTEGER:
            return dict.fromkeys(self._kinds, 1.0)
        step = max(1, self._clip.count // SAMPLE)
        frames = read_frames(self._clip, step // 2, step)
        photos = (to_photo(frame, self._plan) for frame in frames)
        results = (self._session.try_many([photo])[0] for photo in photos)
        good = (result for result in results if isinstance(result, Decomposition))
        return scales_of(good, self._kinds)

    def _numbers(self) -> dict[str, Any]:
        done = self._done
        facts = {
            "frames": done.frames,
            "frame_rate": round(float(self._clip.rate), 6),
            "codec": self._clip.codec,
            "seconds": done.seconds,
        }
        return facts | done.steady.numbers() if done.steady.shots else facts

    def _state(self) -> dict[str, Any]:
        """Everything that is needed to go on."""
        import numpy as np

        done = self._done
        return {
            "frames": np.array(done.frames),
            "seconds": np.array(done.seconds),
            "squares": np.array(self._layers.squares),
            "notes": np.array(list(done.notes), np.str_),
            "scales": np.array(list(self._scales.values())),
            **done.steady.state(),
        }


_FRAME_BY_FRAME = "frame by frame: nothing holds these layers steady over a shot"


def to_photo(frame: Frames, plan: Plan) -> Photo:
    """A frame in linear light."""
    from intrinsic_cli.kit.files import photo

    return photo.to_photo(frame, plan.request.input_encoding)


def _layers(
    parts: ClipParts,
    plan: Plan,
    kinds: Mapping[str, Kind],
    scales: Mapping[str, float],
    clip: Clip,
    done: Done,
) -> ClipLayers:
    from intrinsic_cli.kit.files.exif import Exif
    from intrinsic_cli.kit.inference.clip_files import PictureLayers, VideoLayers

    if not plan.makes_frames:
        return VideoLayers(parts.folder, kinds, scales, clip, done.frames)
    exif = Exif() if plan.request.metadata == "keep" else None
    return PictureLayers(parts.folder, kinds, scales, plan.request.format, exif, done.squares)


def _whole(result: Decomposition | IidError, number: int) -> Decomposition:
    if isinstance(result, IidError):
        raise type(result)(f"frame {number}: {result.message}", result.hint)
    return result


def _groups(items: Iterator[Item], count: int) -> Iterator[list[Item]]:
    """So many together, the last perhaps fewer."""
    group = list(islice(items, count))
    while group:
        yield group
        group = list(islice(items, count))
