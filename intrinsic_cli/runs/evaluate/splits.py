"""The cases of one split of a dataset, or of both."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from intrinsic_cli.api import Case, DataError, Source

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

SPLITS = ("val", "train", "all")


def cases_of(source: Source, split: str) -> Sequence[Case]:
    """The cases of ``split``, one of :data:`SPLITS`; ``all`` = of both, each once. DataError where
    there are none, which says where they are."""
    if not source.paired:
        message = f"{source.name} holds photos and layers that do not belong together"
        raise DataError(message, "measure on a dataset with truth; `iid datasets` lists them")
    if split == "all":
        from intrinsic_cli.kit.data.readers import all_cases

        return all_cases(source)
    wanted: Split = "train" if split == "train" else "val"
    other: Split = "val" if split == "train" else "train"
    cases = _cases_if_any(source, wanted)
    if cases:
        return cases
    elsewhere = len(_cases_if_any(source, other))
    if not elsewhere:
        hint = "`iid datasets check` tells what is missing, file by file"
        raise DataError(f"{source.name} has no case to score", hint)
    photos = "its only photo is" if elsewhere == 1 else f"all its {elsewhere} photos are"
    message = f"{source.name} has no {wanted!r} split: {photos} in {other!r}"
    raise DataError(message, "score them with --split all")


def _cases_if_any(source: Source, split: Split) -> Sequence[Case]:
    try:
        return source.cases(split)
    except DataError:
        return ()
