"""Tables on standard output."""

from __future__ import annotations

from collections.abc import Iterable

from harness.tables.table import Table


def print_tables(tables: Iterable[Table]) -> None:
    """Print tables, laid out for the width of the terminal."""
    from rich.console import Console

    from harness.tables.terminal import to_terminal

    Console(highlight=False).print(to_terminal(tables))
