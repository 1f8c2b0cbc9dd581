"""File formats by name; light to import."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from importlib.util import find_spec
from pathlib import Path

from intrinsic_cli.kit.files.tiff_fields import first_fields

#: Format of layers → suffix of their files.
LAYER_SUFFIXES = {
    "png": ".png",
    "png16": ".png",
    "jpg": ".jpg",
    "webp": ".webp",
    "tiff": ".tiff",
    "exr": ".exr",
    "exr32": ".exr",
    "npz": ".npz",
}

#: Format of one EXR of all layers → bits of its numbers. (--exr-multilayer asks for them.)
MULTILAYER = {"exr-multilayer": 16, "exr32-multilayer": 32}
#: Formats of which one file holds all layers.
TOGETHER = ("npz", *MULTILAYER)

#: Other words for formats of layers.
_ALIASES = {"tif": "tiff", "jpeg": "jpg"}


def format_name(given: str) -> str:
    """A format of layers as the house calls it: ``PNG`` is png, ``jpeg`` jpg, ``tif`` tiff."""
    name = given.lower()
    return _ALIASES.get(name, name)


def layer_suffix(form: str) -> str:
    """The suffix of the files of a format of layers."""
    return ".exr" if form in MULTILAYER else LAYER_SUFFIXES[form]


#: Suffixes (lower case) by which photos are found in folders. Files named one by one are read
#: whatever their suffix.
PHOTO_SUFFIXES = frozenset(
    (
        *(".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".tif", ".tiff", ".webp", ".bmp", ".gif"),
        *(".avif", ".jp2", ".tga", ".exr", ".hdr", ".pic", ".pfm", ".ppm", ".pgm", ".pnm"),
    )
)

#: How the numbers of a photo may be read.
ENCODINGS = ("auto", "srgb", "linear")

#: What Pillow may open, by its own names. No others: a PostScript file, for one, would make it
#: start Ghostscript.
PILLOW_FORMATS = (
    *("JPEG", "PNG", "GIF", "BMP", "DIB", "PPM"),  # these first: Pillow loads them at once
    *("TIFF", "WEBP", "TGA", "JPEG2000", "AVIF", "ICO", "SGI", "PCX", "PSD", "QOI"),
)


@dataclass(frozen=True, slots=True)
class OtherFormat:
    """Files that may hold photos but are read only with an ``extra`` (whose ``module`` does it), or
    never: what they are, by which ``suffixes`` they are known, and what to do about it."""

    name: str
    hint: str
    suffixes: tuple[str, ...]
    extra: str = ""
    module: str = ""

    @property
    def is_readable(self) -> bool:
        """Is its extra installed?"""
        return bool(self.module) and _is_installed(self.module)


@cache
def _is_installed(module: str) -> bool:
    return find_spec(module) is not None


RAW = OtherFormat(
    "a RAW photo",
    'pip install "intrinsic-cli[raw]", or save it as TIFF or JPEG with a raw converter',
    (
        *(".cr2", ".cr3", ".crw", ".nef", ".nrw", ".arw", ".srf", ".sr2", ".dng", ".raf"),
        *(".orf", ".rw2", ".pef", ".srw", ".3fr", ".iiq", ".x3f"),
    ),
    "raw",
    "rawpy",
)
HEIF = OtherFormat(
    "a HEIC photo",
    'pip install "intrinsic-cli[heif]", or save it as JPEG or PNG',
    (".heic", ".heif", ".hif"),
    "heif",
    "pillow_heif",
)
VIDEO = OtherFormat(
    "a video",
    'pip install "intrinsic-cli[video]", or make pictures of it: ffmpeg -i VIDEO frames/%05d.png',
    (
        *(".mp4", ".m4v", ".mov", ".mkv", ".webm", ".avi", ".mpg", ".mpeg", ".mts", ".m2ts"),
        *(".wmv", ".3gp", ".mxf", ".ogv", ".flv"),
    ),
    "video",
    "imageio_ffmpeg",
)
FILM = OtherFormat(
    "a DPX or Cineon frame",
    "make EXRs of it in the light it holds, or 16-bit PNGs: ffmpeg -i a.%04d.dpx a.%04d.png",
    (".dpx", ".cin"),
)
#: All of them.
OTHER_FORMATS = (RAW, HEIF, VIDEO, FILM)

#: How TIFFs begin, which many RAW photos are too.
_TIFFS = (b"II*\0", b"MM\0*")
_DNG_VERSION = 50706  # a tag
#: How files begin that are read whatever they are called.
_PLAIN = (
    *(b"\xff\xd8\xff", b"\x89PNG\r\n\x1a\n", b"GIF8", b"BM", b"\x76\x2f\x31\x01", b"#?RADIANCE"),
    *(b"II+\0", b"MM\0+"),
)
#: Formats by how files begin. (NEF, ARW and DNG begin as every TIFF does.)
_BEGINNINGS = (
    (b"II*\0\x10\0\0\0CR", RAW),
    (b"IIRO", RAW),
    (b"IIRS", RAW),
    (b"MMOR", RAW),
    (b"IIU\0", RAW),
    (b"FUJIFILMCCD-RAW", RAW),
    (b"\x1aE\xdf\xa3", VIDEO),
    (b"SDPX", FILM),
    (b"XPDS", FILM),
    (b"\x80\x2a\x5f\xd7", FILM),
)
_HEIF_BRANDS = (b"heic", b"heix", b"heim", b"heis", b"hevc", b"hevx", b"mif1", b"msf1")
_AVIF_BRANDS = (b"avif", b"avis")


def other_format(path: Path) -> OtherFormat | None:
    """What a file is by its name, if nothing that can be read."""
    suffix = path.suffix.lower()
    return next((form for form in OTHER_FORMATS if suffix in form.suffixes), None)


def other_content(data: bytes, suffix: str = "") -> OtherFormat | None:
    """What a file is by its bytes, if nothing that can be read without an extra; its ``suffix``
    (lower case) counts where they do not tell, as with RAW photos that begin as TIFFs do."""
    found = other_beginning(data[:64])
    if found is not None or data.startswith(_PLAIN):
        return found
    if data.startswith(b"RIFF") and data[8:12] == b"WEBP":
        return None
    named = next((form for form in OTHER_FORMATS if suffix in form.suffixes), None)
    if data.startswith(_TIFFS):
        return RAW if named is RAW or _DNG_VERSION in first_fields(data) else None
    return None if data[4:8] == b"ftyp" else named


def is_video(path: Path) -> bool:
    """Is it a video? Its bytes say, where its name is not that of a photo."""
    other = other_format(path)
    if path.suffix.lower() in PHOTO_SUFFIXES or other not in (None, VIDEO):
        return False
    try:
        with path.open("rb") as file:
            data = file.read(64)
    except (OSError, ValueError):
        return False
    return other_content(data, path.suffix.lower()) is VIDEO


def other_beginning(data: bytes) -> OtherFormat | None:
    """What a file is by its first bytes, if nothing that can be read."""
    for beginning, form in _BEGINNINGS:
        if data.startswith(beginning):
            return form
    if data.startswith(b"RIFF") and data[8:12] == b"AVI ":
        return VIDEO
    return _by_brand(data) if data[4:8] == b"ftyp" else None


def _by_brand(data: bytes) -> OtherFormat | None:
    """What a file of the ISO base media format holds: its brand, then compatible ones."""
    brand = data[8:12]
    if brand == b"crx ":
        return RAW
    compatible = [data[at : at + 4] for at in range(16, min(len(data), data[3]), 4)]
    if brand in _AVIF_BRANDS or any(other in _AVIF_BRANDS for other in compatible):
        return None
    return HEIF if brand in _HEIF_BRANDS else VIDEO
