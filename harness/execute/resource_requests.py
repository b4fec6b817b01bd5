"""The resources that runs need, from harness.toml, or else measured in earlier runs of the same model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from harness.execute.executor import ResourceRequest
from harness.execute.scheduler import readable
from harness.plan.plan import PlannedRun
from harness.store.runs import RunsFolder

MARGIN = 1.2
"""A run requests this multiple of the peak memory of earlier runs of its model."""

ENOUGH = 3
"""The number of runs of a model whose peak memory is read."""


class Needs:
    """`needs(run)` for the runs of a plan. `settings` has ``{gpus, cpus, memory_gib}`` by model name."""

    def __init__(
        self, planned: Sequence[PlannedRun], runs: RunsFolder, settings: Mapping[str, Mapping[str, Any]]
    ) -> None:
        self._runs = runs
        self._settings = settings
        self._ids: dict[str, list[str]] = {}
        self._known: dict[str, float] = {}
        for run in planned:
            if run.id:
                self._ids.setdefault(run.spec.model.label, []).append(run.id)

    def __call__(self, run: PlannedRun) -> ResourceRequest:
        """The request of a run; its memory is None while no run of its model has ended."""
        settings = self._settings.get(run.spec.model.name, {})
        gib = settings.get("memory_gib")
        memory = gib * 1024 if gib is not None else self._measured(run.spec.model.label)
        return ResourceRequest(settings.get("gpus", 1), settings.get("cpus"), memory)

    def _measured(self, label: str) -> float | None:
        if label not in self._known:
            peaks: list[float] = []
            for run_id in self._ids.get(label, ()):
                record = readable(self._runs.run(run_id))
                if record is not None and (peak := record.memory_mib.get("host_peak")):
                    peaks.append(peak)
                if len(peaks) >= ENOUGH:
                    break
            if not peaks:
                return None
            self._known[label] = MARGIN * max(peaks)
        return self._known[label]
