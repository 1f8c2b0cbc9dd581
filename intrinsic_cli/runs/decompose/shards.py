"""``--shard I/N``: the part of the photos that one process does."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import UsageError
from intrinsic_cli.runs.launcher import launched

HINT = "write 1/4, 2/4, 3/4 or 4/4 for the parts of four"


@dataclass(frozen=True, slots=True)
class Shard:
    """Part ``number`` of ``count``, counted from 1.

    Which photos are its own follows from their names alone: processes need not see the same list,
    and a photo that is added moves no other.
    """

    number: int = 1
    count: int = 1

    def __str__(self) -> str:
        return f"{self.number}/{self.count}"

    @property
    def label(self) -> str:
        """What its files are called by: ``-2-of-4``, or nothing where it is everything."""
        return "" if self.count == 1 else f"-{self.number}-of-{self.count}"

    def owns(self, relative: Path) -> bool:
        """Is a photo, by its path relative to the input, one of this part?"""
        if self.count == 1:
            return True
        # Systems spell the same accents differently.
        name = unicodedata.normalize("NFC", relative.as_posix())
        digest = hashlib.sha256(name.encode("utf-8", "surrogateescape")).digest()
        place = int.from_bytes(digest[:8], "big") % self.count
        return place == self.number - 1


def parse_shard(text: str) -> Shard:
    """``2/4`` → part 2 of 4; "" → everything. UsageError."""
    if not text:
        return Shard()
    found = re.fullmatch(r"\s*(\d{1,9})\s*/\s*(\d{1,9})\s*", text, re.ASCII)
    if found is None:
        raise UsageError(f"{text!r} is no shard", HINT)
    number, count = map(int, found.groups())
    if not 1 <= number <= count:
        raise UsageError(f"there is no shard {text}: shards of {count} are 1 to {count}", HINT)
    return Shard(number, count)


def shard_here(environment: Mapping[str, str]) -> tuple[str, str]:
    """The shard that torchrun or SLURM gave this process, ``I/N``, and a sentence that says so;
    ("", "") where there is but one process."""
    place = launched(environment)
    if place is None:
        return "", ""
    shard = f"{place.rank + 1}/{place.count}"
    return shard, f"shard {shard} of the photos ({place.told}; --shard 1/1 does all of them)"
