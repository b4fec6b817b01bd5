"""Prediction time of entries, the fastest first."""

from __future__ import annotations

from collections.abc import Mapping

from harness.tables.table import Column, Row, Table, TableCell, mark_best, number


def latency_table(
    seconds: Mapping[str, tuple[float | None, float | None]], *, volumes: int, rounds: int, shared: bool
) -> Table:
    """A row for each entry from its median and 95th percentile in seconds.

    `shared` says whether other processes used the machine during the measurement.
    """
    timed = [(name, median, p95) for name, (median, p95) in seconds.items() if median is not None]
    fastest = min(median for _, median, _ in timed)
    rows = tuple(
        Row(
            (
                TableCell(name),
                number(median, _milliseconds),
                number(p95, _milliseconds),
                number(median / fastest, "{:.2f}".format),
            )
        )
        for name, median, p95 in sorted(timed, key=lambda line: line[1])
    )
    columns = (
        Column("entry", holds="name"),
        Column("median ms", factor=1e-3, better=None if shared else "lower"),
        Column("p95 ms", factor=1e-3),
        Column("times the fastest"),
    )
    caption = [f"{volumes} volumes, {rounds} rounds in turns, after a warm-up of each entry."]
    if shared:
        caption.append(
            "Other processes used this machine meanwhile: the ratios are reliable, the times are not."
        )
    return mark_best(Table("Prediction of one volume", columns, rows, tuple(caption)))


def _milliseconds(seconds: float) -> str:
    return f"{1e3 * seconds:.1f}"
