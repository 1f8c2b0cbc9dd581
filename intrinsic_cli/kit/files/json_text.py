"""Values → JSON that any reader takes. Light."""

from __future__ import annotations

import json
import re
from typing import Any

_SURROGATE = re.compile("[\ud800-\udfff]")


def as_json(value: Any, **more: Any) -> str:
    """JSON that is always valid UTF-8: a file name may hold bytes that are not, which Python keeps
    as lone surrogates, and JSON as escapes that are read back to the very same name."""
    text = json.dumps(value, ensure_ascii=False, **more)
    return _SURROGATE.sub(lambda found: f"\\u{ord(found[0]):04x}", text)
