"""Several processes on one output folder, killed at random: whole files, each photo done once, and
the same files whoever made them."""

from __future__ import annotations

import json
import os
import random
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from decomposing import FLAT, everything
from PIL import Image
from processes import Processes, kill

from intrinsic_cli.kit.files.available_cores import cores_here
from intrinsic_cli.runs.decompose.workers import choose_workers

PHOTOS = 24

pytestmark = pytest.mark.skipif(os.name != "posix", reason="kills with a signal")


@pytest.fixture
def photos(tmp_path: Path, home: Path) -> Path:
    from intrinsic_cli.kit.networks.checkpoint import save_weights

    folder = tmp_path / "photos"
    folder.mkdir()
    for number in range(PHOTOS):
        pixels = np.roll(FLAT[..., :3], number, axis=1)
        Image.fromarray(pixels).save(folder / f"{number:02}.png")
    state = {"brightness": {"power": torch.tensor(0.5)}}
    (home / "weights").mkdir()
    save_weights(home / "weights/gray.safetensors", state, {"method": "gray", "variant": ""})
    return folder


def made(out: Path) -> dict[str, Any]:
    """What was made, without how long it took."""
    found: dict[str, Any] = {}
    for name, data in everything(out).items():
        found[name] = data
        if name.endswith(".iid.json"):
            found[name] = {key: v for key, v in json.loads(data).items() if key != "seconds"}
    return found


def test_plain_sharded_and_killed_runs_make_the_same_files(photos: Path, tmp_path: Path) -> None:
    rng = random.Random(5)
    plain = Processes(photos, tmp_path / "plain")
    plain.start()
    assert plain.wait() == [0]
    expected = made(plain.out)
    assert len(expected) == 3 * PHOTOS

    shards = Processes(photos, tmp_path / "shards")
    for shard in ("1/2", "2/2"):
        shards.start(shard)
    assert shards.wait() == [0, 0]
    assert made(shards.out) == expected
    assert set(shards.done().values()) == {1}

    killed = Processes(photos, tmp_path / "killed")
    for stop in (3, 7, 11, 15):
        process = killed.start(sleep=0.03, most=stop + 3 - killed.sidecars())
        killed.wait_for(stop)
        time.sleep(rng.uniform(0, 0.06))
        kill(process)
        process.join()
    assert 15 <= killed.sidecars() < PHOTOS
    killed.start()
    assert killed.wait()[-1] == 0
    assert made(killed.out) == expected, "nothing half-written or claimed is left"
    lines = (killed.out / "iid-manifest.jsonl").read_text().splitlines()
    assert {json.loads(line)["base"] for line in lines} == {f"{n:02}" for n in range(PHOTOS)}


def test_runs_at_the_same_time_do_no_photo_twice(photos: Path, tmp_path: Path) -> None:
    """A plain run, both shards, one that watches, and one that is killed amid its work."""
    runs = Processes(photos, tmp_path / "out")
    doomed = runs.start(sleep=0.05, most=12)
    runs.wait_for(2)
    watcher = runs.start(sleep=0.03, watch=True)
    for shard in ("", "1/2", "2/2"):
        runs.start(shard, sleep=0.03)
    runs.wait_for(8)
    kill(doomed)
    doomed.join()
    died = time.time()
    runs.wait_for(PHOTOS)
    runs.wait_for_watcher()
    watcher.terminate()
    assert runs.wait()[1:] == [0, 0, 0, 0]
    assert len(made(runs.out)) == 3 * PHOTOS
    assert runs.sidecars() == PHOTOS
    counts = runs.done()
    assert set(counts.values()) == {1}
    # What the killed run had written without having said so is all that may be missing: outcomes
    # are told in order, so those wait that its writers are at, and the photos handed to them last.
    silent = {path for path in photos.iterdir() if str(path) not in counts}
    workers = choose_workers(torch.device("cpu"), None, cores_here())
    assert len(silent) <= workers.writers + workers.batch
    for path in silent:
        assert (runs.out / f"{path.stem}.iid.json").stat().st_mtime <= died
