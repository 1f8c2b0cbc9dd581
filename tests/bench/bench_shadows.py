"""How much of a hard shadow stays in the albedo: shadows that are laid over rendered views.

    python tests/bench/bench_shadows.py SHARDS [--method flow] [--weights FILE] [--views 110]

Every validation view is taken apart as it is and with a shadow, in 8 bits: one thrown by what
stands outside the picture, and one cast by things in it, which leave 30 % of the light, 8 %, or a
blue sky. What is told is the share of the shadows' steps, over a 64th of the picture, that is found
in the albedo (``kit/metrics/edges.py``), 0 for a perfect answer; and, of the sky, that of the steps
from red to blue."""

from __future__ import annotations

import argparse
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from numpy.typing import NDArray

import intrinsic_cli
from intrinsic_cli.api.outputs import Image
from intrinsic_cli.kit.data.synth.cast_shadows import cast_shadow
from intrinsic_cli.kit.data.synth.scenes import open_synth
from intrinsic_cli.kit.data.synth.shards import Shards
from intrinsic_cli.kit.data.synth.thrown_shadows import throw_shadow
from intrinsic_cli.kit.files.opencv import cv2
from intrinsic_cli.kit.light.colour import encode_codes
from intrinsic_cli.kit.metrics.edges import share_of_steps

#: What shadows leave of red, green and blue light.
LEFT = {"30 %": (0.3, 0.3, 0.3), "8 %": (0.08, 0.08, 0.08), "sky": (0.1, 0.16, 0.26)}
EDGE = 0.7  # pixels: the spread of their edges
DARK = 0.02  # of the photo's white: what is darker without a shadow says nothing


class View(NamedTuple):
    """A photo in linear light, where it is known, and the numbers of its objects."""

    photo: Image
    known: NDArray[np.bool_]
    ids: NDArray[np.uint8]


def main() -> None:
    """Lay shadows over views, take both apart, compare."""
    args = parse()
    decompose = intrinsic_cli.open(args.method, weights=args.weights)

    def albedo(photo: Image) -> torch.Tensor:
        layers = decompose(encode_codes(photo, 8)).layers
        return planes(layers["albedo"])

    found: dict[str, list[float]] = {}
    for number, view in enumerate(views(args.shards, args.views)):
        clean = albedo(view.photo)
        known = view.known & (view.photo.min(2) > DARK)
        for name, share in shadows(view.ids, np.random.default_rng((11, number))):
            shaded = albedo(view.photo * share)
            change = shaded / clean.clamp(min=1e-4)
            left = left_in(change, planes(share), known)
            found.setdefault(name, []).append(left)
            if name.endswith("sky"):
                left = left_in(blue(change), blue(planes(share)), known)
                found.setdefault(f"{name}, its blue", []).append(left)
    for name, shares in found.items():
        told = np.array([share for share in shares if not np.isnan(share)])
        error = 1.96 * told.std() / np.sqrt(len(told))
        print(f"{name}: {told.mean():.3f} ±{error:.3f} stays in the albedo, {len(told)} views")


def parse() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("shards", type=Path, help="the folder above train/ and val/")
    parser.add_argument("--method", default="flow")
    parser.add_argument("--weights", default="", help="other than those that are installed")
    parser.add_argument("--views", type=int, default=110)
    return parser.parse_args()


def views(folder: Path, count: int) -> Iterator[View]:
    """The first validation views, each under one fixed light."""
    cases = open_synth(folder).cases("val")
    scenes = Shards(folder / "val")
    for number in range(min(count, len(cases))):
        case = cases[number]
        yield View(np.asarray(case.photo), np.asarray(case.mask), scenes[number].ids)


def shadows(ids: NDArray[np.uint8], rng: np.random.Generator) -> Iterator[tuple[str, Image]]:
    """Names and shares [H,W,3] of the light that arrives."""
    kinds: list[tuple[str, Callable[..., Image | None]]]
    kinds = [("thrown", throw_shadow), ("cast", cast_shadow)]
    for name, draw in kinds:
        hard = draw(ids, rng)
        if hard is None:
            continue
        edged = cv2.GaussianBlur(hard, (0, 0), EDGE)[..., None]
        for kept, colour in LEFT.items():
            left = np.array(colour)
            share = left + (1 - left) * edged
            yield f"{name}, {kept}", np.asarray(share, np.float32)


def blue(layer: torch.Tensor) -> torch.Tensor:
    """Blue over red, [1,1,H,W]."""
    return layer[:, 2:] / layer[:, :1].clamp(min=1e-4)


def left_in(answered: torch.Tensor, stepped: torch.Tensor, known: NDArray[np.bool_]) -> float:
    """The share of the shadow's steps in what it changed, NaN where it has hardly any."""
    flat = torch.ones_like(stepped)
    return float(share_of_steps(answered, stepped, flat, planes(known[..., None])))


def planes(picture: Image | NDArray[np.bool_]) -> torch.Tensor:
    """[H,W,C] → [1,C,H,W]."""
    return torch.from_numpy(picture.transpose(2, 0, 1).copy())[None].float()


if __name__ == "__main__":
    main()
