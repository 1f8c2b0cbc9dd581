"""How the files of layers are commonly named."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence

#: Layer → what files call it, most common first (``-r`` and ``-s`` are Bell et al.'s and Grosse et
#: al.'s).
LABELS: Mapping[str, tuple[str, ...]] = {
    "albedo": ("albedo", "reflectance", "refl", "r"),
    "shading": ("shading", "illumination", "shade", "s"),
    "normals": ("normals", "normal"),
    "residual": ("residual", "specular"),
    "transmission": ("transmission", "background"),
    "reflection": ("reflection",),
    "flare": ("flare",),
    "silhouette": ("silhouette", "mask"),
}
LAYOUT = "CASE.albedo.*, CASE_albedo.*, CASE-albedo.*, albedo/CASE.* or CASE/albedo.*"
HINT = f"iid looks for {LAYOUT}; say otherwise with --pattern 'albedo={{case}}_ref.png'"

#: How the file of a photo may be called besides the name of its case.
_PHOTOS = ("image", "photo", "diffuse", "original", "input")
_STEMS = (
    "{case}",
    *(f"{{case}}_{photo}" for photo in _PHOTOS),
    *(f"{{case}}/{photo}" for photo in _PHOTOS),
)
_JOINTS = (".", "_", "-")
_NAMED = 4


def labels_of(layer: str) -> tuple[str, ...]:
    """What files call the layer."""
    return LABELS.get(layer, (layer,))


def photo_names(case: str) -> Iterator[str]:
    """What comes before the label or the sidecar's suffix: the case, or its photo's file."""
    for stem in _STEMS:
        for name in _spellings(case):
            yield stem.format(case=name)


def layer_names(case: str, layer: str) -> Iterator[tuple[str, str]]:
    """(template, path without suffix) in the order in which files are looked for."""
    for label in labels_of(layer):
        for template in _templates(label):
            for name in _spellings(case):
                yield template, template.format(case=name)


def looks_like(layer: str) -> re.Pattern[str]:
    """What the path without suffix of any case's layer matches as a whole."""
    labels = "|".join(map(re.escape, labels_of(layer)))
    return re.compile(rf".*[._-]({labels})|(.*/)?({labels})/.+|.+/({labels})")


def lacking(whose: str, files: Sequence[str]) -> str:
    """One sentence that names missing files, at most four of them."""
    more = f" and {len(files) - _NAMED} more" if len(files) > _NAMED else ""
    return f"{whose} lacks {', '.join(files[:_NAMED])}{more}"


def _templates(label: str) -> Iterator[str]:
    for stem in _STEMS:
        for joint in _JOINTS:
            yield f"{stem}{joint}{label}"
    yield f"{label}/{{case}}"
    yield f"{{case}}/{label}"


def _spellings(case: str) -> list[str]:
    """The case's name, also with its folders written out."""
    return list(dict.fromkeys((case, case.replace("/", "_"), case.replace("/", "-"))))
