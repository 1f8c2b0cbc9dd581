"""How much memory and time ``iid decompose`` takes for large photos.

    python tests/bench/bench_sizes.py [--photo FILE] [--methods flow retinex] [--formats png jpg]

For a JPEG of 12, 50 and 100 megapixels: CPU seconds, seconds and the peak memory of the whole
command on one thread. Without ``--photo`` a made-up picture is used. All other options are those of
``iid decompose``: ``--preview``, ``--exr-multilayer`` with ``--formats exr``."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from pathlib import Path

from bench_decompose import THREADS, run

SIZES = {"12 MP": (3000, 4000), "50 MP": (6124, 8165), "100 MP": (8660, 11547)}  # height, width
GRAIN = 512  # side of the square of noise that is repeated


def main() -> None:
    """One process for each size, method and format."""
    args, more = parse()
    os.environ.update(THREADS)
    print("size        CPU-s      s  peak MiB")
    with tempfile.TemporaryDirectory() as folder:
        for label in args.sizes:
            photo = Path(folder, f"{label.split()[0]}.jpg")
            make_photo(photo, SIZES[label], args.photo)
            for method in args.methods:
                for form in args.formats:
                    report(label, photo, ["-m", method, "--format", form, *more])
            photo.unlink()


def parse() -> tuple[argparse.Namespace, list[str]]:
    """What is to be measured, and more words for the command."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--photo", type=Path, help="picture to scale to each size")
    parser.add_argument("--methods", nargs="+", default=["flow", "retinex"])
    parser.add_argument("--formats", nargs="+", default=["png"])
    parser.add_argument("--sizes", nargs="+", default=list(SIZES), choices=SIZES)
    return parser.parse_known_args()


def make_photo(path: Path, size: tuple[int, int], source: Path | None) -> None:
    """A JPEG of ``size``: the given picture, or smooth light, enlarged and with grain on it."""
    import numpy as np

    from intrinsic_cli.kit.files.opencv import cv2

    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    if source is not None:
        picture = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    large = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 2, (GRAIN, GRAIN, 3)).round().astype(np.int16)
    for top in range(0, size[0], GRAIN):
        for left in range(0, size[1], GRAIN):
            part = large[top : top + GRAIN, left : left + GRAIN]
            noisy = part + grain[: part.shape[0], : part.shape[1]]
            part[...] = np.clip(noisy, 0, 255)
    path.write_bytes(cv2.imencode(".jpg", large, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def report(label: str, photo: Path, asked: list[str]) -> None:
    """Print one row."""
    with tempfile.TemporaryDirectory() as out:
        words = [sys.executable, "-m", "intrinsic_cli", "decompose", str(photo), *asked]
        cpu, wall, peak = run([*words, "--device", "cpu", "--out", out])
    print(f"{label:<9}{cpu:7.1f}{wall:7.1f}{peak:10.0f}  {' '.join(asked)}", flush=True)


if __name__ == "__main__":
    main()
