"""The image encoder: what the flow is told about the photo."""

from __future__ import annotations

from typing import Literal, NamedTuple

from torch import Tensor, nn

from iid_flow.published.blocks import Albedo16Block, BlockShape, ResidualBlock, Shading8Block


class _Row(NamedTuple):
    """One block of the encoder: ``keep`` its output as a conditioning map, ``down`` halve its size
    at the end."""

    name: str
    inputs: int
    outputs: int
    groups: int = 8
    down: bool = False
    keep: bool = False


_ALBEDO16 = (
    _Row("down1", 64, 128, groups=2, down=True),
    _Row("down3", 128, 256, down=True),
    _Row("down5", 256, 256, down=True, keep=True),
    _Row("down6", 256, 384, keep=True),
    _Row("down7", 384, 512, down=True, keep=True),
)
_SHADING8 = (
    _Row("down1", 64, 128, groups=2, down=True),
    _Row("down3", 128, 256, down=True),
    _Row("down4", 256, 256, down=True, keep=True),
    _Row("down5", 256, 256, keep=True),
    _Row("down6", 256, 384, keep=True),
    _Row("down7", 384, 512, down=True, keep=True),
)


class ImageEncoder(nn.Module):
    """``[B,3,H,W]`` in [-1,1] → conditioning maps: (256 at /8,) 256 at /8, 384 at /8, 512 at /16;
    H, W multiples of 16. ``shading8`` gives the map in brackets, which its UNet concatenates to the
    noise; the others are added."""

    def __init__(self, variant: str) -> None:
        super().__init__()
        block: type[ResidualBlock] = Shading8Block if variant == "shading8" else Albedo16Block
        self.rows = _SHADING8 if variant == "shading8" else _ALBEDO16
        self.initial_conv = nn.Sequential(nn.Conv2d(3, 64, 3, 1, 1), nn.GroupNorm(2, 64), nn.SiLU())
        for row in self.rows:
            resample: Literal["", "down"] = "down" if row.down else ""
            shape = BlockShape(row.inputs, row.outputs, row.groups, resample=resample)
            self.add_module(row.name, block(shape))

    def forward(self, x: Tensor) -> tuple[Tensor, ...]:
        x = self.initial_conv(x)
        maps: list[Tensor] = []
        for row in self.rows:
            x = self.get_submodule(row.name)(x)
            if row.keep:
                maps.append(x)
        return tuple(maps)
