"""Text of a plugin can't write to the terminal or break a page."""

from __future__ import annotations

import pytest
from markdown_it import MarkdownIt

from harness.tables.clean import clean, markdown_code, markdown_text

HOSTILE = [
    "a|b",
    "`tick`",
    "<b>x</b>",
    "*x* _y_",
    "[x](javascript:1)",
    "a\\|b",
    "~~x~~",
    "&lt;",
    "[red]x[/red]",
]


def test_escapes_and_line_breaks_go():
    assert clean("a\x1b[31m\x07b\r\n\tc\u202e\u200bd") == "a[31mb cd"


def cells(text: str) -> list[str]:
    """What a Markdown reader shows in the cells of the first row."""
    page = MarkdownIt("commonmark").enable("table").parse(f"| h | i |\n| --- | --- |\n| {text} | end |\n")
    inline = [token for token in page if token.type == "inline"][2:]
    return ["".join(child.content for child in token.children or ()) for token in inline]


@pytest.mark.parametrize("text", HOSTILE)
@pytest.mark.parametrize("escape", [markdown_text, markdown_code])
def test_markdown_shows_hostile_text_as_it_is(text, escape):
    assert cells(escape(text)) == [text, "end"]
