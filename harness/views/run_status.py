"""State and progress of runs, the most urgent states first."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

from harness.store.state import RunState
from harness.tables.table import Column, Row, Table, TableCell, Tone
from harness.tables.units import duration
from harness.views.heartbeat import progress_text

if TYPE_CHECKING:
    from harness.store.status import Status

EACH = 15
"""The most runs listed per state, unless all are asked for."""

SILENT_S = 60.0
"""A run whose last heartbeat is older than this is marked as silent."""

MARKS: Mapping[RunState, tuple[str, Tone]] = {
    RunState.RUNNING: ("▶", "info"),
    RunState.QUEUED: ("…", "warning"),
    RunState.FAILED: ("✗", "bad"),
    RunState.CANCELLED: ("■", "warning"),
    RunState.STOPPED: ("‖", "warning"),
    RunState.OUTDATED: ("↻", "warning"),
    RunState.WAITING: ("·", ""),
    RunState.DONE: ("✓", "good"),
    RunState.SKIPPED: ("-", "faint"),
}


def status_table(statuses: Sequence[Status], *, every: bool) -> Table:
    """A row for each run that is not done, at most `EACH` of a state; with `every`, for all runs.

    The last line of the caption counts the runs by state.
    """
    several = len({status.leaderboard for status in statuses}) > 1
    shown: Counter[RunState] = Counter()
    left_out: Counter[RunState] = Counter()
    rows = []
    for status in statuses:
        if not every and status.state == "done":
            continue
        if not every and shown[status.state] >= EACH:
            left_out[status.state] += 1
            continue
        shown[status.state] += 1
        mark, tone = MARKS[status.state]
        cells = (
            TableCell(f"{mark} {status.state}", tone=tone),
            TableCell(_name(status, with_leaderboard=several)),
            TableCell(_progress(status)),
            TableCell(_where(status)),
        )
        rows.append(Row(cells))
    columns = (
        Column("state", holds="word"),
        Column("run", holds="name"),
        Column("progress", holds="text"),
        Column("where", holds="word"),
    )
    omitted = [f"{count} more {state}; --all lists them" for state, count in left_out.items()]
    return Table("Runs", columns, tuple(rows), (*omitted, _counts(statuses)))


def _counts(statuses: Sequence[Status]) -> str:
    counts = Counter(status.state for status in statuses)
    by_state = ", ".join(f"{counts[state]} {state}" for state in MARKS if counts[state])
    return f"{len(statuses)} runs: {by_state}" if statuses else "no runs"


def _name(status: Status, *, with_leaderboard: bool) -> str:
    repeat = f" s{status.seed} f{status.fold}" if status.seed or status.fold else ""
    name = f"{status.name}{repeat}"
    return f"{status.leaderboard}: {name}" if with_leaderboard else name


def _progress(status: Status) -> str:
    """The progress of a run, or the reason for its failure."""
    if status.state == "failed":
        return f"{status.blame}: {status.message}" if status.blame else status.message
    heartbeat = dict(status.figures)
    if status.state not in ("running", "stopped", "cancelled") or not heartbeat:
        return ""
    words = [f"epoch {heartbeat['epoch']}/{heartbeat['epochs']}"] if heartbeat.get("epochs") else []
    if status.state == "running":
        words.append(progress_text(heartbeat))
    if status.silent_s is not None and status.silent_s > SILENT_S:
        words.append(f"silent for {duration(status.silent_s)}")
    return ", ".join(words)


def _where(status: Status) -> str:
    if status.state == "running":
        return status.host
    return f"{status.executor} {status.handle}" if status.state == "queued" else ""
