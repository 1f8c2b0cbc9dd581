"""The variant ``residual`` at work: photo = albedo · shading + residual."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

import torch
from torch import Tensor, nn

from iid_flow.decomposer import DETAIL, FlowDecomposer, build, look_at
from iid_flow.highlights import HighlightNet
from iid_flow.known import with_known
from iid_flow.light import from_log
from iid_flow.white_point import white_point
from intrinsic_cli.api import Decomposition
from intrinsic_cli.kit.light.recolour import recolour
from intrinsic_cli.kit.light.resize import enlarged, resize
from intrinsic_cli.kit.light.scale import reflectance_below_one
from intrinsic_cli.kit.light.upsample import upsample_shading


def build_residual() -> dict[str, nn.Module]:
    """The networks of the default variant and one for highlights, untrained."""
    return {**build(), "residual": HighlightNet()}


class ResidualFlowDecomposer(FlowDecomposer):
    """As the default variant, with highlights taken out of the photo before it is divided by its
    shading. Mode ``vae`` knows none."""

    finishes_rows = True

    def __call__(self, photos: Tensor) -> Mapping[str, Tensor]:
        photos = enlarged(photos, self._options.size, self.frame.multiple)
        level = white_point(photos)
        log_shading, share = self._seen(photos, level)
        residual = photos * share
        diffuse = photos - residual
        height, width = photos.shape[-2:]
        size = (height // DETAIL, width // DETAIL)
        coarse = resize(from_log(log_shading, level), size)
        coarse = recolour(coarse, resize(diffuse, size))
        # Highlights are too small to be handed out at a third of the size, and layers have one.
        shading = upsample_shading(diffuse, coarse)
        albedo, shading = reflectance_below_one(diffuse / shading, shading)
        return {"albedo": albedo, "shading": shading, "residual": residual}

    def finished(self, result: Decomposition) -> Decomposition:
        """No more is mirrored than the photo holds: enlarged, a residual may say so at an edge."""
        layers = dict(result.layers)
        layers["residual"] = layers["residual"].clip(max=result.photo)
        result = replace(result, layers=layers)
        if self._options.mask:
            return with_known(result)
        return result

    def _seen(self, photos: Tensor, level: Tensor) -> tuple[Tensor, Tensor]:
        """Log shading and the share of highlights, both [B,3,H,W]."""
        if self._options.mode == "vae":
            return self._log_shading(photos, level).float(), torch.zeros_like(photos)
        answer = self._look(photos, level)
        if self._options.mirror:
            mirrored = self._look(photos.flip(3), level).flip(4)
            answer = (answer + mirrored) / 2
        log_shading, share = answer.float()
        return log_shading, share

    def _look(self, photos: Tensor, level: Tensor) -> Tensor:
        """Log shading and share of one look, [2,B,3,H,W]."""
        steps = self._options.steps or 1
        seen = look_at(self._nets, photos, self._noise(photos), steps, level)
        share = self._nets["residual"](seen)
        return torch.stack([seen.log_shading, share])
