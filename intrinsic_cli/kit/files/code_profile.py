"""Colours said by numbers (ITU-T H.273), as a profile says them."""

from __future__ import annotations

from functools import lru_cache

from intrinsic_cli.kit.files.code_points import UNTOLD, CodePoints
from intrinsic_cli.kit.files.icc import RGB, Profile
from intrinsic_cli.kit.light.curves import Curve, Formula, HybridLog, Quantizer
from intrinsic_cli.kit.light.primaries import REC709, rec709_matrix

_D65, _DCI_WHITE = (0.3127, 0.3290), (0.314, 0.351)
_P3 = (0.680, 0.320, 0.265, 0.690, 0.150, 0.060)
#: Number → name, and x and y of red, green, blue and white.
_PRIMARIES = {
    1: ("BT.709", REC709),
    UNTOLD: ("BT.709", REC709),
    5: ("BT.601 (625 lines)", (0.64, 0.33, 0.29, 0.60, 0.15, 0.06, *_D65)),
    6: ("BT.601 (525 lines)", (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65)),
    7: ("SMPTE 240M", (0.63, 0.34, 0.31, 0.595, 0.155, 0.07, *_D65)),
    9: ("BT.2020", (0.708, 0.292, 0.170, 0.797, 0.131, 0.046, *_D65)),
    11: ("DCI-P3", (*_P3, *_DCI_WHITE)),
    12: ("Display P3", (*_P3, *_D65)),
    22: ("EBU 3213", (0.63, 0.34, 0.295, 0.605, 0.155, 0.077, *_D65)),
}
_SRGB = Formula(2.4, 1 / 1.055, 0.055 / 1.055, 1 / 12.92, 0.04045)
#: Number → name, and curve. Pictures that name the curve of television cameras are shown, and were
#: made, with that of displays.
_TRANSFERS: dict[int, tuple[str, Curve]] = {
    **dict.fromkeys((1, UNTOLD, 6, 13, 14, 15), ("sRGB", _SRGB)),
    4: ("gamma 2.2", Formula(2.2)),
    5: ("gamma 2.8", Formula(2.8)),
    8: ("linear", Formula(1.0)),
    16: ("PQ", Quantizer()),
    17: ("gamma 2.6", Formula(2.6)),
    18: ("HLG", HybridLog()),
}
_HDR = (16, 18)
#: More bits than Pillow hands out of an AVIF.
_DEEP = 8


@lru_cache(maxsize=8)
def profile_of(points: CodePoints) -> Profile | None:
    """What the numbers mean; None where one of them is not known here."""
    if points.primaries not in _PRIMARIES or points.transfer not in _TRANSFERS:
        return None
    space, chromaticities = _PRIMARIES[points.primaries]
    name, curve = _TRANSFERS[points.transfer]
    matrix = rec709_matrix(chromaticities)
    return Profile(f"{space}, {name}", RGB, (curve,) * 3, matrix)


def note_on(points: CodePoints, bits: int) -> str:
    """What is to be told of a picture with these numbers that was decoded with so many ``bits``,
    "" if nothing."""
    if profile_of(points) is None:
        said = f"primaries {points.primaries}, transfer {points.transfer}"
        return f"the numbers by which it says its colours ({said}) are not known: taken for sRGB"
    if points.transfer not in _HDR:
        return ""
    name, _ = _TRANSFERS[points.transfer]
    cut = " (of which only 8 bits were read)" if points.bits > _DEEP >= bits else ""
    return f"it is HDR ({name}){cut}: a white page became 1, and what is brighter is more than 1"
