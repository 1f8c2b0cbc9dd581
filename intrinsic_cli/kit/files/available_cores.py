"""How many cores there are to be had. Light."""

from __future__ import annotations

import os

#: Where SLURM says how many cores of this machine all tasks of a job have together.
TOGETHER = "SLURM_CPUS_ON_NODE"


def cores_here() -> int:
    """Cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 4


def cores_each(processes: int) -> int:
    """Cores for each of so many ``processes`` that work on this machine together, at least one.
    They share those that they may use; but SLURM may have given each some of its own already."""
    mine = cores_here()
    told = os.environ.get(TOGETHER, "")
    together = int(told) if told.isdecimal() else mine
    return max(1, min(mine, together // max(1, processes)))
