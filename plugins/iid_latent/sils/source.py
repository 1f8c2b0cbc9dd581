"""Where photos and exemplars come from."""

from __future__ import annotations

from iid_latent.sils.layer_model import LayerModel
from intrinsic_cli.api import DataError, Source
from intrinsic_cli.kit.data.reflection.mixtures import Mixtures


def source_of(model: LayerModel, source: Source) -> Source:
    """Where the layers of a model come from: the dataset itself or, for sums, mixtures of its
    photos. DataError."""
    missing = [name for name in model.layers if name not in source.offers]
    if not missing:
        return source
    if not model.adds_up:
        hint = "give a dataset with these layers, such as synth, or unpaired:FOLDER"
        raise DataError(f"{source.name} has no {' and no '.join(missing)} to learn from", hint)
    return Mixtures(source, len(model.layers))
