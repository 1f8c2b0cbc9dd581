"""The protocols the house brings along: named here, imported on first use."""

from __future__ import annotations

from intrinsic_cli.api import ProtocolSpec

_KIT = "intrinsic_cli.kit.score"
#: Protocol → where in ``kit.score`` it stands.
_TARGETS = {
    "mit": "scale_invariant:MIT",
    "mit-barron": "barron:MIT_BARRON",
    "constancy": "constancy:CONSTANCY",
    "steady": "steadiness:STEADY",
    "arap-f": "arap:ARAP_F",
    "arap-o": "arap:ARAP_O",
    "arap-1k": "arap:ARAP_1K",
    "sintel": "sintel:SINTEL",
    "whdr": "whdr:WHDR",
    "whdr-encoded": "whdr:WHDR_ENCODED",
    "saw-c": "saw:SAW_C",
    "saw-u": "saw:SAW_U",
    "saw-2017": "saw:SAW_2017",
    "saw-o": "saw:SAW_O",
    "reflection": "reflection:REFLECTION",
    "reflection3": "reflection:REFLECTION3",
    "synth": "scale_invariant:SYNTH",
    "hypersim": "scale_invariant:HYPERSIM",
    "cgintrinsics": "scale_invariant:CGINTRINSICS",
    "folder": "scale_invariant:FOLDER",
}

PROTOCOLS = tuple(ProtocolSpec(name, f"{_KIT}.{target}") for name, target in _TARGETS.items())
