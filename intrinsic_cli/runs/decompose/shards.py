"""``--shard I/N``: the part of the photos that one process does."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from intrinsic_cli.api import UsageError

HINT = "write 1/4, 2/4, 3/4 or 4/4 for the parts of four"
#: Who starts several processes, and how each learns its number (from 0) and their count.
TORCHRUN = ("RANK", "WORLD_SIZE")
SLURM = ("SLURM_PROCID", "SLURM_NTASKS")


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
    for names in (TORCHRUN, SLURM):
        if names == SLURM and _is_batch_script(environment):
            continue
        rank, count = (environment.get(name, "") for name in names)
        if not (rank.isdecimal() and count.isdecimal()) or int(count) < 2:
            continue
        shard = f"{int(rank) + 1}/{count}"
        told = f"{names[0]}={rank}, {names[1]}={count}"
        return shard, f"shard {shard} of the photos ({told}; --shard 1/1 does all of them)"
    return "", ""


def _is_batch_script(environment: Mapping[str, str]) -> bool:
    """SLURM tells the script of a job, which runs once, the same numbers as the first of its tasks;
    only tasks have a step."""
    return "SLURM_JOB_ID" in environment and "SLURM_STEP_ID" not in environment
