"""Plots as the page's script reads them: each specification once, data in columns."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from harness.page.plots.figure import Plot, PlottedPatient, Series, Spec
from harness.store.atomic import canonical_json


class PagePayload:
    """The data of a page; plots are added one dataset at a time."""

    def __init__(self, to_vega: Callable[[Spec], Mapping[str, Any]]) -> None:
        self._to_vega = to_vega
        self._specs: list[Mapping[str, Any]] = []
        self._place: dict[str, int] = {}
        self._series: list[dict[str, Any]] = []
        self._of_series: dict[int, int] = {}
        self._kept: list[Series] = []
        self._plots: dict[str, dict[str, Any]] = {}
        self._patients: list[list[dict[str, str]]] = []

    def add(self, prefix: str, figures: Sequence[Plot], patients: Sequence[PlottedPatient]) -> None:
        """A dataset's figures, under keys that start with `prefix`."""
        own = len(self._patients)
        self._patients.append([patient.row for patient in patients])
        for figure in figures:
            self._plots[prefix + figure.key] = {
                "spec": self._spec(figure.spec),
                "series": [self._one(series) for series in figure.series],
                "patients": own,
            }

    def value(self) -> dict[str, Any]:
        """As JSON values."""
        return {
            "specs": self._specs,
            "series": self._series,
            "plots": self._plots,
            "patients": self._patients,
        }

    def _spec(self, spec: Spec) -> int:
        text = canonical_json(spec)
        if text not in self._place:
            self._place[text] = len(self._specs)
            self._specs.append(self._to_vega(spec))
        return self._place[text]

    def _one(self, series: Series) -> int:
        """The index of a series; plots of the same series share it."""
        if id(series) not in self._of_series:
            self._kept.append(series)  # An id is unique only while the object lives.
            self._of_series[id(series)] = len(self._series)
            made: dict[str, Any] = {"same": dict(series.same), "columns": dict(series.columns)}
            if series.by_patient:
                made["byPatient"] = True
            if series.odd:
                made["odd"] = {name: dict(texts) for name, texts in series.odd.items()}
            self._series.append(made)
        return self._of_series[id(series)]
