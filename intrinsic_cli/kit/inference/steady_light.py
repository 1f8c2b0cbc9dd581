"""The scale of albedo, held steady over a shot.

A photo does not tell whether it shows a dark wall in bright light or a bright wall in dim light. A
method decides that anew for every frame of a video, a little differently each time, and the albedo
flickers. Here each frame gets a gain: albedo is multiplied by it, shading divided, so that their
product stays. It is chosen so that places seen in two neighbouring frames keep their albedo, and it
returns slowly to 1, so that small errors do not add up and the scale of a shot is the one that the
method finds on average. Places are followed by optical flow; of those only the ones count whose
photo, apart from its exposure, did not change either. Where hardly any does, a new shot begins, and
its scale has nothing to do with the one before.

Measured on fast pans over still photos, whose every place is known (48 frames, exposure up and down
by 0.8 stops): the scale of albedo strays by 7.5 % frame by frame and by 1.5 % with gains (`coffee`,
method flow), by 27 and 3.1 % (`rocket`, retinex); from one frame to the next it moves by 1.9 and
0.6 %, by 3.9 and 0.5 %. The colour of albedo is left as it is: flow moves it by 0.3 %, and
following it by places would add more than it takes away.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from intrinsic_cli.kit.files.opencv import cv2

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image

Floats = NDArray[np.float32]

#: Longer side of the copies that are compared, pixels.
SIDE = 160
_LEAST = 48  # of the shorter one: the optical flow looks at patches of an eighth
#: Seconds in which a gain has gone most of its way back to 1.
RETURN = 4.0
#: Change of the photo's logarithm, exposure apart, up to which a place counts as the same.
SAME = 0.1
#: The least share of same places within a shot. (Of pans that cross the picture in a second and a
#: half there were 47 % and more; of pairs of different photos 6 % at most.)
SHOT = 0.15
_FEW = 0.01  # share of the picture; with fewer places that are not black nothing can be said
_FLOOR = 1e-3  # added before the logarithm
_DARK = math.log(3 * _FLOOR)  # what is darker tells nothing
_CONTRAST = 40.0  # gray levels of one unit of the logarithm, for the optical flow


@dataclass(frozen=True, slots=True)
class Places:
    """A frame made small: ``photo`` [h,w,3], logarithms, and ``albedo`` [h,w], the logarithm of
    its brightness."""

    photo: Floats
    albedo: Floats

    @staticmethod
    def of(photo: Image, albedo: Image) -> Places:
        """From full-size pictures [H,W,3] and [H,W,1 or 3], linear."""
        paint = _small_log(albedo)
        return Places(_small_log(photo), paint.mean(axis=2))

    def changes_since(self, before: Places) -> Floats | None:
        """The change of log albedo at each place that both frames show, [N]; None where they are
        of different shots."""
        x, y = _origins(before.photo, self.photo)
        photo = cv2.remap(before.photo, x, y, cv2.INTER_LINEAR)
        albedo = cv2.remap(before.albedo, x, y, cv2.INTER_LINEAR)
        darker = np.minimum(photo, self.photo)
        lit = _within(x, y) & (darker.max(axis=2) > _DARK)
        if lit.mean() < _FEW:
            return np.zeros(1, np.float32)
        change = self.photo - photo
        exposure = np.median(change[lit], axis=0)
        stays = np.abs(change - exposure) <= SAME
        same = lit & stays.all(axis=2)
        if same.sum() < SHOT * lit.sum():
            return None
        changes: Floats = (self.albedo - albedo)[same]
        return changes


@dataclass(slots=True)
class SteadyLight:
    """What is known of a shot up to now, at ``rate`` frames a second."""

    rate: float
    log_gain: float = 0.0
    before: Places | None = None
    shots: int = 0
    pairs: int = 0
    flicker: NDArray[np.float64] = field(default_factory=lambda: np.zeros((2, 2)))

    def gain(self, photo: Image, albedo: Image) -> float:
        """What to multiply the ``albedo`` [H,W,1 or 3] of the next frame by, linear as the
        ``photo`` [H,W,3]."""
        now = Places.of(photo, albedo)
        changes = None if self.before is None else now.changes_since(self.before)
        if changes is None:
            self.shots += 1
            self.log_gain = 0.0
        else:
            self._follow(changes)
        self.before = now
        return float(np.exp(self.log_gain))

    def _follow(self, changes: Floats) -> None:
        last = self.log_gain
        stay = max(0.0, 1 - 1 / (RETURN * self.rate))
        self.log_gain = (last - float(np.median(changes))) * stay
        steadied = changes + np.float32(self.log_gain - last)
        self.flicker += [_flicker(changes), _flicker(steadied)]
        self.pairs += 1

    def numbers(self) -> dict[str, Any]:
        """For the sidecar. ``flicker`` is the share by which albedo as a whole (the mean over
        all places that can be followed) changes from one frame to the next, on average over a
        shot, ``flicker_of_places`` the same of single places: ``frame_by_frame``, as the method
        gave it, and as ``written``, before files round it."""
        whole, places = (self.flicker / max(1, self.pairs)).round(6).T.tolist()
        words = ("frame_by_frame", "written")
        return {
            "shots": self.shots,
            "flicker": dict(zip(words, whole, strict=True)),
            "flicker_of_places": dict(zip(words, places, strict=True)),
        }

    def state(self) -> dict[str, NDArray[Any]]:
        """All of it as it is now, as arrays by name."""
        arrays: dict[str, NDArray[Any]] = {
            "numbers": np.array([self.log_gain, self.shots, self.pairs]),
            "flicker": self.flicker.copy(),
        }
        if self.before is not None:
            arrays |= {"photo": self.before.photo, "albedo": self.before.albedo}
        return arrays

    @staticmethod
    def restored(rate: float, state: Mapping[str, NDArray[Any]]) -> SteadyLight:
        """The one of which that is the state."""
        log_gain, shots, pairs = state["numbers"].tolist()
        before = Places(state["photo"], state["albedo"]) if "photo" in state else None
        return SteadyLight(rate, log_gain, before, int(shots), int(pairs), state["flicker"])


def _flicker(changes: Floats) -> tuple[float, float]:
    """Changes of log albedo → how much the whole changed, and how much its places did."""
    return abs(float(changes.mean())), float(np.abs(changes).mean())


def _origins(before: Floats, now: Floats) -> tuple[Floats, Floats]:
    """Where each place of ``now`` was before: columns and rows, both [h,w]."""
    flow = cv2.DISOpticalFlow_create(cv2.DISOPTICAL_FLOW_PRESET_FAST)
    moved: Floats = flow.calc(_gray(now), _gray(before), None)
    height, width = now.shape[:2]
    x, y = moved[..., 0], moved[..., 1]
    x += np.arange(width)
    y += np.arange(height)[:, None]
    return x, y


def _within(x: Floats, y: Floats) -> NDArray[np.bool_]:
    """Does a place lie in the picture?"""
    height, width = x.shape
    beside = (x < 0) | (x > width - 1)
    above = (y < 0) | (y > height - 1)
    outside: NDArray[np.bool_] = beside | above
    within: NDArray[np.bool_] = ~outside
    return within


def _small_log(image: Image) -> Floats:
    """[H,W,C] linear → [h,w,C], made small, logarithms."""
    sides = image.shape[:2]
    shrink = min(1.0, SIDE / max(sides))
    height, width = (max(_LEAST, round(side * shrink)) for side in sides)
    area = cv2.INTER_AREA
    small: Floats = cv2.resize(image, (width, height), interpolation=area)
    logarithm: Floats = np.log(small + np.float32(_FLOOR))
    return logarithm.reshape(height, width, -1)  # OpenCV drops an only channel


def _gray(photo: Floats) -> NDArray[np.uint8]:
    """Log photo → gray levels in which exposure does not show."""
    brightness = photo.mean(axis=2)
    levels = (brightness - brightness.mean()) * _CONTRAST + 128
    return np.asarray(np.clip(levels, 0, 255), np.uint8)
