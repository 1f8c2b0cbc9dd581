"""The frames of one clip, taken apart in parts that stay when the run is killed. Frames are read
before they are wanted and written while the network is at the next."""

from __future__ import annotations

import time
from collections.abc import Callable, Generator, Iterable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, replace
from functools import partial
from itertools import islice
from typing import TYPE_CHECKING, Any, TypeVar

from intrinsic_cli.api import DataError, Decomposition, IidError, Kind
from intrinsic_cli.api.outputs import FACTORS
from intrinsic_cli.kit.files.available_cores import cores_here
from intrinsic_cli.runs.decompose.clip_parts import ClipParts, Done
from intrinsic_cli.runs.decompose.plan import Plan
from intrinsic_cli.runs.decompose.targets import Target
from intrinsic_cli.runs.decompose.workers import choose_workers, photos_at_a_time
from intrinsic_cli.runs.session import Session

if TYPE_CHECKING:
    from intrinsic_cli.kit.files.clip import Clip, ClipFrame
    from intrinsic_cli.kit.files.photo import Photo
    from intrinsic_cli.kit.inference.clip_files import ClipLayers
    from intrinsic_cli.kit.inference.write_behind import WriteBehind

Item = TypeVar("Item")
Note = Callable[[str], None]

#: Frames of a part: so many are done again at most after a run was killed.
PART = 60
#: Frames, spread over a clip, that say how bright its layers are.
SAMPLE = 12
QUIET = 30.0  # seconds between two sentences about how far it is
ALBEDO, SHADING = FACTORS


@dataclass(frozen=True, slots=True)
class OpenedClip:
    """A clip that was looked through, the hash of its file or files, and when work on it began."""

    target: Target
    clip: Clip
    sha256: str
    began: float


@dataclass(slots=True)
class ClipResult:
    """The layers of its ``frames`` that are not lost, all written but not in their places, and what
    the sidecar shall say."""

    layers: ClipLayers[Any]
    parts: ClipParts
    frames: int
    facts: Mapping[str, Any]
    notes: Sequence[str]


class ClipWork:
    """Work on one clip by a ``plan`` for it, begun or gone on with."""

    def __init__(self, opened: OpenedClip, plan: Plan, session: Session, note: Note) -> None:
        self._clip = opened.clip
        self._plan = plan
        self._session = session
        self._name = opened.target.input
        self._note = note
        self._parts = ClipParts(opened.target, plan, opened.sha256)
        self._kinds = {name: plan.choice.variant.kind(name) for name in plan.outputs}
        self._workers = choose_workers(
            session.runtime.device, plan.request.batch_size, cores_here()
        )
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
        from intrinsic_cli.kit.inference.write_behind import WriteBehind

        done = self._done
        # Their processes and threads end when they are closed, come what may.
        with closing(self._layers), WriteBehind(self._workers.writers) as behind:
            with closing(self._results()) as results:
                for frame, result in results:
                    self._hand_in(behind, frame, result)
            kept = done.frames - done.lost
            if not kept:
                raise DataError("no frame of the clip can be decoded", "copy or download it again")
            # A run that is killed while the layers go to their places must find nothing to do.
            behind.then(partial(self._save, self._state()))
            behind.finish()
        notes = tuple(dict.fromkeys((*self._clip.notes, *done.notes, *self._about_lost())))
        return ClipResult(self._layers, self._parts, kept, self._numbers(), notes)

    def _hand_in(self, behind: WriteBehind, frame: ClipFrame, result: Decomposition | None) -> None:
        """A frame to be written, and what a part that ends with it leaves for a later run."""
        behind.add(partial(self._layers.encode, frame, result), partial(self._layers.put, frame))
        self._done.frames += 1
        self._done.lost += result is None
        if self._done.frames % PART == 0:
            behind.then(partial(self._save, self._state()))
            if time.perf_counter() - self._told > QUIET:
                self._told = time.perf_counter()
                self._tell("at frame")

    def _save(self, state: Mapping[str, Any]) -> None:
        """A part is done."""
        import numpy as np

        self._layers.end_part()
        self._parts.save({**state, "squares": np.array(self._layers.squares)})

    def _tell(self, where: str) -> None:
        self._note(f"{self._name}: {where} {self._done.frames} of {self._clip.count}")

    def _results(self) -> Generator[tuple[ClipFrame, Decomposition | None], None, None]:
        """Frames with what was made of them, steadied; None of those that are lost."""
        from intrinsic_cli.kit.training.prefetch import prefetch

        device, asked = self._session.runtime.device, self._plan.request.batch_size
        height, width = self._clip.size
        batch = photos_at_a_time(device, asked, height * width)
        frames = self._clip.frames(self._done.frames)
        with closing(frames), closing(prefetch(_groups(frames, batch), depth=1)) as groups:
            for group in groups:
                began = time.perf_counter()
                yield from self._group(group)
                self._done.seconds += time.perf_counter() - began

    def _group(
        self, group: Sequence[ClipFrame]
    ) -> Iterator[tuple[ClipFrame, Decomposition | None]]:
        """Frames that go through the network together."""
        photos = [frame.photo for frame in group if frame.photo is not None]
        made = iter(self._session.try_many(photos, self._note) if photos else ())
        for frame in group:
            if frame.photo is None:
                self._keep([frame.trouble])
                yield frame, None
                continue
            name = f"frame {self._clip.stem(frame.index)}"
            self._keep((*frame.photo.notes, *_about_repaired(frame.photo, name)))
            yield frame, self._steadied(_whole(next(made), name))

    def _keep(self, notes: Iterable[str]) -> None:
        """Sentences to be told at the end, each once."""
        for note in filter(None, notes):
            self._done.notes.setdefault(note)

    def _steadied(self, result: Decomposition) -> Decomposition:
        """The frame in the scale of its shot, if it has one."""
        self._keep(result.notes)
        layers = dict(result.layers)
        if result.regions or not layers.keys() >= set(FACTORS):
            self._keep([_FRAME_BY_FRAME])
            return result
        gain = self._done.steady.gain(result.photo, layers[ALBEDO])
        layers[ALBEDO] = layers[ALBEDO] * gain
        layers[SHADING] = layers[SHADING] / gain
        return replace(result, layers=layers)

    def _measured_scales(self) -> dict[str, float]:
        """The scale of each layer for the whole clip; float formats need none."""
        from intrinsic_cli.kit.inference.clip_files import INTEGER, scales_of

        if self._plan.makes_frames and self._plan.request.format not in INTEGER:
            return dict.fromkeys(self._kinds, 1.0)
        step = max(1, self._clip.count // SAMPLE)
        with closing(self._clip.frames(step // 2, step)) as frames:
            photos = (frame.photo for frame in frames if frame.photo is not None)
            results = (self._session.try_many([photo])[0] for photo in photos)
            good = (result for result in results if isinstance(result, Decomposition))
            return scales_of(good, self._kinds)

    def _about_lost(self) -> Iterator[str]:
        """What a video shows where a frame is lost."""
        if self._done.lost and not self._plan.makes_frames:
            yield "where a frame is lost, the videos are black, so that the others keep their time"

    def _numbers(self) -> dict[str, Any]:
        done = self._done
        facts = {
            "frames": done.frames - done.lost,
            "frame_rate": round(float(self._clip.rate), 6),
            "codec": self._clip.codec,
            "seconds": done.seconds,
        }
        if done.lost:
            facts["lost"] = done.lost
        return facts | done.steady.numbers() if done.steady.shots else facts

    def _state(self) -> dict[str, Any]:
        """All that is needed to go on and is known before the frames are written."""
        import numpy as np

        done = self._done
        return {
            "frames": np.array(done.frames),
            "lost": np.array(done.lost),
            "seconds": np.array(done.seconds),
            "notes": np.array(list(done.notes), np.str_),
            "scales": np.array(list(self._scales.values())),
            **done.steady.state(),
        }


def _about_repaired(photo: Photo, name: str) -> Iterator[str]:
    """One sentence for all frames that had to be repaired in part, and one for each that was
    nothing else."""
    from intrinsic_cli.kit.files.photo import MUCH, REPAIRED

    if photo.repaired == 1:
        yield f"{name}: all of its pixels were {REPAIRED}"
    elif photo.repaired >= MUCH:
        yield f"pixels of some frames were {REPAIRED}"


_FRAME_BY_FRAME = "frame by frame: nothing holds these layers steady over a shot"


def _layers(
    parts: ClipParts,
    plan: Plan,
    kinds: Mapping[str, Kind],
    scales: Mapping[str, float],
    clip: Clip,
    done: Done,
) -> ClipLayers[Any]:
    from intrinsic_cli.kit.inference.clip_files import PictureLayers, VideoLayers

    if not plan.makes_frames:
        return VideoLayers(parts.folder, kinds, scales, clip, done.frames)
    keep, form = plan.request.metadata == "keep", plan.request.format
    return PictureLayers(parts.folder, kinds, scales, form, clip, done.squares, keep)


def _whole(result: Decomposition | IidError, name: str) -> Decomposition:
    if isinstance(result, IidError):
        raise type(result)(f"{name}: {result.message}", result.hint)
    return result


def _groups(items: Iterator[Item], count: int) -> Iterator[list[Item]]:
    """So many together, the last perhaps fewer."""
    group = list(islice(items, count))
    while group:
        yield group
        group = list(islice(items, count))
