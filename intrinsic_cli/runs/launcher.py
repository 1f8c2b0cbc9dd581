"""What torchrun and SLURM tell the processes that they start together."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from intrinsic_cli.api import UsageError

#: Who starts several processes, and how each learns its number (from 0), their count, and its
#: number among those of its machine.
TORCHRUN = ("RANK", "WORLD_SIZE", "LOCAL_RANK")
SLURM = ("SLURM_PROCID", "SLURM_NTASKS", "SLURM_LOCALID")


@dataclass(frozen=True, slots=True)
class Launched:
    """This process is number ``rank`` (from 0) of ``count``; ``told`` is how it knows."""

    rank: int
    count: int
    told: str


def launched(environment: Mapping[str, str]) -> Launched | None:
    """Where this process stands among those that torchrun or SLURM started, None where it is the
    only one."""
    for names in (TORCHRUN, SLURM):
        if names == SLURM and _is_batch_script(environment):
            continue
        rank, count = (environment.get(name, "") for name in names[:2])
        if rank.isdecimal() and count.isdecimal() and int(count) > 1:
            told = f"{names[0]}={rank}, {names[1]}={count}"
            return Launched(int(rank), int(count), told)
    return None


def meeting_point(environment: Mapping[str, str]) -> str:
    """Where processes of one launch meet: ``tcp://HOST:PORT``. torchrun says where; of SLURM's
    tasks it is the machine of the first, and a port that follows from the number of the job.
    UsageError where nobody says."""
    host = environment.get("MASTER_ADDR") or _first_host(environment)
    port = environment.get("MASTER_PORT", "")
    job = environment.get("SLURM_JOB_ID", "")
    if not port and job.isdecimal():
        port = str(20_000 + int(job) % 20_000)
    if not host or not port:
        message = "nobody says where the processes that train together are to meet"
        raise UsageError(message, "start them with torchrun, or set MASTER_ADDR and MASTER_PORT")
    return f"tcp://{host}:{port}"


def _first_host(environment: Mapping[str, str]) -> str:
    """The first of SLURM's list of machines: ``node[07-09,12]`` or ``a,b``."""
    listed = environment.get("SLURM_STEP_NODELIST") or environment.get("SLURM_JOB_NODELIST", "")
    found = re.match(r"([^\[,]*)(?:\[(\w+))?", listed)
    return "" if found is None else found[1] + (found[2] or "")


def _is_batch_script(environment: Mapping[str, str]) -> bool:
    """SLURM tells the script of a job, which runs once, the same numbers as the first of its tasks;
    only tasks have a step."""
    return "SLURM_JOB_ID" in environment and "SLURM_STEP_ID" not in environment
