"""Light of faces: where it comes from, and all of its harmonics.

A light is 27 coefficients of the house (``kit.data.harmonics``). Its direction is that of the mean
over the colours of the three linear ones, the mean of all light that arrives weighted by where it
comes from; of rendered heads that is the light at the head before anything shadows it. Light from
nearly everywhere has none, and what comes from behind the face a photo hardly shows: such cases are
counted, not scored.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import torch

from intrinsic_cli.api import Case, Metric
from intrinsic_cli.kit import metrics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from intrinsic_cli.api.protocols import Answer, Scores

#: A lamp alone has a focus of 1, light from everywhere 0; below this there is no direction.
LEAST_FOCUS = 0.1

METRICS: Mapping[str, Metric] = {
    "light_angle": Metric("lower", "°", "angle between light from in front and the true one"),
    "light_angle_any": Metric("lower", "°", "the same of all lights that have a direction"),
    "light_rmse": Metric("lower", about="root mean squared error of the 27 harmonics"),
    "light_left_out": Metric("neither", "%", "lights from behind, or from nowhere in particular"),
}


def light_of(answer: Answer) -> NDArray[np.float64] | None:
    """The light [27] of the first face of an answer (the largest), None where it tells none."""
    faces = answer.get("light", {}).get("faces", ())
    numbers = faces[0].get("sh", ()) if faces else ()
    return np.asarray(numbers, np.float64) if len(numbers) == 27 else None


def focus(light: NDArray[np.floating]) -> float:
    """How much of a light [27] has a direction, 0..1."""
    even, *linear = _mean_colour(light)[:4]
    if even <= 0:
        return 0.0
    share = float(np.linalg.norm(linear)) / (3**0.5 * float(even))
    return min(share, 1.0)


def towards(light: NDArray[np.floating]) -> NDArray[np.float64]:
    """The unit vector [3] to where most of a light [27] comes from: x right, y up, z to the
    viewer."""
    y, z, x = _mean_colour(light)[1:4]
    vector = np.array([x, y, z])
    return vector / max(float(np.linalg.norm(vector)), 1e-12)


def is_seen(direction: NDArray[np.floating]) -> bool:
    """Does light from there (x right, y up, z to the viewer) reach what faces the camera?"""
    return bool(direction[2] > 0)


def angle(one: NDArray[np.floating], other: NDArray[np.floating]) -> float:
    """Degrees between two unit vectors [3]."""
    return float(np.degrees(np.arccos(np.clip(one @ other, -1, 1))))


def true_direction(case: Case) -> NDArray[np.float64] | None:
    """Where the light of a case comes from: ``facts["towards"]`` [3] or, of a light that has a
    direction, that of ``facts["light"]`` [27]."""
    if "towards" in case.facts:
        return np.asarray(case.facts["towards"], np.float64)
    true = case.facts.get("light")
    if true is None or focus(true) < LEAST_FOCUS:
        return None
    return towards(true)


def light_scores(case: Case, answer: Answer) -> Scores:
    """``light_angle`` of lights from in front, ``light_angle_any`` of all that have a direction,
    ``light_rmse`` of the 27; {} where nothing is known or told of the light."""
    made = light_of(answer)
    if made is None:
        return {}
    scores: Scores = {}
    wanted = true_direction(case)
    if wanted is not None:
        scores["light_angle_any"] = angle(towards(made), wanted)
        if is_seen(wanted):
            scores["light_angle"] = scores["light_angle_any"]
    if "light" in case.facts:
        true = np.asarray(case.facts["light"], np.float64)
        rmse = metrics.light_rmse(torch.from_numpy(made)[None], torch.from_numpy(true)[None])
        scores["light_rmse"] = rmse.item()
    return scores


class LeftOut:
    """How many percent of the lights are in no ``light_angle``: they have no direction, or come
    from behind."""

    def __init__(self) -> None:
        self._all = self._scored = 0

    def add(self, case: Case, answer: Answer, scores: Mapping[str, float]) -> None:
        """Take in one photo."""
        known = case.facts.keys() & {"light", "towards"}
        if known and light_of(answer) is not None:
            self._all += 1
            self._scored += "light_angle" in scores

    def scores(self) -> Scores:
        """{} where no light was told."""
        if not self._all:
            return {}
        return {"light_left_out": 100 * (1 - self._scored / self._all)}


def _mean_colour(light: NDArray[np.floating]) -> NDArray[np.float64]:
    by_colour = np.asarray(light, np.float64).reshape(3, 9)
    return np.asarray(by_colour.mean(axis=0))
