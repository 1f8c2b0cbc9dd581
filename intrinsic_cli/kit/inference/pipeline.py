"""A photo through a network: cut to its frame, taken apart, lifted back to full size."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor
from torch.nn import functional

from intrinsic_cli.api import (
    Decomposer,
    Decomposition,
    Frame,
    IidError,
    Outputs,
    PluginError,
    Runtime,
)
from intrinsic_cli.api.outputs import SUMMANDS
from intrinsic_cli.kit.files.photo import Photo
from intrinsic_cli.kit.light.colour import linear_to_srgb
from intrinsic_cli.kit.light.resize import fit_size, pad_to_multiple, resize
from intrinsic_cli.kit.light.upsample import lift_shading, split
from intrinsic_cli.kit.light.upsample_sums import split_sum
from intrinsic_cli.kit.networks.device import autocast

#: Layers in the units of the photo's light, which grow with its exposure.
LIGHT = ("shading", "residual", *SUMMANDS)


@dataclass(frozen=True, slots=True)
class Plate:
    """A photo made ready. ``canvas`` [1,3,H,W] linear is what layers are lifted to (the photo, with
    its border repeated where a native-size frame asks for a multiple); ``small`` [1,3,h,w] linear
    the copy the network's input is made of; both are divided by ``exposure``. ``size`` is the
    photo's own."""

    canvas: Tensor
    small: Tensor
    exposure: float
    size: tuple[int, int]


def decompose_photo(decomposer: Decomposer, photo: Photo, runtime: Runtime) -> Decomposition:
    """Take one photo apart; layers come back at the photo's size."""
    return decompose_photos(decomposer, [photo], runtime)[0]


def decompose_photos(
    decomposer: Decomposer,
    photos: Sequence[Photo],
    runtime: Runtime,
    note: Callable[[str], None] = lambda text: None,
) -> list[Decomposition]:
    """Take photos apart in one batch; their :func:`network_size` must agree. When memory runs out
    the batch is halved and ``note`` is told."""
    try:
        return _decompose(decomposer, photos, runtime)
    except RuntimeError as error:
        if not is_out_of_memory(error):
            raise PluginError(
                f"the network failed: {str(error).splitlines()[0]}", "see --debug"
            ) from error
        # Leaving the block drops the traceback, and with it the tensors it holds, before the next
        # try.
    if runtime.device.type == "cuda":
        torch.cuda.empty_cache()
    if len(photos) == 1:
        raise IidError(f"{runtime.device} ran out of memory", "try a smaller photo or --device cpu")
    half = len(photos) // 2
    note(f"out of memory with {len(photos)} photos at a time; going on with {half}")
    parts = (photos[:half], photos[half:])
    return [done for part in parts for done in decompose_photos(decomposer, part, runtime, note)]


def network_size(photo: Photo, frame: Frame) -> tuple[int, int]:
    """The size ``(h, w)`` at which the network will see ``photo``."""
    height, width = photo.pixels.shape[:2]
    if frame.size is None:
        return height + -height % frame.multiple, width + -width % frame.multiple
    return fit_size(height, width, frame)


def is_out_of_memory(error: RuntimeError) -> bool:
    """CUDA says so by type, the CPU allocator only by words."""
    return isinstance(error, torch.OutOfMemoryError) or "allocate memory" in str(error)


@torch.inference_mode()
def _decompose(
    decomposer: Decomposer, photos: Sequence[Photo], runtime: Runtime
) -> list[Decomposition]:
    start = time.perf_counter()
    plates = [prepare(photo, decomposer.frame, runtime.device) for photo in photos]
    layers = run_network(decomposer, plates, runtime)
    done = []
    for i, (photo, plate) in enumerate(zip(photos, plates, strict=True)):
        mine = {name: layer[i : i + 1] for name, layer in layers.items()}
        meshes = {name: layer.pop() for name, layer in mine.items() if isinstance(layer, list)}
        images = {name: layer for name, layer in mine.items() if name not in meshes}
        full = {
            name: to_array(layer)
            for name, layer in complete(plate, images, decomposer.frame.upsample).items()
        }
        seconds = (time.perf_counter() - start) / len(photos)
        facts = {"seconds": seconds, "clipped": photo.clipped, "repaired": photo.repaired}
        done.append(Decomposition(photo.pixels, full, photo.alpha, meshes, facts=facts))
    return done


def prepare(photo: Photo, frame: Frame, device: torch.device) -> Plate:
    """Bring ``photo`` to ``device`` and to the size its network wants."""
    full = torch.from_numpy(photo.pixels).to(device).permute(2, 0, 1)[None]
    exposure = _exposure(photo.pixels)
    canvas = full if exposure == 1.0 else full / exposure
    if frame.size is None:
        canvas = pad_to_multiple(canvas, frame.multiple)
    small = resize(canvas, network_size(photo, frame))
    return Plate(canvas, small, exposure, (photo.pixels.shape[0], photo.pixels.shape[1]))


def _exposure(pixels: NDArray[np.float32]) -> float:
    """What to divide a photo by: 1, or the 99th percentile where float light goes beyond what
    cameras store."""
    if pixels.max(initial=0.0) <= 1.0:
        return 1.0
    step = max(1, int((pixels.size / (1 << 20)) ** 0.5))
    return max(1.0, float(np.percentile(pixels[::step, ::step].max(axis=2), 99)))


def run_network(
    decomposer: Decomposer, plates: Sequence[Plate], runtime: Runtime
) -> dict[str, Any]:
    """Call the network on a batch of plates; layers come back checked: [B,C,h,w] float32, or lists
    of meshes."""
    shown = torch.cat([plate.small.clamp(max=1.0) for plate in plates])
    photos = linear_to_srgb(shown) if decomposer.frame.encoding == "srgb" else shown
    torch.manual_seed(
        runtime.seed
    )  # the same photo gives the same layers wherever in a folder it lies
    with torch.inference_mode(), autocast(runtime.device, runtime.precision):
        answer = decomposer(photos)
    layers = answer.layers if isinstance(answer, Outputs) else answer
    return {name: _checked(name, layer, len(plates)) for name, layer in layers.items()}


def _checked(name: str, layer: Any, batch: int) -> Any:
    if isinstance(layer, list):
        if len(layer) != batch:
            raise PluginError(f"the method gave {len(layer)} meshes {name!r} for {batch} photos")
        return layer
    if layer.ndim != 4 or layer.shape[0] != batch or layer.shape[1] not in (1, 3):
        raise PluginError(
            f"the method gave layer {name!r} as {tuple(layer.shape)}, not [{batch},1 or 3,H,W]"
        )
    if not torch.isfinite(layer).all():
        raise PluginError(f"the method gave layer {name!r} with values that are not finite")
    return layer.float()


def complete(plate: Plate, layers: Mapping[str, Tensor], upsample: str) -> dict[str, Tensor]:
    """Layers of one photo at any size → all at the photo's size, ``[1,C,H,W]``."""
    size = (plate.canvas.shape[-2], plate.canvas.shape[-1])
    if upsample == "divide" and "shading" in layers:
        full = _divide(plate, layers, size)
    elif upsample == "subtract":
        full = _subtract(plate, layers, size)
    else:
        full = {name: _stretch(name, layer, size) for name, layer in layers.items()}
    height, width = plate.size
    exposed = {name: plate.exposure if name in LIGHT else 1.0 for name in full}
    return {
        name: (layer if exposed[name] == 1.0 else layer * exposed[name])[..., :height, :width]
        for name, layer in full.items()
    }


def _divide(plate: Plate, layers: Mapping[str, Tensor], size: tuple[int, int]) -> dict[str, Tensor]:
    """Lift the shading along the photo's edges and give the albedo everything it does not
    explain."""
    full = {
        name: _stretch(name, layer, size)
        for name, layer in layers.items()
        if name not in ("albedo", "shading")
    }
    same = layers["shading"].shape[-2:] == plate.small.shape[-2:]
    shading = lift_shading(plate.canvas, layers["shading"], plate.small if same else None)
    diffuse = (
        (plate.canvas - full["residual"]).clamp(min=0.0) if "residual" in full else plate.canvas
    )
    ordered = {name: full.get(name, shading) for name in layers}
    return ordered | {"albedo": split(diffuse, shading)}


def _subtract(
    plate: Plate, layers: Mapping[str, Tensor], size: tuple[int, int]
) -> dict[str, Tensor]:
    """Lift the summands along the photo's edges and give the transmission everything they do not
    explain."""
    parts = {name: layer for name, layer in layers.items() if name in SUMMANDS[1:]}
    full = {
        name: _stretch(name, layer, size) for name, layer in layers.items() if name not in SUMMANDS
    }
    return split_sum(plate.canvas, parts, plate.small) | full


def _stretch(name: str, layer: Tensor, size: tuple[int, int]) -> Tensor:
    layer = resize(layer, size)
    return functional.normalize(layer, dim=1) if name == "normals" else layer


def to_array(layer: Tensor) -> NDArray[np.float32]:
    """[1,C,H,W] → float32 [H,W,C]."""
    return np.ascontiguousarray(layer[0].permute(1, 2, 0).cpu().numpy())
