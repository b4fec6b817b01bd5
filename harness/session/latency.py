"""Prediction time of finished entries, measured in turns."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

import numpy as np

from harness.errors import ConfigError
from harness.session.display import Displayed
from harness.session.entries import find_entries
from harness.session.events import Listener, advancing
from harness.session.workspace import Workspace
from harness.store.record import Record
from harness.tables.table import Table
from harness.views.latency import latency_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class EntryLatency:
    """Median and 95th percentile of an entry's prediction times; `ratio` is to the fastest median."""

    entry: str
    median_s: float
    p95_s: float
    ratio: float


@dataclass(frozen=True, repr=False)
class Latencies(Displayed):
    """Seconds of each prediction, by entry: `rounds` passes over the volumes of `cases`.

    If `shared`, other processes used the machine: the ratios are reliable, the times are not.
    """

    cases: tuple[str, ...]
    rounds: int
    seconds: Mapping[str, Sequence[float]]
    shared: bool

    @property
    def entries(self) -> tuple[EntryLatency, ...]:
        """The entries, the fastest first."""
        percentiles = {name: np.percentile(seconds, [50, 95]) for name, seconds in self.seconds.items()}
        fastest = min(median for median, _ in percentiles.values())
        latencies = [
            EntryLatency(name, float(median), float(p95), float(median / fastest))
            for name, (median, p95) in percentiles.items()
        ]
        return tuple(sorted(latencies, key=lambda latency: latency.median_s))

    @property
    def tables(self) -> tuple[Table]:
        """A table with a row per entry."""
        times = {latency.entry: (latency.median_s, latency.p95_s) for latency in self.entries}
        return (latency_table(times, volumes=len(self.cases), rounds=self.rounds, shared=self.shared),)

    def to_frame(self) -> pd.DataFrame:
        """A row per entry, the fastest first; columns are the fields of `EntryLatency`."""
        import pandas as pd

        return pd.DataFrame([asdict(latency) for latency in self.entries])


def time_entries(
    workspace: Workspace,
    names: Sequence[str],
    leaderboard: str | None,
    *,
    volumes: int,
    rounds: int,
    on_event: Listener,
) -> Latencies:
    """Time the prediction of the first `volumes` test volumes, in `rounds` passes, entries in turns."""
    if not names:
        raise ConfigError("no entries are named", where="time", remedy="Name one as MODEL+LOSS.")
    if volumes < 1 or rounds < 1:
        raise ConfigError("--volumes and --rounds must be at least 1", where="time")
    opened, entries = find_entries(workspace, names, leaderboard, where="time")
    datasets = {found.entry.dataset for found in entries}
    if len(datasets) > 1:
        raise ConfigError(f"entries must share a dataset, not {' and '.join(sorted(datasets))}", where="time")
    # Imported late: an unknown entry is reported before torch is loaded.
    from harness.measure.contention import ContentionMonitor
    from harness.measure.nvml import Gpu
    from harness.plan.data import open_choice, root_of
    from harness.probe.latency_benchmark import interleave, trained

    choice = next(entry.dataset for entry in opened.matrix.entries if entry.dataset.label in datasets)
    root = root_of(opened.project, choice, opened.runs, workspace.data_roots)
    source = open_choice(choice, root)
    tested = set(entries[0].records[0].spec.parts.test)
    cases = [case for case in source.cases if case.patient in tested][:volumes]
    predictors = {
        found.name: trained(opened.runs.run(_first(found.records, found.name).run_id)) for found in entries
    }
    monitor = ContentionMonitor(Gpu.of(next(iter(predictors.values())).compute.device))
    read = [case.read() for case in cases]
    seconds = interleave(predictors, read, rounds, advancing(on_event, "timing"))
    shared = bool(monitor.seen()["shared"])
    return Latencies(tuple(case.id for case in cases), rounds, seconds, shared)


def _first(records: Sequence[Record], name: str) -> Record:
    """The run of the lowest seed and fold."""
    trained_here = [record for record in records if not record.spec.model.external]
    if not trained_here:
        raise ConfigError("can't be timed, because another tool made its predictions", where=name)
    return min(trained_here, key=lambda record: (record.spec.seed, record.spec.fold))
