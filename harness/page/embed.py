"""What is put inside a page's scripts, so that nothing in it can end them."""

from __future__ import annotations

import json
from typing import Any

_ESCAPES = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026"}


def embedded_json(value: Any) -> str:
    """`value` as JSON for a ``script`` element: ``<``, ``>`` and ``&`` only as escapes; ASCII.

    ValueError for NaN and Infinity.
    """
    text = json.dumps(value, ensure_ascii=True, allow_nan=False, separators=(",", ":"), sort_keys=True)
    return text.translate(_ESCAPES)


def embedded_script(source: str) -> str:
    """A library's script, whose strings may hold what would end or comment out a ``script`` element."""
    return source.replace("</script", "<\\/script").replace("<!--", "<\\!--")
