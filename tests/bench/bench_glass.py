"""How well ``sils:reflection`` takes photos apart that are mixed as the public tests of this
problem are.

    python tests/bench/bench_glass.py synth:SHARDS [--weights FILE] [--photos 100] [--save DIR]

Two photos of the dataset's validation half at a time, 224 pixels square: the mirrored one out of
focus by 2 to 5 pixels, both added up in linear light; where the sum is too bright the reflection is
dimmed by what is too much (Fan et al., "A Generic Deep Architecture for Single Image Reflection
Removal", ICCV 2017), then the sum clips and is stored in 8 bits. The transmission is scored in sRGB
values: PSNR, and SSIM with a window of 7 pixels; beside it the mixture, which is what doing nothing
has."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch

import intrinsic_cli
from intrinsic_cli.api.outputs import Image
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes, linear_to_srgb
from intrinsic_cli.kit.metrics import ssim
from intrinsic_cli.registry import load_registry, open_dataset

SIDE = 224
BLUR = (2.0, 5.0)  # pixels
DIMMED = 1.3  # times the mean excess of what is too bright


class Glass(NamedTuple):
    """A photo through glass in codes of 8 bits, and the scene behind in linear light."""

    codes: Image
    behind: Image


def main() -> None:
    """Mix, take apart, score."""
    args = parse()
    separate = intrinsic_cli.open("sils:reflection", weights=args.weights)
    scores = []
    for number, glass in enumerate(mixtures(args.data, args.photos)):
        layers = separate(glass.codes).layers
        truth = linear_to_srgb(glass.behind)
        answer = linear_to_srgb(layers["transmission"].clip(0, 1))
        mixture = glass.codes / np.float32(255)
        scores.append([*score(answer, truth), *score(mixture, truth)])
        if args.save:
            write(args.save / f"{number:03d}.png", [mixture, answer, truth])
    found = np.mean(scores, axis=0)
    print(f"transmission of {len(scores)} photos: {found[0]:.2f} dB, SSIM {found[1]:.3f}")
    print(f"the mixture itself: {found[2]:.2f} dB, SSIM {found[3]:.3f}")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("data", help="any dataset with photos, as of iid evaluate --data")
    parser.add_argument("--weights", default="", help="other than those that are installed")
    parser.add_argument("--photos", type=int, default=100)
    parser.add_argument("--save", type=Path, help="folder for photo, answer and truth side by side")
    return parser.parse_args()


def mixtures(data: str, count: int) -> Iterator[Glass]:
    """``count`` photos through glass, always the same."""
    cases = open_dataset(data, load_registry()).cases("val")
    for number in range(count):
        rng = np.random.default_rng((7, number))
        one, other = rng.choice(len(cases), 2, replace=False)
        yield mixed(square(cases[one].photo), square(cases[other].photo), rng)


def square(photo: Image) -> Image:
    """Scaled to the side of the public tests, whatever its shape was."""
    small = cv2.resize(photo, (SIDE, SIDE), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32).clip(0, 1)


def mixed(behind: Image, mirrored: Image, rng: np.random.Generator) -> Glass:
    """One scene seen through a pane that mirrors another."""
    blurred = cv2.GaussianBlur(mirrored, (0, 0), rng.uniform(*BLUR))
    total = behind + blurred
    bright = total[total > 1]
    excess = float(bright.mean()) - 1 if len(bright) else 0.0
    reflection = (blurred - np.float32(DIMMED * excess)).clip(0, 1)
    codes = encode_codes(np.minimum(behind + reflection, 1), 8)
    return Glass(codes, behind)


def score(answer: Image, truth: Image) -> tuple[float, float]:
    """PSNR in decibels and SSIM of sRGB values [H,W,3]."""
    error = float(np.mean((answer - truth) ** 2))
    similarity = float(ssim(planes(answer), planes(truth)))
    return -10 * float(np.log10(error)), similarity


def planes(picture: Image) -> torch.Tensor:
    """[H,W,3] → [1,3,H,W]."""
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None]


def write(path: Path, pictures: list[Image]) -> None:
    """sRGB values side by side."""
    path.parent.mkdir(parents=True, exist_ok=True)
    row = np.hstack(pictures)[..., ::-1]
    cv2.imwrite(str(path), (row * 255).round().astype(np.uint8))


if __name__ == "__main__":
    main()
