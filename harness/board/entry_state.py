"""The state of an entry, derived from the states of its runs."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from harness.store.state import RunState


class EntryState(StrEnum):
    """The states of an entry, in the order in which tables list them; the words are those of `RunState`."""

    DONE = "done"
    """All of its runs are done."""
    INCOMPLETE = "incomplete"
    """Some of its runs are done or were begun, and none failed or is running."""
    RUNNING = "running"
    FAILED = "failed"
    SKIPPED = "skipped"
    WAITING = "waiting"
    """None of its runs was begun."""


BEGUN = {RunState.DONE, RunState.STOPPED, RunState.OUTDATED, RunState.CANCELLED}


def entry_state(runs: Iterable[RunState]) -> EntryState:
    """The state of an entry whose runs are in these states: one failure makes it failed."""
    states = set(runs)
    if states == {RunState.DONE}:
        return EntryState.DONE
    if RunState.FAILED in states:
        return EntryState.FAILED
    if RunState.RUNNING in states:
        return EntryState.RUNNING
    if states & BEGUN:
        return EntryState.INCOMPLETE
    return EntryState.SKIPPED if RunState.SKIPPED in states else EntryState.WAITING
