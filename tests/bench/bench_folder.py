"""Photos per second of ``iid decompose`` on a folder, and of its two limits: the bare network, and
the bare codecs that read the photos and write the layers.

    python tests/bench/bench_folder.py [--photos 20] [--sizes "1 MP" "12 MP"] [--formats png jpg]

The start of the program is measured on a tiny photo and taken off. Rates are told twice: by the
clock, and by CPU seconds (of one core; what counts on a machine that does other things too).

A third line tells the limit of both together. Where network and codecs share the cores, every
second that one takes is lost to the other, so that no program, were it to do nothing else, comes
nearer to the slower of the two than slower / (network + codecs): the share that is told last. On a
GPU they do not share, and both together are as fast as the slower."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from bench_decompose import make_photo

SIZES = {"tiny": (48, 64), "1 MP": (833, 1200), "12 MP": (3000, 4000)}  # height, width
BATCH = 8  # photos that a GPU's network is shown together


@dataclass(frozen=True, slots=True)
class Spent:
    """Seconds of CPU, and by the clock; of a photo, or of all."""

    cpu: float
    wall: float

    def of_each(self, count: int, start: Spent) -> Spent:
        """Of one photo, without the start."""
        return Spent((self.cpu - start.cpu) / count, (self.wall - start.wall) / count)


@dataclass(frozen=True, slots=True)
class Rates:
    """Job and limits, each of one photo."""

    job: Spent
    network: Spent
    codecs: Spent
    shared: bool  # do network and codecs take turns on the same cores?

    def both(self, label: str, form: str) -> str:
        """The limit of both together, and the job's share of it."""
        kind = "cpu" if self.shared else "wall"
        job, network, codecs = (getattr(one, kind) for one in (self.job, self.network, self.codecs))
        slower = max(network, codecs)
        limit = network + codecs if self.shared else slower
        reached = f"the job reaches {limit / job:.0%} of it"
        could = f"{slower / limit:.0%} of the slower can be reached"
        return f"{label:<7}{form:<7}both  {1 / limit:9.2f} photos/s: {reached}; {could}"

    def row(self, label: str, form: str, kind: str) -> str:
        """A line of the table; ``kind`` is ``cpu`` or ``wall``."""
        job = getattr(self.job, kind)
        network = getattr(self.network, kind)
        codecs = getattr(self.codecs, kind)
        rates = "".join(f"{1 / seconds:9.2f}" for seconds in (job, network, codecs))
        slower = max(network, codecs) / job
        return f"{label:<7}{form:<7}{kind:<6}{rates}{slower:11.0%}"


def main() -> None:
    """Make the folders, measure, print the table."""
    args = parse()
    if args.limits:
        print(json.dumps(measure_limits(args)))
        return
    print("size   format by    photos/s: job  network   codecs  of slower", flush=True)
    with tempfile.TemporaryDirectory() as folder:
        tiny = make_folder(Path(folder, "tiny"), "tiny", 1)
        start = run_job(tiny, "png", args)
        for label in args.sizes:
            photos = make_folder(Path(folder, label), label, args.photos)
            limits, shared = run_limits(photos, args)
            for form in args.formats:
                job = run_job(photos, form, args).of_each(args.photos, start)
                network, codecs = (Spent(*limits[name]) for name in ("network", form))
                rates = Rates(job, network, codecs, shared)
                for kind in ("cpu", "wall"):
                    print(rates.row(label, form, kind), flush=True)
                print(rates.both(label, form), flush=True)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=20)
    parser.add_argument("--sizes", nargs="+", default=["1 MP", "12 MP"], choices=SIZES)
    parser.add_argument("--formats", nargs="+", default=["png", "jpg"], choices=["png", "jpg"])
    parser.add_argument("--device", default="auto")
    parser.add_argument("--method", default="flow")
    parser.add_argument("--limits", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_folder(folder: Path, label: str, count: int) -> Path:
    """The same photo under several names."""
    folder.mkdir()
    first = folder / "0.jpg"
    make_photo(first, SIZES[label], None)
    for number in range(1, count):
        os.link(first, folder / f"{number}.jpg")
    return folder


def run_job(photos: Path, form: str, args: argparse.Namespace) -> Spent:
    """The whole command, with its start."""
    with tempfile.TemporaryDirectory() as out:
        words = ["decompose", str(photos), "-m", args.method, "--device", args.device]
        words = [sys.executable, "-m", "intrinsic_cli", *words, "--format", form, "-o", out]
        start = time.perf_counter()
        process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        _, status, used = os.wait4(process.pid, 0)
        wall = time.perf_counter() - start
    if status:
        sys.exit(f"{' '.join(words)} failed")
    return Spent(used.ru_utime + used.ru_stime, wall)


def run_limits(photos: Path, args: argparse.Namespace) -> tuple[dict[str, list[float]], bool]:
    """:func:`measure_limits` in a process of its own."""
    words = [sys.executable, __file__]
    words += ["--limits", str(photos / "0.jpg")]
    words += ["--device", args.device]
    words += ["--method", args.method]
    words += ["--photos", str(args.photos)]
    words += ["--formats", *args.formats]
    told = subprocess.run(words, capture_output=True, text=True, check=True)
    limits, shared = json.loads(told.stdout)
    return limits, shared


def measure_limits(args: argparse.Namespace) -> tuple[dict[str, list[float]], bool]:
    """(CPU seconds, seconds) of a photo in the network and in the codecs of each format, as fast as
    they go alone: the network with all its threads, codecs with a thread a core. And whether both
    run on the same cores."""
    from intrinsic_cli.kit.files.decode import decode
    from intrinsic_cli.kit.files.layers import quantise
    from intrinsic_cli.runs.session import Session, choose

    data = args.limits.read_bytes()
    session = Session(choose(args.method), args.device)
    layers = session(data).layers
    kind = session.choice.variant.kind
    codes = [quantise(layer, kind(name), 8).codes for name, layer in layers.items()]
    spent = {"network": timed_network(session, data, args.photos)}
    for form in args.formats:
        with tempfile.TemporaryDirectory() as folder:

            def both(number: int, form: str = form, folder: str = folder) -> None:
                decode(data)
                for place, picture in enumerate(codes):
                    encode(Path(folder, f"{number % 8}-{place}"), picture, form)

            spent[form] = timed_codecs(both, args.photos)
    limits = {name: [each.cpu, each.wall] for name, each in spent.items()}
    return limits, session.runtime.device.type == "cpu"


def timed_network(session: object, data: bytes, count: int) -> Spent:
    """``count`` photos, one by one, or in batches on a GPU; what goes before and after is not
    counted."""
    import torch

    from intrinsic_cli.kit.files.photo import read_photo
    from intrinsic_cli.kit.inference.network import run_network
    from intrinsic_cli.kit.inference.prepare import prepare
    from intrinsic_cli.runs.session import Session

    assert isinstance(session, Session)
    decomposer, runtime = session.decomposer, session.runtime
    on_gpu = runtime.device.type == "cuda"
    photo = prepare(read_photo(data), decomposer.frame, runtime.device)
    batch = [photo] * (min(BATCH, count) if on_gpu else 1)
    times = -(-count // len(batch))
    kinds = session.choice.variant.kinds
    for runs in (1, times):  # the first time is not counted
        start = (time.process_time(), time.perf_counter())
        for _ in range(runs):
            run_network(decomposer, batch, runtime, kinds)
        if on_gpu:
            torch.cuda.synchronize()
    return since(start, times * len(batch))


def timed_codecs(both: Callable[[int], None], count: int) -> Spent:
    """``count`` photos decoded and their layers encoded."""
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        start = (time.process_time(), time.perf_counter())
        list(pool.map(both, range(count)))
        return since(start, count)


def since(start: Sequence[float], count: int) -> Spent:
    """Each of ``count``, from ``start`` on."""
    cpu, wall = time.process_time() - start[0], time.perf_counter() - start[1]
    return Spent(cpu / count, wall / count)


def encode(path: Path, codes: object, form: str) -> None:
    """One layer, as the house writes it."""
    import numpy as np

    from intrinsic_cli.kit.files import jpeg_rows
    from intrinsic_cli.kit.files.png_rows import write_png_file

    assert isinstance(codes, np.ndarray)
    if form == "jpg":
        path.write_bytes(jpeg_rows.encode(codes))
        return
    with path.open("wb") as file:
        write_png_file(file, codes)


if __name__ == "__main__":
    main()
