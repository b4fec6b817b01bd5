"""The state of an entry, from the states of its runs."""

from __future__ import annotations

import itertools

import pytest

from harness.board.entry_state import EntryState, entry_state
from harness.store.state import RunState

ALONE = {
    "running": "running",
    "queued": "waiting",
    "failed": "failed",
    "cancelled": "incomplete",
    "stopped": "incomplete",
    "outdated": "incomplete",
    "waiting": "waiting",
    "done": "done",
    "skipped": "skipped",
}


@pytest.mark.parametrize("state", RunState)
def test_an_entry_with_one_run(state: RunState) -> None:
    assert entry_state([state]) == ALONE[state]


@pytest.mark.parametrize(("first", "second"), list(itertools.combinations(RunState, 2)))
def test_an_entry_with_two_runs(first: RunState, second: RunState) -> None:
    """What needs attention comes first; an entry is ranked only if all of its runs are done."""
    pair = {first, second}
    if "failed" in pair:
        expected = "failed"
    elif "running" in pair:
        expected = "running"
    elif pair & {"done", "stopped", "outdated", "cancelled"}:
        expected = "incomplete"
    else:
        expected = "skipped" if "skipped" in pair else "waiting"
    assert entry_state([first, second]) == entry_state([second, first]) == expected


def test_an_entry_without_runs_waits() -> None:
    assert entry_state([]) is EntryState.WAITING
