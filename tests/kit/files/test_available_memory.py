"""Memory as Linux tells it, of machines and containers that are made up."""

from __future__ import annotations

from pathlib import Path

import pytest

from intrinsic_cli.kit.files import available_memory as module
from intrinsic_cli.kit.files import memory
from intrinsic_cli.kit.files.available_memory import available_memory

GIB = 1 << 30
#: What the first version says where there is no limit.
ENDLESS = 9223372036854771712


class Machine:
    """The files of a kernel."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def tells(self, path: str, text: object) -> None:
        place = self.root / path
        place.parent.mkdir(parents=True, exist_ok=True)
        place.write_text(f"{text}\n")

    def second(self, group: str, limit: object, used: int = 0, files: int = 0) -> None:
        self.tells(f"sys/fs/cgroup{group}/memory.max", limit)
        self.tells(f"sys/fs/cgroup{group}/memory.current", used)
        kept = f"inactive_file {files // 4}\nactive_file {files - files // 4}"
        self.tells(f"sys/fs/cgroup{group}/memory.stat", f"anon 5\n{kept}")

    def first(self, group: str, limit: object, used: int = 0, files: int = 0) -> None:
        folder = f"sys/fs/cgroup/memory{group}"
        self.tells(f"{folder}/memory.limit_in_bytes", limit)
        self.tells(f"{folder}/memory.usage_in_bytes", used)
        kept = f"total_inactive_file {files // 4}\ntotal_active_file {files - files // 4}"
        self.tells(f"{folder}/memory.stat", f"cache 5\n{kept}")


@pytest.fixture
def machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Of 64 GiB, half of them free."""
    monkeypatch.setattr(module, "ROOT", tmp_path)
    made = Machine(tmp_path)
    made.tells("proc/meminfo", f"MemTotal: {64 << 20} kB\nMemAvailable:   {32 << 20} kB")
    return made


def test_what_is_free_counts_and_not_what_is_there(machine: Machine) -> None:
    assert available_memory() == 32 * GIB


def test_a_container(machine: Machine) -> None:
    """Its own group is all that it sees."""
    machine.tells("proc/self/cgroup", "0::/")
    machine.second("", 4 * GIB)
    assert available_memory() == 4 * GIB


def test_what_others_in_the_container_use_is_not_free(machine: Machine) -> None:
    machine.tells("proc/self/cgroup", "0::/")
    machine.second("", 4 * GIB, used=3 * GIB, files=GIB)
    assert available_memory() == 2 * GIB
    machine.second("", 4 * GIB, used=5 * GIB)
    assert available_memory() == 0


def test_groups_around_it_count(machine: Machine) -> None:
    """A service of systemd, or a job in a slice."""
    machine.tells("proc/self/cgroup", "0::/jobs/one/step")
    machine.second("/jobs/one/step", "max", used=1)
    machine.second("/jobs/one", 8 * GIB, used=GIB)
    machine.second("/jobs", 9 * GIB, used=3 * GIB)
    machine.second("/others", GIB)
    assert available_memory() == 6 * GIB


def test_the_first_version(machine: Machine) -> None:
    """As old machines and SLURM have it."""
    machine.tells("proc/self/cgroup", "5:devices:/x\n4:cpu,memory:/slurm/job_1\n0::/")
    machine.first("/slurm/job_1", 16 * GIB, used=GIB, files=GIB // 2)
    machine.first("", ENDLESS, used=20 * GIB)
    assert available_memory() == 16 * GIB - GIB // 2


def test_a_container_told_by_the_path_outside(machine: Machine) -> None:
    machine.tells("proc/self/cgroup", "4:memory:/docker/0a1b2c")
    machine.first("", 2 * GIB)
    assert available_memory() == 2 * GIB


def test_no_limit(machine: Machine) -> None:
    machine.tells("proc/self/cgroup", "4:memory:/\n0::/")
    machine.second("", "max", used=GIB)
    machine.first("", ENDLESS, used=GIB)
    assert available_memory() == 32 * GIB


@pytest.mark.parametrize("text", ["", "nonsense\n", "MemTotal: 5 kB\n", "MemAvailable:\n"])
def test_a_machine_that_does_not_say(
    text: str, machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    machine.tells("proc/meminfo", text)
    assert available_memory() == module._physical() > 0
    monkeypatch.delattr("os.sysconf", raising=False)
    assert available_memory() == module.UNKNOWN


def test_photos_on_the_way_do_not_lower_the_limit(
    machine: Machine, monkeypatch: pytest.MonkeyPatch
) -> None:
    memory.memory.cache_clear()
    try:
        before = memory.pixel_limit()
        assert before == 32 * GIB // memory.BYTES_PER_PIXEL
        machine.tells("proc/meminfo", f"MemAvailable: {1 << 20} kB")
        assert memory.pixel_limit() == before
    finally:
        memory.memory.cache_clear()
