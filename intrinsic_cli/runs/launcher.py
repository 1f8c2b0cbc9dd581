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
#: Where they say how many processes there are on a machine; of SLURM's the first that is there.
TORCHRUN_HERE = "LOCAL_WORLD_SIZE"
SLURM_HERE = ("SLURM_STEP_TASKS_PER_NODE", "SLURM_NTASKS_PER_NODE")


@dataclass(frozen=True, slots=True)
class Launched:
    """This process is number ``rank`` (from 0) of ``count``, ``here`` of which are on this machine;
    ``told`` is how it knows."""

    rank: int
    count: int
    told: str
    here: int


def launched(environment: Mapping[str, str]) -> Launched | None:
    """Where this process stands among those that torchrun or SLURM started, None where it is the
    only one."""
    for names in (TORCHRUN, SLURM):
        if names == SLURM and _is_batch_script(environment):
            continue
        rank, count = (environment.get(name, "") for name in names[:2])
        if rank.isdecimal() and count.isdecimal() and int(count) > 1:
            told = f"{names[0]}={rank}, {names[1]}={count}"
            return Launched(int(rank), int(count), told, _on_this_machine(environment, int(count)))
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


def _on_this_machine(environment: Mapping[str, str], count: int) -> int:
    """How many of ``count`` processes run on this machine; all of them where nobody says."""
    told = environment.get(TORCHRUN_HERE, "")
    if told.isdecimal() and int(told):
        return int(told)
    if _is_batch_script(environment):
        return count
    machine = environment.get("SLURM_NODEID", "")
    for name in SLURM_HERE:
        tasks = _tasks_of(environment.get(name, ""), int(machine) if machine.isdecimal() else 0)
        if tasks:
            return min(tasks, count)
    return count


def _tasks_of(listed: str, machine: int) -> int:
    """How many tasks the ``machine``-th (from 0) has. ``4(x2),3`` is four on each of two machines
    and three on the next; ``4`` is four on every one. 0 where it says nothing."""
    tasks = 0
    for part in listed.split(","):
        found = re.fullmatch(r"(\d+)(?:\(x(\d+)\))?", part)
        if not found:
            return 0
        tasks = int(found[1])
        machine -= int(found[2] or 1)
        if machine < 0:
            break
    return tasks


def _is_batch_script(environment: Mapping[str, str]) -> bool:
    """SLURM tells the script of a job, which runs once, the same numbers as the first of its tasks;
    only tasks have a step."""
    return "SLURM_JOB_ID" in environment and "SLURM_STEP_ID" not in environment
