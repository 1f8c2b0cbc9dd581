"""Checkpoints of SfSNet and its relatives, in their three layouts: the port's (which is ours), the
authors' PyTorch file, and what was converted from Caffe.

What each does differently is brought to one form: colours to RGB, light's inputs to the port's
order. How normals are drawn and what is around a map when it is enlarged stay as they are, written
down in :class:`~iid_residual.networks.pipe.Conventions`. All see sRGB numbers as if they were
linear."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor

from iid_residual.networks.pipe import RAW, SHIFTED, SIGNED, Conventions, Network, Pipe, build
from iid_residual.networks.state import CONVENTIONS, PIPE, kind_and_width
from iid_residual.original_parts import joined, require_albedo
from iid_residual.variants import DESIGNS, Design, design_of
from intrinsic_cli.kit.networks.checkpoint import require_shapes

if TYPE_CHECKING:
    from intrinsic_cli.api.method import NetState

Tensors = dict[str, Tensor]

#: A key that only one layout has.
_PORT, _AUTHOR, _CAFFE, _SKIP = (
    "conv_model.conv3.weight",
    "nreso.0.weight",
    "n_res1.conv.weight",
    "light_decoder.weight",
)
_COUNTER = "num_batches_tracked"
_LAYERS = {"n": "normal", "a": "albedo"}

#: Names of the authors' file, as patterns, and the port's.
_AUTHORS_NAMES = (
    (r"conv([12])\.conv\.", r"conv_model.conv\1."),
    (r"conv3\.", "conv_model.conv3."),
    (r"([na])res(\d)\.res\.", r"<\1>_residual_model.block\2.res."),
    (r"([na])reso\.0\.", r"<\1>_residual_model.bn1."),
    (r"([na])conv([12])\.conv\.", r"<\1>_gen_model.conv\2."),
    (r"([na])out\.", r"<\1>_gen_model.conv3."),
    (r"lconv\.conv\.", "light_estimator_model.conv1."),
    (r"lout\.", "light_estimator_model.fc."),
)
#: Those of Caffe.
_CAFFES_NAMES = (
    (r"conv([12])\.", r"conv_model.conv\1.0."),
    (r"bn([12])\.", r"conv_model.conv\1.1."),
    (r"conv3\.", "conv_model.conv3."),
    (r"([na])_res(\d)\.bn\.", r"<\1>_residual_model.block\2.res.0."),
    (r"([na])_res(\d)\.conv\.", r"<\1>_residual_model.block\2.res.2."),
    (r"([na])_res(\d)\.bnr\.", r"<\1>_residual_model.block\2.res.3."),
    (r"([na])_res(\d)\.convr\.", r"<\1>_residual_model.block\2.res.5."),
    (r"([na])bn6r\.", r"<\1>_residual_model.bn1."),
    (r"([na])conv6\.", r"<\1>_gen_model.conv1.0."),
    (r"([na])bn6\.", r"<\1>_gen_model.conv1.1."),
    (r"([na])conv7\.", r"<\1>_gen_model.conv2.0."),
    (r"([na])bn7\.", r"<\1>_gen_model.conv2.1."),
    (r"([NA])conv0\.", r"<\1>_gen_model.conv3."),
    (r"lconv1\.", "light_estimator_model.conv1.0."),
    (r"lbn1\.", "light_estimator_model.conv1.1."),
    (r"fc_light\.", "light_estimator_model.fc."),
)


def convert(state: Mapping[str, Any]) -> tuple[str, NetState] | None:
    """(variant, nets) of an original checkpoint, or of several by the stems of their files (see
    :func:`~iid_residual.original_parts.joined`); None if it is none. WeightsError where a
    recognised one misses or changes tensors."""
    parts = joined(state)
    if parts is not None:
        return _of_port(parts.tensors, parts.has_discriminator)
    tensors = _flat(state)
    if _AUTHOR in tensors:
        return _imported(design_of("sfsnet"), _renamed(tensors, _AUTHORS_NAMES), SHIFTED)
    if _CAFFE in tensors:
        return _imported(design_of("sfsnet"), _from_caffe(tensors), SHIFTED, zero_border=True)
    if _SKIP in tensors and "encoder.fc256.weight" in tensors:
        return _imported(design_of("skipnet"), tensors)
    if _PORT in tensors:
        return _of_port(tensors)
    return None


def _of_port(tensors: Tensors, has_discriminator: bool = False) -> tuple[str, NetState]:
    """Variants with a second set of albedo features look alike; a discriminator beside them tells
    that it was trained with."""
    require_albedo(tensors)
    design = _design(tensors)
    if has_discriminator and design is DESIGNS[0]:
        design = design_of("gan-separate")
    return _imported(design, tensors)


def _imported(
    design: Design, tensors: Tensors, encoding: int | None = None, zero_border: bool = False
) -> tuple[str, NetState]:
    """The nets of an original whose tensors have the port's names."""
    backbone, width = kind_and_width(tensors)
    network = build(design, backbone, width)
    whole = _with_counters(tensors, network)
    require_shapes(whole, network, f"the variant {design.name}")
    network.load_state_dict(whole)
    if encoding is None:
        encoding = encoding_of(network.eval())
    if encoding == SHIFTED and design.residual:
        # These were taught on harmonics of the numbers as drawn; their heads make up for that.
        encoding = RAW
    conventions = Conventions(encoding, zero_border, srgb=True)
    name = "" if design is DESIGNS[0] else design.name
    return name, {PIPE: whole, CONVENTIONS: conventions.state_dict()}


def encoding_of(network: Network) -> int:
    """How a network draws normals, told by those it draws on plain gray: across the picture they
    have no preferred direction, so numbers about 0 are vectors, numbers about a half shifted
    ones."""
    with torch.no_grad():
        gray = torch.full((1, 3, 64, 64), 0.5)
        drawn = _drawn(network, gray)
    return SHIFTED if float(drawn[:, :2].median()) > 0.25 else SIGNED


def _drawn(network: Network, photo: Tensor) -> Tensor:
    if isinstance(network, Pipe):
        features = network.normal_residual_model(network.conv_model(photo))
        drawn: Tensor = network.normal_gen_model(features)
    else:
        drawn = network.normal_decoder(network.encoder(photo))
    return drawn


def _design(tensors: Tensors) -> Design:
    """The first variant whose heads these are."""
    modules = {key.partition(".")[0] for key in tensors}
    for design in DESIGNS:
        heads = {design.residual, design.mix} - {""}
        second = "albedo_residual_model_2" in modules
        if not design.skip and heads and heads <= modules and second == design.second:
            return design
    return design_of("sfsnet")


def _from_caffe(tensors: Tensors) -> Tensors:
    """BGR to RGB on both sides, light's inputs from (normals, albedo, shared) to (shared, normals,
    albedo), statistics without the factor Caffe keeps beside them."""
    renamed = _renamed(_unscaled(tensors), _CAFFES_NAMES)
    first = "conv_model.conv1.0.weight"
    renamed[first] = renamed[first].flip(1)
    for layer in _LAYERS.values():
        for end in ("weight", "bias"):
            key = f"{layer}_gen_model.conv3.{end}"
            renamed[key] = renamed[key].flip(0)
    light = "light_estimator_model.conv1.0.weight"
    width = renamed[light].shape[1] // 3
    renamed[light] = torch.cat([renamed[light][:, 2 * width :], renamed[light][:, : 2 * width]], 1)
    return renamed


def _unscaled(tensors: Tensors) -> Tensors:
    plain = {}
    for key, values in tensors.items():
        stem, _, end = key.rpartition(".")
        factor = tensors.get(f"{stem}.scale_factor")
        if end == "scale_factor":
            continue
        if factor is not None and end.startswith("running"):
            values = values / factor.clamp_min(1e-12)
        plain[key] = values
    return plain


def _renamed(tensors: Tensors, names: tuple[tuple[str, str], ...]) -> Tensors:
    return {_port_name(key, names): values for key, values in tensors.items()}


def _port_name(key: str, names: tuple[tuple[str, str], ...]) -> str:
    for pattern, name in names:
        renamed, count = re.subn(f"^{pattern}", name, key)
        if count:
            return re.sub(r"<(\w)>", lambda found: _LAYERS[found[1].lower()], renamed)
    return key


def _with_counters(tensors: Tensors, network: Network) -> Tensors:
    """What batch norms count and, where they have none, their slopes and offsets; in our order."""
    whole = {}
    for key, like in network.state_dict().items():
        norm = f"{key.rpartition('.')[0]}.running_mean" in tensors
        if key in tensors:
            whole[key] = tensors[key].to(like.dtype)
        elif key.endswith(_COUNTER) or norm:
            whole[key] = like
    extra = {key: values for key, values in tensors.items() if key not in whole}
    return whole | extra


def _flat(state: Mapping[str, Any], before: str = "") -> Tensors:
    """Tensors by full name, of a state dict with others in it or without."""
    tensors: Tensors = {}
    for key, value in state.items():
        name = f"{before}{key}"
        if isinstance(value, Tensor):
            tensors[name] = value.detach().cpu()
        elif isinstance(value, Mapping):
            tensors |= _flat(value, f"{name}.")
    return tensors
