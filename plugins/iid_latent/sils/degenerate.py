"""Training that has collapsed is stopped, not finished.

One layer that takes the whole photo while another stays flat rebuilds every photo: a cheap answer
that all terms but those on made mixtures allow. There the layers are known, which makes collapse
easy to tell from a plain scene."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from intrinsic_cli.api import TrainingError

_FLAT = 0.02  # of the exemplar's spread, below which a layer says nothing
_COPY = 0.02  # of the exemplar's distance from the photo, below which a layer is the photo
_PLAIN = 0.02  # spread or distance of an exemplar from which on its layer tells
_HINT = (
    "try a lower learning rate (--set lr=…, dis_lr=…), less adversarial weight "
    "(--set adversarial=…) or more weight on mixtures (--set compose=…); --set guard=0 goes on "
    "regardless"
)


def require_distinct_layers(photo: Tensor, layers: Mapping[str, tuple[Tensor, Tensor]]) -> None:
    """TrainingError if a layer is flat, or is the photo, in every image of a batch where its
    exemplar is not.

    ``layers`` by name: what was drawn and the exemplar; all are images [B,C,H,W] of the same kind
    as ``photo``."""
    for name, (drawn, exemplar) in layers.items():
        if _always_below(_spread(drawn), _spread(exemplar), _FLAT):
            raise TrainingError(f"training has collapsed: {name} is flat whatever the photo", _HINT)
        if _always_below(_spread(drawn - photo), _spread(exemplar - photo), _COPY):
            raise TrainingError(
                f"training has collapsed: {name} is a copy of the photo, whatever the photo", _HINT
            )


def _spread(image: Tensor) -> Tensor:
    """Standard deviation over the pixels, mean over channels: [B]."""
    return image.flatten(2).std(2).mean(1)


def _always_below(drawn: Tensor, exemplar: Tensor, share: float) -> bool:
    telling = exemplar > _PLAIN
    return bool(telling.any()) and bool((drawn < share * exemplar)[telling].all())
