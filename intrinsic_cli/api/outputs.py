"""What a method may hand out: the table of kinds, and the answers it is made of.

A method promises its outputs by name (``Variant.layers``). The kind of a name says everything the
house has to know: how a picture is resized, mirrored, exposed and encoded, and which files it
becomes. Common names have their kind from :data:`KIND_OF`; a method gives the kinds of names of its
own (``Variant.kinds``).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from intrinsic_cli.api.errors import PluginError

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import Tensor

    from intrinsic_cli.api.regions import Region

#: [H,W,C] (or [H,W]) float32, linear light.
Image: TypeAlias = "NDArray[np.float32]"

#: Layers whose product (plus ``residual``) is the photo.
FACTORS = ("albedo", "shading")
#: Layers whose sum is the photo: what is seen through glass, what the glass mirrors, stray light
#: of the lens.
SUMMANDS = ("transmission", "reflection", "flare")


@dataclass(frozen=True, slots=True)
class Kind:
    """How the house treats the outputs of one kind.

    - ``channels``: how many a picture may have; () for what is no picture of the photo's size.
    - ``low``, ``high``: the range of its numbers; None = open.
    - ``resize``: ``smooth`` interpolates, ``unit`` also brings vectors back to length 1, ``none``
      leaves the output as it is.
    - ``mirror``: when the photo is mirrored, ``pixels`` are, ``vectors`` also turn their x round,
      ``none`` is left alone.
    - ``encoding``: what integer files hold: ``srgb`` codes; ``linear`` numbers; ``signed``,
      (v / scale + 1) / 2; ``vector``, (v + 1) / 2.
    - ``scaled``: may an integer file hold v / scale, with the scale in the sidecar?
    - ``everywhere``: does it hold where the method looked at nothing, too? Its files then have the
      photo's own alpha, not that of the regions.
    - ``follows_exposure``: is it in units of the photo's light, which grow with its exposure?
    - ``suffixes``: of its files; () = that of the format asked for.
    """

    name: str
    summary: str
    channels: tuple[int, ...] = ()
    low: float | None = 0.0
    high: float | None = None
    resize: Literal["smooth", "unit", "none"] = "smooth"
    mirror: Literal["pixels", "vectors", "none"] = "pixels"
    encoding: Literal["srgb", "linear", "signed", "vector"] = "srgb"
    scaled: bool = True
    everywhere: bool = False
    follows_exposure: bool = False
    suffixes: tuple[str, ...] = ()

    @property
    def is_layer(self) -> bool:
        """Is it a picture of the photo's size?"""
        return bool(self.channels)


def _other(name: str, summary: str, *suffixes: str) -> Kind:
    """A kind that is no picture of the photo's size."""
    return Kind(name, summary, resize="none", mirror="none", scaled=False, suffixes=suffixes)


_COLOUR = (1, 3)

#: Every kind by its name.
KINDS: Mapping[str, Kind] = {
    kind.name: kind
    for kind in (
        Kind("reflectance", "a factor without unit: what surfaces reflect", _COLOUR),
        Kind("factor", "a factor in the photo's light", _COLOUR, follows_exposure=True),
        Kind("summand", "light that adds up to the photo", _COLOUR, follows_exposure=True),
        Kind(
            "residual",
            "what the other layers miss of the photo, of either sign",
            _COLOUR,
            low=None,
            encoding="signed",
            follows_exposure=True,
        ),
        Kind("photo", "another photo of the scene", _COLOUR, follows_exposure=True),
        Kind(
            "retouched",
            "the photo itself, changed in places",
            _COLOUR,
            everywhere=True,
            follows_exposure=True,
        ),
        Kind(
            "vector",
            "unit vectors: x right, y up, z to the viewer",
            (3,),
            low=-1.0,
            high=1.0,
            resize="unit",
            mirror="vectors",
            encoding="vector",
            scaled=False,
        ),
        Kind("mask", "0 outside, 1 inside", (1,), high=1.0, encoding="linear", scaled=False),
        Kind("depth", "distance from the camera", (1,), encoding="linear"),
        _other("mesh", "a triangle mesh with its texture", ".obj", ".mtl", ".png", ".glb"),
        _other("texture", "a picture of its own size", ".png"),
        _other("record", "numbers and words, as JSON", ".json"),
        _other("animation", "pictures one after the other", ".gif", ".mp4"),
    )
}

#: The kinds of names that methods share.
KIND_OF: Mapping[str, str] = {
    "albedo": "reflectance",
    "shading": "factor",
    "residual": "residual",
    **dict.fromkeys(SUMMANDS, "summand"),
    "normals": "vector",
    "mask": "mask",
    "silhouette": "mask",
    "depth": "depth",
    "relit": "retouched",
    "render": "photo",
    "mesh": "mesh",
    "texture": "texture",
    "light": "record",
    "camera": "record",
    "turntable": "animation",
}


def kind_of(name: str, own: Mapping[str, str] | None = None) -> Kind:
    """The kind of the output ``name``; ``own`` (``Variant.kinds``) comes before the common names.

    PluginError for a name whose kind nobody has said, or a kind that does not exist.
    """
    kind = (own or {}).get(name) or KIND_OF.get(name)
    if kind is None:
        hint = f"give Variant(kinds={{{name!r}: KIND}}) with one of {', '.join(KINDS)}"
        raise PluginError(f"the kind of the output {name!r} is not known", hint)
    if kind not in KINDS:
        raise PluginError(f"there is no kind {kind!r} of outputs", f"kinds: {', '.join(KINDS)}")
    return KINDS[kind]


@dataclass(slots=True)
class Mesh:
    """A triangle mesh. x right, y up, z to the viewer.

    ``vertices`` [V,3] float, ``faces`` [F,3] int. Optional: ``colours`` [V,3] linear, 0..1, of the
    vertices; or ``texture`` [h,w,3] linear with ``uv`` [U,2] (u right, v up, 0..1) and ``uv_faces``
    [F,3] int into ``uv`` (None: as ``faces``).
    """

    vertices: Any
    faces: Any
    colours: Any = None
    texture: Any = None
    uv: Any = None
    uv_faces: Any = None


@dataclass(frozen=True, slots=True)
class Animation:
    """Pictures [T,h,w,3] linear, one after the other, in the ``form`` their file is to have: a GIF
    shows itself everywhere, an MP4 is smaller and has all colours, but takes the extra
    ``video``."""

    pictures: Any
    form: Literal["gif", "mp4"] = "gif"


@dataclass(slots=True)
class Outputs:
    """A decomposer's answer for a batch of B photos.

    ``layers`` are tensors [B,C,h,w], linear, at any one size. All others are by name a list with an
    entry a photo: meshes, ``textures`` [h,w,3] linear, ``records`` (what JSON can hold),
    ``animations`` ([T,h,w,3] linear, which become GIFs, or an :class:`Animation`). ``facts``: for
    each photo numbers or words that its sidecar shall hold. ``notes``: for each photo sentences the
    user should read, which are shown as warnings and stand in its sidecar too. ``alpha`` [B,1,h,w]
    is 1 where the layers hold (None: everywhere); pasted into a photo they cover no more than that.
    """

    layers: Mapping[str, Tensor] = field(default_factory=dict)
    meshes: Mapping[str, Sequence[Mesh]] = field(default_factory=dict)
    textures: Mapping[str, Sequence[Image]] = field(default_factory=dict)
    records: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    animations: Mapping[str, Sequence[Image | Animation]] = field(default_factory=dict)
    facts: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Sequence[str]] = ()
    alpha: Tensor | None = None


@dataclass(slots=True)
class Decomposition:
    """One photo taken apart.

    ``photo`` [H,W,3] and every layer [H,W,C] are float32, linear light, at the photo's own size;
    ``alpha`` [H,W] in 0..1, or None, says where they hold. ``regions`` are the parts of the photo
    that were looked at (none: all of it at once); meshes, textures and animations have an entry a
    region, or just one. ``facts`` are numbers worth keeping (seconds, clipped fraction), ``notes``
    sentences the user should read.
    """

    photo: Image
    layers: Mapping[str, Image]
    alpha: Image | None = None
    meshes: Mapping[str, Sequence[Mesh]] = field(default_factory=dict)
    textures: Mapping[str, Sequence[Image]] = field(default_factory=dict)
    records: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)
    animations: Mapping[str, Sequence[Image | Animation]] = field(default_factory=dict)
    facts: Mapping[str, Any] = field(default_factory=dict)
    regions: Sequence[Region] = ()
    notes: Sequence[str] = ()

    def get(self, name: str) -> Any:
        """The output ``name`` of whatever kind, or None."""
        places = (self.layers, self.meshes, self.textures, self.records, self.animations)
        return next((place[name] for place in places if name in place), None)
