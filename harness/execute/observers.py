"""Calls the observers of a run. They get copies and their errors become notes: they can't change a run."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from harness.contract.spec import RunSpec
from harness.execute.heartbeat import Heartbeat
from harness.plugins.manager import Registry
from harness.store.record import Record


@dataclass
class Observers:
    """The observers of one run. Their errors go to the log, and each error once to the heartbeat."""

    registry: Registry
    spec: RunSpec
    places: Mapping[str, str]
    heartbeat: Heartbeat

    def run_started(self) -> None:
        """The run starts or continues."""
        self._notify("harness_run_started")

    def epoch_ended(self, figures: Mapping[str, Any]) -> None:
        """An epoch of training ended."""
        self._notify("harness_epoch_ended", epoch=dict(figures))

    def run_finished(self, record: Record) -> None:
        """The run's record is on disk."""
        cases = [asdict(score) for score in record.cases]
        self._notify("harness_run_finished", record=record.header(), cases=cases)

    def _notify(self, hook: str, **arguments: object) -> None:
        for line in self.registry.notify(hook, self.places, run=self.spec.as_json(), **arguments):
            self.heartbeat.note(line)
