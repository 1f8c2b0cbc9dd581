"""Whether a plain run, two shards at once, and Ray's workers make the same of a folder of photos.

python tests/bench/bench_engines.py [--photos 2000] [--from FOLDER] [--engines plain,shards,ray]

Small photos are cut out of those in ``--from`` (or made up), taken apart by each engine into a
folder of its own, and every file is hashed. Sidecars are compared without what may differ. With
``--kill S`` a worker of Ray is killed every S seconds. ``--keep FOLDER`` keeps everything, so that
engines may be tried one by one: what is finished there is passed over, and compared again.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread
from typing import Any

#: Fields of sidecars that tell of the run and not of the photo.
MAY_DIFFER = ("seconds",)
WIDTH, HEIGHT = 96, 64


def main() -> None:
    """Take apart, compare, tell; exit code 1 where anything differs."""
    args = parse()
    with folder_of(args.keep) as folder:
        make_photos(folder / "photos", args.photos, args.source)
        found = {}
        for engine in args.engines.split(","):
            start = time.perf_counter()
            statuses = run(engine, folder, args)
            seconds = time.perf_counter() - start
            found[engine] = hashes(folder / engine)
            told = ", ".join(f"{count} {status}" for status, count in statuses.items())
            print(f"{engine}: {told} in {seconds:.0f} s; {len(found[engine])} files", flush=True)
        sys.exit(not compare(found))


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=2000)
    parser.add_argument("--from", dest="source", type=Path, help="folder of larger photos")
    parser.add_argument("--engines", default="plain,shards,ray")
    parser.add_argument("--method", default="retinex")
    parser.add_argument("--kill", type=float, default=0, help="seconds between killed workers")
    parser.add_argument("--keep", type=Path, help="folder for photos and layers")
    return parser.parse_args()


@contextmanager
def folder_of(keep: Path | None) -> Iterator[Path]:
    """The folder for everything."""
    if keep is not None:
        keep.mkdir(parents=True, exist_ok=True)
        yield keep
        return
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder)


def make_photos(folder: Path, count: int, source: Path | None) -> None:
    """JPEGs of 96 x 64."""
    import numpy as np
    from PIL import Image

    folder.mkdir(exist_ok=True)
    rng = np.random.default_rng(0)
    large = [rng.integers(0, 256, (12, 16, 3), np.uint8).repeat(40, 0).repeat(40, 1)]
    if source is not None:
        paths = sorted(path for path in source.iterdir() if path.suffix in (".jpg", ".png"))
        large = [np.asarray(Image.open(path).convert("RGB")) for path in paths]
    for number in range(count):
        picture = large[number % len(large)]
        top = rng.integers(0, picture.shape[0] - HEIGHT)
        left = rng.integers(0, picture.shape[1] - WIDTH)
        path = folder / f"{number:05}.jpg"
        if not path.exists():
            crop = picture[top : top + HEIGHT, left : left + WIDTH]
            Image.fromarray(crop).save(path, quality=92)


def run(engine: str, folder: Path, args: argparse.Namespace) -> dict[str, int]:
    """How many photos were done, skipped and failed."""
    out = folder / engine
    words = [sys.executable, "-m", "intrinsic_cli", "decompose", str(folder / "photos")]
    words += ["-m", args.method, "-o", str(out), "--device", "cpu", "--json"]
    parts = [["--shard", "1/2"], ["--shard", "2/2"]] if engine == "shards" else [[]]
    if engine == "ray":
        parts = [["--engine", "ray"]]
    with killing(out, args.kill if engine == "ray" else 0):
        processes = [
            subprocess.Popen([*words, *part], stdout=subprocess.PIPE, text=True) for part in parts
        ]
        lines = [line for process in processes for line in process.communicate()[0].splitlines()]
    if any(process.returncode for process in processes):
        sys.exit(f"{engine} failed")
    counts: dict[str, int] = {}
    for line in lines:
        status = json.loads(line)["status"]
        counts[status] = counts.get(status, 0) + 1
    return counts


@contextmanager
def killing(out: Path, every: float) -> Iterator[None]:
    """In the block, every few seconds (0: never), one that holds a claim is killed."""
    ended = Event()

    def kill() -> None:
        killed: set[int] = set()
        while not ended.wait(every):
            for path in out.glob(".iid-lock-[0-9]*"):
                process = owner(path)
                if process and process not in killed:
                    killed.add(process)
                    os.kill(process, signal.SIGKILL)
                    break
        print(f"{len(killed)} workers were killed")

    thread = Thread(target=kill)
    if every:
        thread.start()
    try:
        yield
    finally:
        ended.set()
        if every:
            thread.join()


def owner(claim: Path) -> int:
    """The process that holds a claim, 0 where it is gone."""
    try:
        return int(claim.read_text().split()[1])
    except (OSError, IndexError, ValueError):
        return 0


def hashes(folder: Path) -> dict[str, str]:
    """All files but the index of the run, each with its hash; of sidecars what may not differ."""
    found = {}
    for path in sorted(folder.iterdir()):
        if path.name.startswith("iid-manifest"):
            continue
        data = path.read_bytes()
        if path.name.endswith(".iid.json"):
            facts: dict[str, Any] = json.loads(data)
            kept = {name: value for name, value in facts.items() if name not in MAY_DIFFER}
            data = json.dumps(kept).encode()
        found[path.name] = hashlib.sha256(data).hexdigest()
    return found


def compare(found: dict[str, dict[str, str]]) -> bool:
    """Tell whether all engines made the same."""
    first, *others = found
    same = True
    for other in others:
        names = found[first].keys() | found[other].keys()
        differ = [name for name in names if found[first].get(name) != found[other].get(name)]
        same = same and not differ
        what = f"{len(differ)} files differ" if differ else f"all {len(names)} files are the same"
        print(f"{first} and {other}: {what} ({', '.join(MAY_DIFFER)} of sidecars left out)")
        for name in sorted(differ)[:10]:
            print(f"  {name}")
    return same


if __name__ == "__main__":
    main()
