"""Photos per second of ``iid decompose`` on a folder.

python tests/bench/bench_folder.py [--photos 200] [--size 1024x768] [--device cuda] [--method flow]
"""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
import time
from pathlib import Path


def main() -> None:
    """Make the folder, take it apart, tell the rate."""
    args = parse()
    with tempfile.TemporaryDirectory() as folder:
        width, height = map(int, args.size.split("x"))
        make_photos(Path(folder, "photos"), args.photos, height, width)
        command = [
            sys.executable,
            "-m",
            "intrinsic_cli",
            "decompose",
            f"{folder}/photos",
            "-o",
            f"{folder}/layers",
        ]
        start = time.perf_counter()
        subprocess.run(
            [*command, "-m", args.method, "--device", args.device], check=True, capture_output=True
        )
        seconds = time.perf_counter() - start
        layers = len(list(Path(folder, "layers").glob("*.png")))
    print(
        f"{args.photos} photos of {args.size} on {args.device}: {seconds:.1f} s with start-up,",
        end=" ",
    )
    print(f"{args.photos / seconds:.2f} photos a second, {layers} layers written")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photos", type=int, default=200)
    parser.add_argument("--size", default="1024x768")
    parser.add_argument("--device", default="auto")
    parser.add_argument("--method", default="flow")
    return parser.parse_args()


def make_photos(folder: Path, count: int, height: int, width: int) -> None:
    """JPEGs of smooth light with grain."""
    import numpy as np

    from intrinsic_cli.kit.files.opencv import cv2

    folder.mkdir()
    rng = np.random.default_rng(0)
    for i in range(count):
        small = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
        picture = cv2.resize(small, (width, height), interpolation=cv2.INTER_CUBIC)
        grain = rng.integers(-8, 9, picture.shape, np.int16)
        cv2.imwrite(str(folder / f"{i:04d}.jpg"), np.clip(picture + grain, 0, 255).astype(np.uint8))


if __name__ == "__main__":
    main()
