"""Parts of a photo that a method looks at one by one: faces, birds, objects."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class Region:
    """A part of a photo.

    ``box`` is (left, top, width, height) in pixels of the photo and may reach beyond it. What is in
    it stands turned by ``angle`` degrees, counter-clockwise in the picture, about the middle of the
    box; the house turns it upright for the network and turns what comes back. ``label`` is what it
    is in the singular ("face"), under which its records are gathered; those of an only region
    without label ("") are the photo's own. ``confidence`` is how sure its finder is (0..1),
    ``feather`` the share of the box's shorter side over which its layers fade out at the border.
    ``facts`` go to the sidecar as they are. ``notes`` are sentences the user should read: that
    nothing was found and all of the photo is looked at. ``alpha`` [H,W], of the whole photo, is 1
    where the object is; cut out, it comes to the network in place of the photo's own.
    """

    box: tuple[float, float, float, float]
    angle: float = 0.0
    label: str = "region"
    confidence: float | None = None
    feather: float = 0.1
    facts: Mapping[str, Any] = field(default_factory=dict)
    notes: tuple[str, ...] = ()
    alpha: Any = field(default=None, compare=False, repr=False)

    @staticmethod
    def whole(
        height: int, width: int, label: str = "region", notes: tuple[str, ...] = ()
    ) -> Region:
        """All of a photo, without a border to fade out at."""
        box = (0.0, 0.0, float(width), float(height))
        return Region(box, label=label, feather=0.0, notes=notes)
