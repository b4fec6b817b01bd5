"""Making text from plugins and files safe to print."""

from __future__ import annotations

import re
import unicodedata

_MARKDOWN = re.compile(r"([\\`*_\[\]<>|~&])")


def clean(text: object) -> str:
    """One line without control, escape or invisible formatting characters."""
    joined = " ".join(str(text).split())
    return "".join(c for c in joined if not unicodedata.category(c).startswith("C"))


def markdown_text(text: object) -> str:
    """`text` with every character escaped that Markdown would read as markup or HTML."""
    return _MARKDOWN.sub(r"\\\1", clean(text))


def markdown_code(text: object) -> str:
    """`text` as a code span for a pipe table."""
    shown = clean(text)
    longest = max((len(run) for run in re.findall("`+", shown)), default=0)
    fence = "`" * (longest + 1)
    pad = " " if longest else ""
    return f"{fence}{pad}{shown}{pad}{fence}".replace("|", "\\|")
