"""A plot before anything draws it: a specification, and data in columns."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

Spec = Mapping[str, Any]
"""A Vega-Lite specification whose data is named `DATA`."""

DATA = "rows"

Part = Literal["scores", "ranks", "tests", "agreement", "learning", "costs"]


@dataclass(frozen=True)
class PlottedPatient:
    """A patient of the test set, and the group that the dataset puts it in (empty: none)."""

    name: str
    group: str = ""

    @property
    def row(self) -> dict[str, str]:
        """Its fields in every row that is about it."""
        return {"patient": self.name, "group": self.group or "no group"}


@dataclass(frozen=True)
class Series:
    """Rows that share what `same` says. `columns` are equally long; None stands for no value.

    With `by_patient`, the places in a column are those of the field's patients. `odd` are texts of
    a few rows by column and place; elsewhere such a column says ``ok``.
    """

    columns: Mapping[str, Sequence[float | None]]
    same: Mapping[str, str | int] = field(default_factory=dict)
    by_patient: bool = False
    odd: Mapping[str, Mapping[int, str]] = field(default_factory=dict)

    def rows(self, patients: Sequence[PlottedPatient]) -> Iterable[dict[str, Any]]:
        """A mapping a row; rows that lack a value are left out. The page's script does the same."""
        for i, values in enumerate(zip(*self.columns.values(), strict=True)):
            if None in values:
                continue
            about = {"at": i, **patients[i].row} if self.by_patient else {"at": i}
            texts = {name: texts.get(i, "ok") for name, texts in self.odd.items()}
            yield {**about, **self.same, **dict(zip(self.columns, values, strict=True)), **texts}


@dataclass(frozen=True)
class Plot:
    """One plot of a dataset. `key` is unique within it and fit for a file name.

    `choice` says when the page shows it: a value by what is chosen, such as ``{"metric": "dice"}``.
    `note` stands below it.
    """

    part: Part
    key: str
    title: str
    spec: Spec
    series: tuple[Series, ...]
    choice: Mapping[str, str] = field(default_factory=dict)
    note: str = ""

    @property
    def empty(self) -> bool:
        """Whether there is nothing to draw."""
        rows = (row for one in self.series for row in zip(*one.columns.values(), strict=True))
        return all(None in row for row in rows)


def rounded(value: float | None, digits: int = 5) -> float | None:
    """A value to so many significant digits: more than a plot can show, and a third of the bytes."""
    return None if value is None else float(f"{value:.{digits}g}")
