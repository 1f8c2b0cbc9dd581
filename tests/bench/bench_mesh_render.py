"""How fast silhouettes of the template are rendered, forward and backward: by the list of pairs,
and naively, every face at every pixel.

    python tests/bench/bench_mesh_render.py [--sizes 64 128 256 512] [--rounds 5] [--threads 1]

The best of all rounds counts, by the clock and in CPU seconds; memory is what a process of its own
needed at most beyond what it had before. The naive way is left out where its memory would not do.
"""

from __future__ import annotations

import argparse
import multiprocessing
import resource
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch
from torch import Tensor

#: Numbers the naive way holds at once for each pair of a face and a pixel, about.
HELD = 60
#: More pairs than this are not tried naively.
MOST = 6_000_000
SIGMA = 1e-4

Render = Callable[[Tensor, int], Tensor]


def pair_list(points: Tensor, size: int) -> Tensor:
    from iid_mesh.render.soft import silhouettes
    from iid_mesh.template import icosphere

    return silhouettes(points[None], icosphere().faces, size, SIGMA)


def naive(points: Tensor, size: int) -> Tensor:
    sys.path.insert(0, str(Path(__file__).parents[1] / "plugins" / "mesh"))
    from render_scenes import dense_silhouette  # type: ignore[import-not-found]

    from iid_mesh.template import icosphere

    alpha: Tensor = dense_silhouette(points, icosphere().faces, size, SIGMA)
    return alpha


WAYS: dict[str, Render] = {"pair list": pair_list, "naive": naive}


def template() -> Tensor:
    """The sphere of 642 points from the side, filling four fifths of the picture."""
    from iid_mesh.render.camera import anchors, project
    from iid_mesh.template import icosphere

    camera = torch.cat([torch.tensor([0.8, 0.0, 0.0]), anchors(8)[1]])
    return project(icosphere().vertices, camera[None])[0]


def measured(way: str, size: int, rounds: int, threads: int) -> tuple[float, float, float]:
    """Seconds by the clock and of the CPU, and MiB, of one render and its gradient."""
    torch.set_num_threads(threads)
    points = template().requires_grad_()
    WAYS[way](points, 8).sum().backward()  # type: ignore[no-untyped-call]
    before = peak()
    clocks, seconds = [], []
    for _ in range(rounds):
        clock, cpu = time.perf_counter(), time.process_time()
        WAYS[way](points, size).sum().backward()  # type: ignore[no-untyped-call]
        clocks.append(time.perf_counter() - clock)
        seconds.append(time.process_time() - cpu)
    return min(clocks), min(seconds), peak() - before


def peak() -> float:
    """The most memory this process has had, MiB."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024


def main() -> None:
    """Measure both ways at every size."""
    args = parse()
    spawn = multiprocessing.get_context("spawn")
    print(f"{args.threads} threads; forward + backward, 1280 faces, sigma {SIGMA}")
    for size in args.sizes:
        for way in WAYS:
            pairs = 1280 * size**2
            if way == "naive" and pairs > MOST:
                gib = pairs * HELD * 4 / 2**30
                print(f"{size:4}² {way:>10}: not tried, about {gib:.0f} GiB")
                continue
            rounds = args.rounds if way == "pair list" else 1
            with spawn.Pool(1) as pool:
                asked = (way, size, rounds, args.threads)
                clock, cpu, memory = pool.apply(measured, asked)
            told = f"{1e3 * clock:9.1f} ms {1e3 * cpu:9.1f} ms of CPU {memory:8.0f} MiB"
            print(f"{size:4}² {way:>10}: {told}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[64, 128, 256, 512], help="sides of the pictures"
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--threads", type=int, default=1)
    return parser.parse_args()


if __name__ == "__main__":
    main()
