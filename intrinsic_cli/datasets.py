"""The dataset readers the house brings along: described here, imported on first use."""

from __future__ import annotations

from dataclasses import replace

from intrinsic_cli.api import DatasetSpec
from intrinsic_cli.kit.data import layouts

_LAYERS = frozenset({"photo", "albedo", "shading", "mask"})
_KIT = "intrinsic_cli.kit.data"
_RESEARCH = "research use"


def _also(spec: DatasetSpec, name: str, opens: str, protocol: str, summary: str) -> DatasetSpec:
    """The same files under another protocol."""
    target = f"{spec.target.partition(':')[0]}:{opens}"
    return replace(
        spec, name=name, target=target, protocols=(protocol,), summary=summary, prepare=""
    )


_SYNTH = DatasetSpec(
    name="synth",
    summary="rendered scenes with exact layers",
    target=f"{_KIT}.synth.scenes:open_synth",
    offers=_LAYERS | {"normals", "light"},
    licence="CC0, CC-BY and MIT assets; see the NOTICE beside the miniature",
    layout=layouts.SYNTH,
    needs_path=False,
    page="50 scenes are packaged with iid; a path names a folder of more shards",
    protocols=("synth",),
)
_FOLDER = DatasetSpec(
    name="folder",
    summary="your own photos with layers",
    target=f"{_KIT}.folder:open_folder",
    offers=_LAYERS,
    licence="yours",
    layout=layouts.FOLDER,
    page="your disk",
    protocols=("folder",),
    least="one photo; ten make a split that tells something",
)
_REFLECTION = DatasetSpec(
    name="reflection",
    summary="photos behind glass, made of any photos",
    target=f"{_KIT}.reflection.mixtures:open_reflection",
    offers=frozenset({"photo", "transmission", "reflection", "mask"}),
    licence="that of the photos",
    layout=layouts.REFLECTION,
    needs_path=False,
    page="made on the fly; without a path, of the packaged scenes",
    protocols=("reflection",),
    least="two photos; twelve where they are cut into three parts to train on",
)
_STEADY = DatasetSpec(
    name="steady",
    summary="any photos, cut, turned, exposed and tinted: does the albedo stay?",
    target=f"{_KIT}.steady:open_steady",
    offers=frozenset({"photo", "mask"}),
    licence="that of the photos",
    layout=layouts.STEADY,
    page="your disk; no truth is needed",
    protocols=("steady",),
    trains=False,
    least="one photo",
)
_UNPAIRED = DatasetSpec(
    name="unpaired",
    summary="your own photos, albedos and shadings, each of other scenes",
    target=f"{_KIT}.unpaired.folders:open_unpaired",
    offers=frozenset({"photo", "albedo", "shading", "unpaired"}),
    licence="yours",
    layout=layouts.UNPAIRED,
    page="your disk",
    several=True,
    least="one file in each folder",
)
_MIT = DatasetSpec(
    name="mit",
    summary="MIT intrinsic images: 20 photographed objects, also as relit by SIRFS",
    target=f"{_KIT}.mit:open_mit",
    offers=_LAYERS,
    licence=_RESEARCH,
    layout=layouts.MIT,
    page="Grosse et al., Ground truth dataset and baseline evaluations, ICCV 2009",
    protocols=("mit", "mit-barron"),
    trains=False,
)
_ARAP = DatasetSpec(
    name="arap",
    summary="ARAP: rendered scenes with full-size albedo and shading",
    target=f"{_KIT}.arap:open_arap",
    offers=_LAYERS,
    licence=_RESEARCH,
    layout=layouts.ARAP,
    page="Bonneel et al., Intrinsic Decompositions for Image Editing, Eurographics STAR 2017",
    protocols=("arap-f", "arap-o", "arap-1k"),
    trains=False,
)
_IIW = DatasetSpec(
    name="iiw",
    summary="IIW: photos of rooms with people's judgements of lightness",
    target=f"{_KIT}.iiw:open_iiw",
    offers=frozenset({"photo", "judgements"}),
    licence="see its page",
    layout=layouts.IIW,
    page="Bell et al., Intrinsic Images in the Wild, SIGGRAPH 2014",
    protocols=("whdr", "whdr-encoded"),
    trains=False,
)
_SAW = DatasetSpec(
    name="saw",
    summary="SAW: photos of rooms with annotated shading",
    target=f"{_KIT}.saw:open_saw",
    offers=frozenset({"photo", "labels"}),
    licence="see its page",
    layout=layouts.SAW,
    page="Kovacs et al., Shading Annotations in the Wild, CVPR 2017",
    protocols=("saw-c", "saw-u", "saw-2017"),
    trains=False,
)
_SINTEL = DatasetSpec(
    name="sintel",
    summary="MPI Sintel: frames of an animated film, split by scene",
    target=f"{_KIT}.sintel:open_sintel",
    offers=_LAYERS,
    licence="see its page",
    layout=layouts.SINTEL,
    page="Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012",
    protocols=("sintel",),
)
_HYPERSIM = DatasetSpec(
    name="hypersim",
    summary="Hypersim: rendered rooms, prepared as tone-mapped photos with layers",
    target=f"{_KIT}.hypersim.reader:open_hypersim",
    offers=_LAYERS,
    licence="CC BY-SA 3.0",
    layout=layouts.HYPERSIM,
    page="Roberts et al., Hypersim: A Photorealistic Synthetic Dataset …, ICCV 2021",
    protocols=("hypersim",),
    prepare=f"{_KIT}.hypersim.write_frames:write_frames",
)
_CGI = DatasetSpec(
    name="cgintrinsics",
    summary="CGIntrinsics: rendered rooms with reflectance, shading by division",
    target=f"{_KIT}.cgintrinsics:open_cgintrinsics",
    offers=_LAYERS,
    licence="see its page",
    layout=layouts.CGINTRINSICS,
    page="Li & Snavely, CGIntrinsics: Better Intrinsic Image Decomposition …, ECCV 2018",
    protocols=("cgintrinsics",),
)

DATASETS = (
    _SYNTH,
    replace(
        _SYNTH,
        name="glossy",
        summary="the same scenes, highlights (residual) apart from paint (albedo)",
        target=f"{_KIT}.synth.scenes:open_glossy",
        offers=_SYNTH.offers | {"residual"},
    ),
    _FOLDER,
    _STEADY,
    _UNPAIRED,
    _REFLECTION,
    replace(
        _REFLECTION,
        name="reflection3",
        summary="photos behind glass, half of them with the flare of a lens",
        target=f"{_KIT}.reflection.mixtures:open_reflection3",
        offers=_REFLECTION.offers | {"flare"},
        protocols=("reflection3",),
    ),
    _MIT,
    _also(
        _MIT,
        "mit-barron",
        "open_barron",
        "mit-barron",
        "MIT intrinsic images as Barron & Malik score them",
    ),
    replace(
        _MIT,
        name="mit-lights",
        summary="MIT's objects under ten lights each: does the albedo stay?",
        target=f"{_KIT}.mit:open_lights",
        offers=frozenset({"photo", "mask"}),
        layout=layouts.MIT_LIGHTS,
        protocols=("constancy",),
    ),
    _ARAP,
    _also(_ARAP, "arap-o", "open_arap_o", "arap-o", "ARAP as the first flow method scores it"),
    _also(
        _ARAP,
        "arap-1k",
        "open_arap_1k",
        "arap-1k",
        "ARAP without seven scenes, as Luo's evaluation scores it",
    ),
    _IIW,
    _also(_IIW, "iiw-encoded", "open_encoded", "whdr-encoded", "IIW judged in sRGB codes"),
    _SAW,
    _also(
        _SAW, "saw-u", "open_unweighted", "saw-u", "SAW with every smooth pixel weighing the same"
    ),
    _also(_SAW, "saw-2017", "open_2017", "saw-2017", "SAW as in its paper: a curve"),
    _SINTEL,
    _also(
        _SINTEL,
        "sintel-image",
        "open_images",
        "sintel",
        "MPI Sintel split by image",
    ),
    _HYPERSIM,
    _CGI,
)
