"""Rows of batches: each is stacked and mirrored by its kind, see
:data:`intrinsic_cli.api.data.ROWS`.

A sample is what one photo brings to a batch: planes and vectors [H,W,C], points [K,3], light [27],
numbers of any one shape. Collated, planes become [B,C,H,W] and everything else [B,...].
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import torch

from intrinsic_cli.api import PluginError
from intrinsic_cli.api.data import ROWS
from intrinsic_cli.kit.data.harmonics import ODD_IN_X

if TYPE_CHECKING:
    from typing import Any

    from numpy.typing import NDArray

    from intrinsic_cli.api.data import Batch, Row

    #: Arrays by key.
    Sample = Mapping[str, NDArray[Any]]

_PICTURES = ("planes", "vectors")


def kind_of_row(key: str, own: Mapping[str, Row] | None = None) -> Row:
    """The kind of a key: what ``own`` (``Source.rows``) or :data:`ROWS` says of it.

    ``NAME_mask`` is a plane; ``true NAME`` is of the kind of ``NAME``. PluginError for a key whose
    kind nobody has said.
    """
    if own and key in own:
        return own[key]
    if key in ROWS:
        return ROWS[key]
    if key.endswith("_mask"):
        return "planes"
    if key.startswith("true "):
        return kind_of_row(key.removeprefix("true "), own)
    hint = f"give the dataset rows = {{{key!r}: KIND}}, see intrinsic_cli.api.data.Row"
    raise PluginError(f"the kind of the batch key {key!r} is not known", hint)


def collate(samples: Sequence[Sample], own: Mapping[str, Row] | None = None) -> Batch:
    """Samples of one size → one batch of tensors."""
    batch = {}
    for key in samples[0]:
        stacked = np.stack([sample[key] for sample in samples])
        if kind_of_row(key, own) in _PICTURES:
            stacked = stacked.transpose(0, 3, 1, 2)
        batch[key] = torch.from_numpy(np.ascontiguousarray(stacked))
    return batch


def mirror(
    sample: Sample, own: Mapping[str, Row] | None = None, swapped: Sequence[int] | None = None
) -> Sample:
    """The sample as a mirror shows it: left is right.

    ``swapped``, if given, says for each point which one takes its place: of what comes in pairs,
    the left one becomes the right one.
    """
    return {
        key: _mirrored(values, kind_of_row(key, own), swapped) for key, values in sample.items()
    }


def _mirrored(values: NDArray[Any], kind: Row, swapped: Sequence[int] | None) -> NDArray[Any]:
    if kind == "planes":
        return values[:, ::-1]
    if kind == "vectors":
        return np.asarray(values[:, ::-1] * np.array([-1, 1, 1], values.dtype))
    if kind == "points":
        points = values if swapped is None else values[list(swapped)]
        return np.asarray(points * np.array([-1, 1, 1], values.dtype))
    if kind == "light":
        coefficients = values.reshape(3, 9).copy()
        coefficients[:, ODD_IN_X] *= -1
        return coefficients.reshape(values.shape)
    return values
