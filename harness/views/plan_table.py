"""The runs of a plan: state, action, reason, and the forecast of a preflight."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from harness.tables.table import Column, Row, Table, TableCell, number
from harness.tables.units import duration, memory_scale
from harness.views.run_status import MARKS

if TYPE_CHECKING:
    from harness.plan.plan import Plan, PlannedRun
    from harness.probe.forecast import Forecast


def plan_table(plan: Plan, forecasts: Mapping[str, Forecast]) -> Table:
    """A row for each run; with `forecasts` (by run id), also its memory and its time."""
    datasets = {run.entry.dataset.label for run in plan.runs}
    forecast_columns = _forecast_columns(forecasts)
    columns = (
        Column("state", holds="word"),
        Column("action", holds="word"),
        Column("entry", holds="name"),
        *([Column("dataset", holds="name")] if len(datasets) > 1 else []),
        Column("seed"),
        Column("fold"),
        Column("run", holds="word"),
        *(column for column, _ in forecast_columns),
        Column("reason", holds="text"),
    )
    rows = []
    for run in plan.runs:
        forecast = forecasts.get(run.id)
        cells = (
            TableCell(run.state, tone=MARKS[run.state][1]),
            TableCell(run.action),
            TableCell(run.entry.label),
            *([TableCell(run.entry.dataset.label)] if len(datasets) > 1 else []),
            TableCell(str(run.seed), run.seed),
            TableCell(str(run.fold), run.fold),
            TableCell(run.id.rpartition("__")[2]),
            *(cell(forecast) for _, cell in forecast_columns),
            _reason(run, forecast),
        )
        rows.append(Row(cells))
    return Table(f"Plan of {plan.leaderboard}", columns, tuple(rows), tuple(_caption(plan, forecasts)))


def _forecast_columns(
    forecasts: Mapping[str, Forecast],
) -> list[tuple[Column, Callable[[Forecast | None], TableCell]]]:
    if not forecasts:
        return []
    scale = memory_scale(forecast.memory_mib for forecast in forecasts.values())

    def memory(forecast: Forecast | None) -> TableCell:
        return number(forecast.memory_mib if forecast else None, scale.text)

    def time(forecast: Forecast | None) -> TableCell:
        return number(forecast.seconds if forecast else None, duration)

    return [(Column(f"memory {scale.unit}", factor=scale.factor), memory), (Column("time"), time)]


def _reason(run: PlannedRun, forecast: Forecast | None) -> TableCell:
    if forecast is not None and forecast.failure:
        return TableCell(f"preflight failed: {forecast.failure}", tone="bad")
    return TableCell(run.reason)


def _caption(plan: Plan, forecasts: Mapping[str, Forecast]) -> list[str]:
    notes = [f"Note: {note}" for note in plan.notes]
    if not forecasts:
        return notes
    total = sum(forecast.seconds or 0.0 for forecast in forecasts.values())
    return [
        f"Preflight: about {duration(total)} for the remaining runs, one after another, extrapolated from a "
        "few steps of each entry; reading and preparing data are not included. Memory is the peak of the "
        "GPU, or of the process where there is no GPU.",
        *notes,
    ]
