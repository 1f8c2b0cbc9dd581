"""File formats by name; light to import."""

from __future__ import annotations

#: Format of layers → suffix of their files.
LAYER_SUFFIXES = {
    "png": ".png",
    "png16": ".png",
    "jpg": ".jpg",
    "webp": ".webp",
    "tiff": ".tiff",
    "exr": ".exr",
    "npz": ".npz",
}

#: Suffixes (lower case) by which photos are found in folders. Files named one by one are read
#: whatever their suffix.
PHOTO_SUFFIXES = frozenset(
    [
        *(
            ".jpg",
            ".jpeg",
            ".jpe",
            ".jfif",
            ".png",
            ".tif",
            ".tiff",
            ".webp",
            ".bmp",
            ".gif",
            ".avif",
            ".jp2",
            ".tga",
        ),
        *(".exr", ".hdr", ".pic", ".pfm", ".ppm", ".pgm", ".pnm"),
    ]
)

#: How the numbers of a photo may be read.
ENCODINGS = ("auto", "srgb", "linear")
