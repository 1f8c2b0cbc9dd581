"""Which photos are held out for validation where a dataset does not say it itself."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from intrinsic_cli.api.data import Split

Entry = TypeVar("Entry")

HELD_OUT = 0.1  # of all photos, about
#: A split of fewer photos than this tells little; it is said.
_FEW = 10


def hash_share(name: str) -> float:
    """A number in 0..1 that depends on the name alone, on every machine."""
    digest = hashlib.sha256(name.encode(errors="surrogateescape")).digest()
    return int.from_bytes(digest[:6], "big") / 2**48


def hold_out(
    entries: Iterable[Entry], name_of: Callable[[Entry], str], least: int = 1
) -> list[Entry]:
    """About a tenth of the entries, chosen by a hash of their names and in its order; always at
    least ``least``. Adding entries moves none of the others."""

    def share(entry: Entry) -> float:
        return hash_share(name_of(entry))

    ranked = sorted(entries, key=share)
    chosen = [entry for entry in ranked if share(entry) < HELD_OUT]
    return chosen if len(chosen) >= least else ranked[:least]


def split_by_group(
    entries: Sequence[Entry], group_of: Callable[[Entry], str]
) -> dict[Split, list[Entry]]:
    """Both splits, where all entries of a group (a photo, a scene) belong to one of them: ``val``
    has a tenth of the groups. A single group is both trained on and validated with."""
    groups = {group_of(entry) for entry in entries}
    held = set(hold_out(groups, str))
    val = [entry for entry in entries if group_of(entry) in held]
    train = [entry for entry in entries if group_of(entry) not in held]
    return {"train": train or list(entries), "val": val}


def notes_on_split(place: object, entries: Mapping[Split, Sequence[object]]) -> tuple[str, ...]:
    """What the owner of few photos should know of how they were split; nothing to say of many."""
    train, val = entries["train"], entries["val"]
    learned = set(map(id, train))
    if any(id(entry) in learned for entry in val):
        return (f"{place} is too small to be split: what validates is also trained on",)
    total = len(train) + len(val)
    if total >= _FEW:
        return ()
    found = f"{len(val)} of the {total} photos in {place}"
    return (f"only {found} are held out as the split val; the split all has every photo",)
