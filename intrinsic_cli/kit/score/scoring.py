"""One answered case → its scores by a protocol."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from intrinsic_cli.api import Case, DataError, Protocol
from intrinsic_cli.api.outputs import KIND_OF, KINDS

if TYPE_CHECKING:
    from intrinsic_cli.api.outputs import Image
    from intrinsic_cli.api.protocols import Answer, Scores


def score_case(protocol: Protocol, case: Case, answer: Answer) -> Scores:
    """Scores of one answered case.

    ``answer``: outputs by name; layers [H,W,C] (or [H,W]) linear, at the photo's size. Those the
    protocol does not look at are passed over, and so is a case without a single masked pixel ({}).
    DataError for a layer of another size than its photo."""
    if not np.any(case.mask):
        return {}
    return protocol.score(case, looked_at(protocol, case, answer))


def looked_at(protocol: Protocol, case: Case, answer: Answer) -> dict[str, Any]:
    """The outputs the protocol can say something about: those with truth and those it reads."""
    found = {}
    for name in dict.fromkeys((*case.truth, *protocol.reads)):
        if name in answer:
            found[name] = answer[name]
            if _is_layer(name, answer[name], case):
                found[name] = _fitting(name, answer[name], case)
    return found


def _is_layer(name: str, output: Any, case: Case) -> bool:
    """Is it a picture that must have the photo's size? Of a plugin's own names only those are
    that there is truth of."""
    if not isinstance(output, np.ndarray):
        return False
    return name in case.truth or (name in KIND_OF and KINDS[KIND_OF[name]].is_layer)


def _fitting(name: str, layer: Image, case: Case) -> Image:
    """[H,W] or [H,W,C] → [H,W,C] of the photo's size, or a DataError."""
    if layer.ndim == 2:
        layer = layer[..., None]
    if layer.shape[:2] != case.photo.shape[:2]:
        sizes = f"{_size(layer)} and its photo {_size(case.photo)}"
        hint = "a layer must have the size of its photo: scale or cut it as the photo was"
        raise DataError(f"the {name} of {case.name} is {sizes}", hint)
    return layer


def _size(image: Image) -> str:
    height, width = image.shape[:2]
    return f"{width}×{height}"
