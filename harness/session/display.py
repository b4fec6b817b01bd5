"""Results that are displayed as text, with rich in a terminal, and as HTML in a notebook."""

from __future__ import annotations

import shutil
from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from harness.tables.latex import to_latex
from harness.tables.markdown import to_markdown
from harness.tables.plain import to_csv, to_html
from harness.tables.table import Table

if TYPE_CHECKING:
    from rich.console import RenderableType


class Displayed(ABC):
    """Base of results that consist of tables: a subclass gives `tables` and gets every display."""

    @property
    @abstractmethod
    def tables(self) -> Sequence[Table]:
        """The tables, as data."""

    def __rich__(self) -> RenderableType:
        """The tables as `rich.print` shows them, laid out for the width of the terminal."""
        from harness.tables.terminal import to_terminal

        return to_terminal(self.tables)

    def __repr__(self) -> str:
        from harness.tables.terminal import to_text

        return to_text(self.tables, shutil.get_terminal_size((120, 24)).columns).rstrip("\n")

    def _repr_html_(self) -> str:
        """The tables as a notebook shows them."""
        return "\n".join(map(to_html, self.tables))


@dataclass(frozen=True, repr=False)
class TableView(Displayed):
    """The tables of a view, one per dataset. `str`, rich and notebooks show them; methods convert them."""

    parts: tuple[Table, ...]

    @property
    def tables(self) -> tuple[Table, ...]:
        """The tables, one per dataset."""
        return self.parts

    def to_markdown(self) -> str:
        """The tables in Markdown."""
        return "\n".join(map(to_markdown, self.tables))

    def to_csv(self) -> str:
        """The tables as CSV, a line per row, with numbers in full precision."""
        return "\n".join(map(to_csv, self.tables))

    def to_latex(self) -> str:
        """The tables in LaTeX; needs the packages booktabs and graphicx."""
        return "\n".join(map(to_latex, self.tables))

    def to_html(self) -> str:
        """The tables as HTML elements."""
        return "\n".join(map(to_html, self.tables))
