"""The dataset readers the house brings along: described here, imported on first use."""

from __future__ import annotations

from dataclasses import replace

from intrinsic_cli.api import DatasetSpec

_LAYERS = frozenset({"photo", "albedo", "shading", "mask"})
_KIT = "intrinsic_cli.kit.data"
_RESEARCH = "research use"
_FOLDERS = "photo/, albedo/, shading/ (and mask/) with equal file names"


def _also(spec: DatasetSpec, name: str, opens: str, protocol: str, summary: str) -> DatasetSpec:
    """The same files under another protocol."""
    target = f"{spec.target.partition(':')[0]}:{opens}"
    return replace(
        spec, name=name, target=target, protocols=(protocol,), summary=summary, prepare=""
    )


_SYNTH = DatasetSpec(
    name="synth",
    summary="rendered views with exact layers; a miniature is packaged, a path names a folder of shards",
    target=f"{_KIT}.synth.scenes:open_synth",
    offers=_LAYERS | {"normals"},
    licence="CC0, CC-BY and MIT assets; see the NOTICE beside the miniature",
    layout="train/ and val/ with *.tar shards",
    needs_path=False,
    page="packaged with iid",
    protocols=("synth",),
)
_FOLDER = DatasetSpec(
    name="folder",
    summary="your own photos with layers",
    target=f"{_KIT}.folder:open_folder",
    offers=_LAYERS,
    licence="yours",
    layout=_FOLDERS,
    page="your disk",
    protocols=("folder",),
)
_REFLECTION = DatasetSpec(
    name="reflection",
    summary="photos behind glass made of any photos; without a path those of the packaged miniature",
    target=f"{_KIT}.reflection.mixtures:open_reflection",
    offers=frozenset({"photo", "transmission", "reflection", "mask"}),
    licence="that of the photos",
    layout="image files, or train/ and val/ with *.tar shards",
    needs_path=False,
    page="made on the fly",
    protocols=("reflection",),
)
_UNPAIRED = DatasetSpec(
    name="unpaired",
    summary="your own photos, albedos and shadings that do not belong together; to train on",
    target=f"{_KIT}.unpaired.folders:open_unpaired",
    offers=frozenset({"photo", "albedo", "shading", "unpaired"}),
    licence="yours",
    layout="photo/, albedo/ and shading/ with any files, or three folders: PHOTOS,ALBEDOS,SHADINGS",
    page="your disk",
    several=True,
)
_MIT = DatasetSpec(
    name="mit",
    summary="MIT intrinsic images: 20 photographed objects, also as relit by SIRFS",
    target=f"{_KIT}.mit:open_mit",
    offers=_LAYERS,
    licence=_RESEARCH,
    layout="OBJECT/diffuse.png, reflectance.png, shading.png (or shading_color.png) and mask.png, 16-bit linear",
    page="Grosse et al., Ground truth dataset and baseline evaluations for intrinsic image algorithms, ICCV 2009",
    protocols=("mit", "mit-barron"),
)
_ARAP = DatasetSpec(
    name="arap",
    summary="ARAP: rendered scenes with full-size albedo and shading",
    target=f"{_KIT}.arap:open_arap",
    offers=_LAYERS,
    licence=_RESEARCH,
    layout="SCENE_image.png, SCENE_albedo.png and SCENE_shading.png, linear",
    page="Bonneel et al., Intrinsic Decompositions for Image Editing, Eurographics STAR 2017",
    protocols=("arap-f", "arap-o", "arap-1k"),
)
_IIW = DatasetSpec(
    name="iiw",
    summary="IIW: photos of rooms with people's judgements of lightness",
    target=f"{_KIT}.iiw:open_iiw",
    offers=frozenset({"photo", "judgements"}),
    licence="see its page",
    layout="data/ID.png and data/ID.json",
    page="Bell et al., Intrinsic Images in the Wild, SIGGRAPH 2014",
    protocols=("whdr", "whdr-encoded"),
)
_SAW = DatasetSpec(
    name="saw",
    summary="SAW: photos of rooms with annotations of smooth shading, shadows and edges",
    target=f"{_KIT}.saw:open_saw",
    offers=frozenset({"photo", "labels"}),
    licence="see its page",
    layout="saw_images_512/ID.png, saw_pixel_labels/saw_data-…/ID.npy and saw_splits/{train,test}_ids.npy",
    page="Kovacs et al., Shading Annotations in the Wild, CVPR 2017",
    protocols=("saw-c", "saw-u", "saw-2017"),
)
_SINTEL = DatasetSpec(
    name="sintel",
    summary="MPI Sintel: frames of an animated film, split by scene (scene-test.txt, else every second scene)",
    target=f"{_KIT}.sintel:open_sintel",
    offers=_LAYERS,
    licence="see its page",
    layout="training/clean/SCENE/frame_NNNN.png, and the same below training/albedo and training/shading",
    page="Butler et al., A Naturalistic Open Source Movie for Optical Flow Evaluation, ECCV 2012",
    protocols=("sintel",),
)
_HYPERSIM = DatasetSpec(
    name="hypersim",
    summary="Hypersim: rendered rooms, prepared as tone-mapped photos with layers",
    target=f"{_KIT}.hypersim.reader:open_hypersim",
    offers=_LAYERS,
    licence="CC BY-SA 3.0",
    layout="ai_XXX_XXX/images/scene_cam_XX_*/frame.NNNN.{ldr,diffuse_reflectance,shading}.exr",
    page="Roberts et al., Hypersim: A Photorealistic Synthetic Dataset for … Indoor Scene Understanding, ICCV 2021",
    protocols=("hypersim",),
    prepare=f"{_KIT}.hypersim.prepare:prepare",
)
_CGI = DatasetSpec(
    name="cgintrinsics",
    summary="CGIntrinsics: rendered rooms with reflectance, shading by division",
    target=f"{_KIT}.cgintrinsics:open_cgintrinsics",
    offers=_LAYERS,
    licence="see its page",
    layout="images/SCENE/NAME.png, NAME_albedo.png and NAME_mask.png",
    page="Li & Snavely, CGIntrinsics: Better Intrinsic Image Decomposition through … Rendering, ECCV 2018",
    protocols=("cgintrinsics",),
)
_SFSNET = DatasetSpec(
    name="sfsnet",
    summary="SfSNet's synthetic faces with normals, albedo and light",
    target=f"{_KIT}.faces.reader:open_sfsnet",
    offers=_LAYERS | {"normals"},
    licence=_RESEARCH,
    layout="train.csv and test.csv with the columns albedo,normal,depth,mask,face,light,name",
    page="Sengupta et al., SfSNet: Learning Shape, Reflectance and Illuminance of Faces in the Wild, CVPR 2018",
    protocols=("faces",),
    prepare=f"{_KIT}.faces.prepare:prepare_sfsnet",
)
_CELEBA = DatasetSpec(
    name="celeba",
    summary="CelebA crops, or CelebA with predicted layers",
    target=f"{_KIT}.faces.reader:open_celeba",
    offers=frozenset({"photo", "mask"}),
    licence="see its page",
    layout="train.csv and test.csv with the columns face,name",
    page="Liu et al., Deep Learning Face Attributes in the Wild, ICCV 2015",
    protocols=("faces",),
    prepare=f"{_KIT}.faces.prepare:prepare_celeba",
)
_CUB = DatasetSpec(
    name="cub",
    summary="CUB-200-2011: birds with keypoints and silhouettes",
    target=f"{_KIT}.cub.reader:open_cub",
    offers=frozenset({"photo", "mask"}),
    licence="see its page",
    layout="images.txt, bounding_boxes.txt, train_test_split.txt, parts/part_locs.txt, images/ and segmentations/",
    page="Wah et al., The Caltech-UCSD Birds-200-2011 Dataset, Caltech 2011",
    protocols=("birds",),
    prepare=f"{_KIT}.cub.prepare:prepare",
)

DATASETS = (
    _SYNTH,
    _FOLDER,
    _UNPAIRED,
    _REFLECTION,
    replace(
        _REFLECTION,
        name="reflection3",
        summary="photos behind glass as above, half of them with the flare of a lens",
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
        layout="OBJECT/light01.png … light10.png and mask.png, 16-bit linear",
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
        "MPI Sintel split by image (image-test.txt, else every second)",
    ),
    _HYPERSIM,
    _CGI,
    _SFSNET,
    _CELEBA,
    _CUB,
)
