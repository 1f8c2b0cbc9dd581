"""How fast ``iid decompose`` is on one thread, and where the time goes.

    python tests/bench/bench_decompose.py --method flow [--photo FILE] [--format png]

For a JPEG of 1 and of 12 megapixels: the whole command (CPU seconds, megapixels a second, peak
memory of the process), then its parts. Without ``--photo`` a made-up picture is used."""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

SIZES = {"1 MP": (833, 1200), "12 MP": (3000, 4000)}  # height, width
THREADS = dict.fromkeys(("OMP_NUM_THREADS", "MKL_NUM_THREADS", "OPENCV_FOR_THREADS_NUM"), "1")
PARTS = ("imports", "weights", "decode", "network", "upsampling", "encode")


def main() -> None:
    """Measure each size in processes of its own, so that peak memory is that of one photo."""
    args = parse()
    if args.parts:
        print(json.dumps(measure_parts(args)))
        return
    os.environ.update(THREADS)
    with tempfile.TemporaryDirectory() as folder:
        for label, size in SIZES.items():
            photo = Path(folder, f"{label.split()[0]}.jpg")
            make_photo(photo, size, args.photo)
            report(label, size, photo, args)


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--method", default="flow")
    parser.add_argument("--format", default="png")
    parser.add_argument("--photo", type=Path, help="picture to scale to each size")
    parser.add_argument("--parts", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


def make_photo(path: Path, size: tuple[int, int], source: Path | None) -> None:
    """A JPEG of ``size``: the given picture, or smooth light with grain on it."""
    import numpy as np

    from intrinsic_cli.kit.files.opencv import cv2

    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (12, 16, 3)).astype(np.uint8)
    if source is not None:
        picture = cv2.imdecode(np.frombuffer(source.read_bytes(), np.uint8), cv2.IMREAD_COLOR)
    large = cv2.resize(picture, size[::-1], interpolation=cv2.INTER_CUBIC)
    grain = rng.normal(0, 1.5, large.shape).astype(np.float32)
    codes = np.clip(large + grain, 0, 255).astype(np.uint8)
    path.write_bytes(cv2.imencode(".jpg", codes, [cv2.IMWRITE_JPEG_QUALITY, 92])[1].tobytes())


def report(label: str, size: tuple[int, int], photo: Path, args: argparse.Namespace) -> None:
    """Print one size."""
    words = [
        sys.executable,
        "-m",
        "intrinsic_cli",
        "decompose",
        str(photo),
        "--method",
        args.method,
    ]
    out = photo.with_suffix("")
    words += ["--format", args.format, "--device", "cpu", "--out", str(out)]
    cpu, wall, peak = run(words)
    megapixels = size[0] * size[1] / 1e6
    print(
        f"{label}: {cpu:.2f} CPU-s, {wall:.2f} s, {megapixels / wall:.2f} MP/s, peak {peak:.0f} MiB"
    )
    flags = ["--method", args.method, "--format", args.format, "--parts", str(photo)]
    told = subprocess.run(
        [sys.executable, __file__, *flags], capture_output=True, text=True, check=True
    ).stdout
    parts: dict[str, float] = json.loads(told)
    whole = sum(parts[name] for name in PARTS)
    for name in PARTS:
        print(f"  {name:<11}{parts[name]:7.3f} CPU-s {100 * parts[name] / whole:5.1f} %")


def run(words: list[str]) -> tuple[float, float, float]:
    """(CPU seconds, wall seconds, peak MiB) of a command."""
    start = time.perf_counter()
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(process.pid, 0)
    if status:
        sys.exit(f"{' '.join(words)} failed")
    per_mib = 1 << 20 if sys.platform == "darwin" else 1 << 10
    return used.ru_utime + used.ru_stime, time.perf_counter() - start, used.ru_maxrss / per_mib


def measure_parts(args: argparse.Namespace) -> dict[str, float]:
    """CPU seconds of each part, in this process."""
    spent = dict.fromkeys(PARTS, 0.0)

    @contextmanager
    def clock(part: str) -> Iterator[None]:
        start = time.process_time()
        yield
        spent[part] += time.process_time() - start

    with clock("imports"):
        import torch

        from intrinsic_cli.kit.files.outputs import write_outputs
        from intrinsic_cli.kit.files.photo import read_photo
        from intrinsic_cli.kit.inference import full_size, network, prepare
        from intrinsic_cli.runs.session import Session, choose

    with tempfile.TemporaryDirectory() as folder, torch.inference_mode():
        with clock("weights"):
            session = Session(choose(args.method), device="cpu")
        frame, kinds = session.decomposer.frame, session.choice.variant.kinds
        with clock("decode"):
            photo = read_photo(args.parts.read_bytes())
        with clock("upsampling"):
            ready = prepare.prepare(photo, frame, session.runtime.device)
        with clock("network"):
            answer = network.run_network(session.decomposer, [ready], session.runtime, kinds)
        with clock("upsampling"):
            full = full_size.to_full_size(ready, answer.layers, frame.upsample, kinds)
            images = {name: prepare.to_image(layer) for name, layer in full.items()}
        with clock("encode"):
            outputs = {name: (session.choice.variant.kind(name), x) for name, x in images.items()}
            write_outputs(Path(folder, "photo"), outputs, args.format)
    return spent


if __name__ == "__main__":
    main()
