"""The outcomes of the contract checks of one plugin."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.tables.table import Column, Row, Table, TableCell, Tone

if TYPE_CHECKING:
    from harness.testing import Outcome

TONES: Mapping[str, Tone] = {"ok": "good", "info": "info", "failed": "bad", "skipped": "warning"}


def check_table(plugin: str, outcomes: Sequence[Outcome]) -> Table:
    """A row for each check, and below a failed one another with the remedy; the caption counts states."""
    failing = any(outcome.state == "failed" for outcome in outcomes)
    columns = (
        Column("check", holds="word"),
        Column("result", holds="word"),
        Column("found, and what to change" if failing else "found", holds="text"),
    )
    rows = []
    for outcome in outcomes:
        state = TableCell(outcome.state, tone=TONES[outcome.state])
        rows.append(Row((TableCell(outcome.check), state, TableCell(outcome.found))))
        if outcome.remedy:
            remedy = TableCell(f"Remedy: {outcome.remedy}", tone="strong")
            rows.append(Row((TableCell(""), TableCell(""), remedy)))
    return Table(plugin, columns, tuple(rows), (_counts(outcomes),))


def _counts(outcomes: Sequence[Outcome]) -> str:
    """``17 ok, 1 failed (depths), 2 skipped``."""
    counts = []
    for state in ("ok", "failed", "skipped"):
        names = [outcome.check for outcome in outcomes if outcome.state == state]
        if names:
            named = f" ({', '.join(names)})" if state == "failed" else ""
            counts.append(f"{len(names)} {state}{named}")
    return ", ".join(counts)
