"""The plan of a leaderboard, the forecast of its runs, and explanations of their states."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from harness.errors import ConfigError, nearest
from harness.plan.explain import nearest_run
from harness.plan.plan import Plan, PlannedRun, make_plan
from harness.probe.forecast import Forecast, forecast
from harness.session.display import Displayed
from harness.session.events import Listener, advancing
from harness.session.observers import observer_places
from harness.session.open_leaderboard import OpenLeaderboard
from harness.store.runs import RunsFolder
from harness.tables.table import Table
from harness.views.plan_table import plan_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True)
class Explanation:
    """Why a run is in its state: the nearest run on disk, and the fields that differ, as (there, here)."""

    run: PlannedRun
    compared_with: str | None
    differences: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, repr=False)
class PlannedLeaderboard(Displayed):
    """The runs that a selection of a leaderboard needs. `forecasts` are by run id, after a preflight."""

    plan: Plan
    runs_folder: RunsFolder
    forecasts: Mapping[str, Forecast] = field(default_factory=dict)

    @property
    def runs(self) -> tuple[PlannedRun, ...]:
        """Every run with its state and the reason for it."""
        return self.plan.runs

    @property
    def notes(self) -> tuple[str, ...]:
        """Notes about the data."""
        return self.plan.notes

    @property
    def tables(self) -> tuple[Table]:
        """A table with a row per run."""
        return (plan_table(self.plan, self.forecasts),)

    def to_frame(self) -> pd.DataFrame:
        """A row per run: run, entry, dataset, seed, fold, state, action, reason, and the forecast.

        The forecast is in the columns memory_mib and seconds.
        """
        import pandas as pd

        rows = []
        for run in self.runs:
            need = self.forecasts.get(run.id, Forecast(None, None))
            rows.append(
                {
                    "run": run.id or None,
                    "entry": run.entry.label,
                    "dataset": run.entry.dataset.label,
                    "seed": run.seed,
                    "fold": run.fold,
                    "state": str(run.state),
                    "action": str(run.action),
                    "reason": run.reason,
                    "memory_mib": need.memory_mib,
                    "seconds": need.seconds,
                }
            )
        return pd.DataFrame(rows)

    def explain(self, run: str) -> Explanation:
        """The fields in which a run differs from the nearest run on disk.

        `run` is an id, its last part, or a part that only one id has; ConfigError otherwise.
        """
        ids = [planned.id for planned in self.runs if planned.id]
        matches = [name for name in ids if run in (name, name.rpartition("__")[2])]
        matches = matches or [name for name in ids if run in name]
        if len(matches) != 1:
            what = "several runs" if matches else "no run"
            remedy = "Give the last part of its id." if matches else nearest(run, ids)
            raise ConfigError(f"{what} of this plan match '{run}'", where="--explain", remedy=remedy)
        planned = next(planned for planned in self.runs if planned.id == matches[0])
        near = nearest_run(planned.spec, self.runs_folder.all())
        if near is None:
            return Explanation(planned, None, {})
        folder, differences = near
        return Explanation(planned, folder.id, {name: (there, here) for name, there, here in differences})


def plan_runs(
    opened: OpenLeaderboard, on_event: Listener, observers: Mapping[str, str] | None = None
) -> Plan:
    """Plan the selected entries; `observers` are places to report to, by observer."""
    places: dict[str, Any] = {}
    if observers is not None:
        places = observer_places(observers, opened.project, opened.registry.observers)
    return make_plan(
        opened.project,
        opened.title,
        opened.protocol,
        opened.matrix,
        opened.runs,
        data_roots=opened.workspace.data_roots,
        plugin_files=opened.workspace.plugin_files,
        observers=places,
        advance=advancing(on_event, "reading cases"),
    )


def plan_leaderboard(opened: OpenLeaderboard, on_event: Listener, *, preflight: bool) -> PlannedLeaderboard:
    """Plan the selected entries; with `preflight`, try each for a few steps."""
    plan = plan_runs(opened, on_event)
    forecasts = {}
    if preflight:
        forecasts = forecast(list(plan.runs), plan.manifests, advancing(on_event, "preflight"))
    return PlannedLeaderboard(plan, opened.runs, forecasts)
