"""Values → JSON that any reader takes. Light."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def as_json(value: Any, **more: Any) -> str:
    """JSON that is always valid UTF-8: a file name may hold bytes that are not, which Python keeps
    as lone surrogates, and JSON as escapes that are read back to the very same name. Numbers that
    are none, or infinite, which JSON does not know, are null."""
    try:
        text = json.dumps(value, ensure_ascii=False, allow_nan=False, **more)
    except ValueError:
        text = json.dumps(_finite(value), ensure_ascii=False, **more)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)


def _finite(value: Any) -> Any:
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    if isinstance(value, Mapping):
        return {key: _finite(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_finite(item) for item in value]
    return value
