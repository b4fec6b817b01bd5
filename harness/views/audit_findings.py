"""The findings of a dataset's audit."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.tables.table import Column, Row, Table, TableCell, Tone

if TYPE_CHECKING:
    from harness.data.audit import Finding, Severity

TONES: Mapping[Severity, Tone] = {"ok": "good", "note": "info", "warning": "warning", "error": "bad"}


def audit_table(dataset: str, findings: Sequence[Finding]) -> Table:
    """A row for each finding."""
    columns = (
        Column("check", holds="word"),
        Column("result", holds="word"),
        Column("found", holds="text"),
        Column("what the harness does", holds="text"),
    )
    rows = tuple(
        Row(
            (
                TableCell(finding.check),
                TableCell(finding.severity, tone=TONES[finding.severity]),
                TableCell(finding.found),
                TableCell(finding.action),
            )
        )
        for finding in findings
    )
    return Table(f"Dataset {dataset}", columns, rows)
