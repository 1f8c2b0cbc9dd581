"""A cluster of two workers, killed at random: the same files as without, each photo once.

Run with ``pytest -m ray``. It uses the cluster at RAY_ADDRESS, or starts one."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from threading import Event, Thread
from typing import Any

import numpy as np
import pytest
from decomposing import everything, go, photo, statuses
from light_method import REGISTRY
from PIL import Image

from intrinsic_cli.requests import DecomposeReport, DecomposeRequest, InputReport
from intrinsic_cli.runs.decompose.run import decompose

ray = pytest.importorskip("ray")
pytest.importorskip("pyarrow")

pytestmark = [
    pytest.mark.ray,
    pytest.mark.filterwarnings("ignore"),  # Ray's own
    pytest.mark.timeout(3600),
    pytest.mark.skipif(os.name != "posix", reason="kills with a signal"),
]

PHOTOS = 24
KILLS = 3
FRAMES = 5
HERE = Path(__file__).parent
SAMPLE = HERE.parents[1] / "intrinsic_cli/samples/coffee.png"


@pytest.fixture(scope="module", autouse=True)
def cluster() -> Iterator[None]:
    """Workers that find the method of these tests, and take a while for each photo."""
    variables = {
        "PYTHONPATH": os.pathsep.join([str(HERE), os.environ["PYTHONPATH"]]),
        "POWER_SLEEP": "0.2",
    }
    given: dict[str, Any] = {"runtime_env": {"env_vars": variables}, "log_to_driver": False}
    address = os.environ.get("RAY_ADDRESS", "local")
    if address == "local":
        given |= {"num_cpus": 2, "object_store_memory": 100 << 20, "include_dashboard": False}
    ray.init(address, **given)
    yield
    ray.shutdown()


@pytest.fixture
def photos(tmp_path: Path) -> Path:
    folder = tmp_path / "photos"
    for number in range(PHOTOS):
        path = photo(folder / f"{'ab'[number % 2]}/{number:02}.png")
        path.write_bytes(path.read_bytes() + bytes([number]))
    (folder / "bad.png").write_text("no picture")
    return folder


def made(out: Path) -> dict[str, Any]:
    """What was made, without how long it took."""
    found: dict[str, Any] = everything(out)
    for name, data in found.items():
        if name.endswith(".iid.json"):
            found[name] = {key: v for key, v in json.loads(data).items() if key != "seconds"}
    return found


class Killer:
    """Kills workers amid their work: whoever holds a claim, at random."""

    def __init__(self, out: Path) -> None:
        self.out = out
        self.killed: set[int] = set()
        self.ended = Event()
        self.thread = Thread(target=self.run)

    def __enter__(self) -> Killer:
        self.thread.start()
        return self

    def __exit__(self, *error: object) -> None:
        self.ended.set()
        self.thread.join()

    def run(self) -> None:
        rng = random.Random(3)
        while len(self.killed) < KILLS and not self.ended.wait(rng.uniform(0.1, 0.6)):
            workers = list(self.workers() - self.killed)
            if workers and len(list(self.out.rglob("*.iid.json"))) > 4 * len(self.killed):
                process = rng.choice(workers)
                os.kill(process, signal.SIGKILL)
                self.killed.add(process)

    def workers(self) -> set[int]:
        found = set()
        for path in self.out.rglob(".iid-lock-*"):
            try:
                found.add(int(path.read_text().split()[1]))
            except (OSError, IndexError):  # released just now
                continue
        return found - {os.getpid()}


def test_killed_workers_lose_nothing_and_do_nothing_twice(
    photos: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    plain, out = tmp_path / "plain", tmp_path / "ray"
    expected = go(photos, out=plain, recursive=True)
    with Killer(out) as killer:
        report = go(photos, out=out, recursive=True, engine="ray")
    assert len(killer.killed) == KILLS
    assert made(out) == made(plain)
    assert not list(out.rglob(".iid-*")), "nothing half-written or claimed is left"
    assert capsys.readouterr().out == "", "stdout is for results"

    told = {item.input: item for item in report.inputs}
    assert len(told) == len(report.inputs) == PHOTOS + 1
    assert report.count("failed") == 1
    for item in expected.inputs:
        mine = told[item.input]
        assert mine.error == item.error
        # What a killed worker had finished without having said so, its successor passes over.
        assert mine.status in (item.status, "skipped")
        assert set(mine.outputs) == set(item.outputs)

    lines = (out / "iid-manifest.jsonl").read_text().splitlines()
    bases = [json.loads(line)["base"] for line in lines]
    assert len(set(bases)) == len(bases) == PHOTOS + 1
    marker = json.loads((out / "iid-manifest.done.json").read_text())
    assert (marker["done"] + marker["skipped"], marker["failed"]) == (PHOTOS, 1)
    again = go(photos, out=out, recursive=True)
    assert statuses(again) == {"done": 0, "skipped": PHOTOS, "failed": 1}


def test_runs_of_both_engines_at_once_do_no_photo_twice(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    reports: list[DecomposeReport] = []
    plain = Thread(target=lambda: reports.append(go(photos, out=out, recursive=True)))
    plain.start()
    reports.append(go(photos, out=out, recursive=True, engine="ray"))
    plain.join()
    assert sum(report.count("done") for report in reports) == PHOTOS
    assert [report.count("failed") for report in reports] == [1, 1]
    alone = tmp_path / "alone"
    go(photos, out=alone, recursive=True)
    assert made(out) == made(alone)


def test_a_run_that_is_interrupted_can_be_gone_on_with(photos: Path, tmp_path: Path) -> None:
    out = tmp_path / "out"
    told: list[InputReport] = []

    def tell(report: InputReport) -> None:
        told.append(report)
        if len(told) == 4:
            raise KeyboardInterrupt

    request = DecomposeRequest((photos,), "power", out, recursive=True, engine="ray")
    with pytest.raises(KeyboardInterrupt):
        decompose(request, registry=REGISTRY, on_input=tell)
    assert len(told) == 4
    assert not (out / "iid-manifest.done.json").exists()
    report = go(photos, out=out, recursive=True, engine="ray")
    assert report.count("done") + report.count("skipped") == PHOTOS
    assert report.count("skipped") >= 3
    plain = tmp_path / "plain"
    go(photos, out=plain, recursive=True)
    assert made(out) == made(plain)


def test_shots_come_out_as_without_ray(tmp_path: Path) -> None:
    folder = tmp_path / "in"
    rng = np.random.default_rng(1)
    ground = rng.integers(60, 200, (6, 10, 3), np.uint8).repeat(9, 0).repeat(9, 1)
    for name in ("near", "far"):
        (folder / name).mkdir(parents=True)
        for number in range(FRAMES):
            frame = Image.fromarray(ground[:40, number : number + 52])
            frame.save(folder / name / f"{name}.{number:04d}.png")
    photo(folder / "alone.png")
    plain, out = tmp_path / "plain", tmp_path / "ray"
    expected = go(folder, out=plain, recursive=True, sequence=True)
    report = go(folder, out=out, recursive=True, sequence=True, engine="ray")
    assert statuses(report) == statuses(expected) == {"done": 3, "skipped": 0, "failed": 0}
    assert made(out) == made(plain)
    assert len(list(out.rglob("*.albedo.png"))) == 2 * FRAMES + 1

    told = {item.input: placed(item, out) for item in report.inputs}
    assert told == {item.input: placed(item, plain) for item in expected.inputs}
    again = go(folder, out=out, recursive=True, sequence=True, engine="ray")
    assert statuses(again) == {"done": 0, "skipped": 3, "failed": 0}


def placed(item: InputReport, out: Path) -> list[Path]:
    """The files that a report names, all of which are there, in the folder of the outputs."""
    files = [Path(file) for files in item.outputs.values() for file in files]
    files += [Path(file) for file in (item.sidecar, *item.written)]
    assert all(file.exists() for file in files)
    return [file.relative_to(out) for file in files]


def test_the_end_of_the_cluster_is_told(tmp_path: Path) -> None:
    """Ray itself would end the program without a word."""
    sample = Image.open(SAMPLE).resize((600, 400))
    folder, out = tmp_path / "photos", tmp_path / "out"
    folder.mkdir()
    for number in range(40):
        sample.putpixel((0, 0), (number, 0, 0))
        sample.save(folder / f"{number:02}.png")
    words = ["decompose", str(folder), "-o", str(out), "--engine", "ray"]
    outside = {name: value for name, value in os.environ.items() if name != "RAY_ADDRESS"}
    run = subprocess.Popen(
        [sys.executable, "-m", "intrinsic_cli", *words],
        env=outside,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    while run.poll() is None and not list(out.glob("*.iid.json")):
        time.sleep(0.2)
    os.kill(raylet_of(run.pid), signal.SIGKILL)
    _, told = run.communicate(timeout=300)
    *_, sentence, hint = told.splitlines()
    assert run.returncode == 1
    assert "(the raylet) has died (" in sentence
    assert sentence.endswith("of 40 photos are done)")
    assert hint == "hint: run the same command again: it goes on where it stopped"
    again = decompose(DecomposeRequest((folder,), "flow", out))
    assert again.count("skipped") >= 1
    assert again.count("failed") == 0


def raylet_of(process: int) -> int:
    """The process of Ray that ``process`` has started."""
    listing = ["ps", "-o", "pid=,args=", "--ppid", str(process)]
    told = subprocess.run(listing, capture_output=True, text=True, check=True).stdout
    found = [line.split() for line in told.splitlines()]
    return next(int(words[0]) for words in found if words[1].endswith("/raylet"))
