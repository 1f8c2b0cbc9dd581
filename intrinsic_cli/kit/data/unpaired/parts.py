"""Layers that do not belong together: photos of some scenes, albedos of others, shadings of yet
others."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from intrinsic_cli.api import DataError, Source
from intrinsic_cli.kit.data.sampling import SEED_STRIDE

if TYPE_CHECKING:
    from torch import Tensor

    from intrinsic_cli.api.data import Batch, Split

_PURPOSES: Mapping[Split, str] = {"train": "train on", "val": "validate with"}


def unpaired(
    source: Source,
    names: Sequence[str],
    split: Split,
    size: int,
    crop: int,
    seed: int = 0,
    start: int = 0,
) -> Iterator[Batch]:
    """Batches with the layers ``names``, each [B,3,S,S] linear with its own ``NAME_mask``
    [B,1,S,S].

    A dataset of paired layers is cut into as many parts as there are names and each layer is taken
    from a part of its own, so that no photo's own albedo or shading is ever seen. Validation
    batches also hold the first layer's own partners as ``true NAME``: to measure with, never to
    train on. A dataset that is not ``paired`` has nothing to cut. DataError where a dataset is too
    small to be cut."""
    if not source.paired:
        return source.batches(split, size, crop, seed, start)
    require_unpaired(source, len(names))
    return _drawn(source, names, split, size, crop, seed, start)


def require_unpaired(source: Source, parts: int = 3) -> None:
    """DataError for a dataset that can be neither cut into ``parts`` nor drawn unpaired: before any
    training, for both splits."""
    if not source.paired:
        return
    for split, purpose in _PURPOSES.items():
        there = source.counts(split).get("photo", 0)
        if there < parts:
            message = f"{source.name} has {there} photos to {purpose}"
            hint = "bring more photos, or folders that do not belong together: unpaired:FOLDER"
            raise DataError(f"{message}, too few to be cut into {parts} parts", hint)
    source.part(0, parts)


def _drawn(
    source: Source, names: Sequence[str], split: Split, size: int, crop: int, seed: int, start: int
) -> Iterator[Batch]:
    streams = []
    for index in range(len(names)):
        part = source.part(index, len(names))
        streams.append(part.batches(split, size, crop, seed + SEED_STRIDE * index, start))
    for batches in zip(*streams, strict=False):
        common = min(len(batch["mask"]) for batch in batches)
        drawn: dict[str, Tensor] = {}
        for name, batch in zip(names, batches, strict=True):
            drawn[name] = batch[name][:common]
            drawn[f"{name}_mask"] = batch["mask"][:common]
        if split == "val":
            drawn |= _partners(batches[0], names[1:], common)
        yield drawn


def _partners(batch: Batch, names: Sequence[str], count: int) -> dict[str, Tensor]:
    """What belongs to the first ``count`` photos of a batch, as ``true NAME``."""
    return {f"true {name}": batch[name][:count] for name in names if name in batch}
