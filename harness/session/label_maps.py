"""Scores of a label map against a reference, without a project."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING

from harness.metrics import scoring
from harness.metrics.definitions import metric as metric_named
from harness.metrics.scoring import Engine, LabelMap, Score
from harness.session.display import Displayed
from harness.store.record import State
from harness.tables.table import Table
from harness.views.label_maps import score_table

if TYPE_CHECKING:
    import pandas as pd


@dataclass(frozen=True, repr=False)
class LabelMapScores(Displayed):
    """Scores of one prediction; `print` and notebooks show them as a table.

    `scores` has a `Score` per structure and metric, ordered by structure.
    """

    scores: tuple[Score, ...]

    @property
    def values(self) -> dict[str, dict[str, float | None]]:
        """``values[structure][metric]``; None in a state that has no value."""
        return {
            name: {score.metric: score.value for score in scores} for name, scores in self._groups().items()
        }

    @property
    def states(self) -> dict[str, dict[str, State]]:
        """``states[structure][metric]``: ok, both-empty, prediction-empty or reference-empty."""
        return {
            name: {score.metric: score.state for score in scores} for name, scores in self._groups().items()
        }

    def value(self, structure: str, metric: str) -> float | None:
        """The value of one metric of one structure; KeyError for one that was not scored."""
        return self.values[structure][metric_named(metric).name]

    def to_frame(self) -> pd.DataFrame:
        """A row per structure and metric: structure, metric, value, unit, state. Missing values are NaN."""
        import pandas as pd

        columns = list(Score.__dataclass_fields__)
        frame = pd.DataFrame([asdict(score) for score in self.scores], columns=columns)
        return frame.astype({"value": float})

    def _groups(self) -> dict[str, list[Score]]:
        groups: dict[str, list[Score]] = {}
        for score in self.scores:
            groups.setdefault(score.structure, []).append(score)
        return groups

    @property
    def tables(self) -> tuple[Table]:
        """A table with a row per structure and a column per metric."""
        return (score_table(self.scores),)


def score(
    prediction: LabelMap,
    reference: LabelMap,
    spacing_mm: Sequence[float],
    *,
    structures: Mapping[str, int],
    metrics: Sequence[str] = ("dice", "hd", "hd95", "assd"),
    engine: Engine = "fast",
) -> LabelMapScores:
    """Score a label map against a reference, as the harness scores its own predictions.

    `prediction` and `reference` are label maps ``(z, y, x)`` or ``(y, x)`` of integers or booleans,
    `spacing_mm` is the distance between voxel centres in the same order. `structures` maps names to label
    values other than 0; other labels count as background. If one side lacks a structure, Dice is 0 and
    distances are the image diagonal, and the state says so; if both lack it, there is no value. The
    engine "medpy" computes with MedPy, slowly. DataError for arrays or a spacing that don't fit;
    ConfigError for an unknown metric or engine.

    >>> import numpy as np
    >>> import harness
    >>> reference = np.zeros((2, 8, 8), int)
    >>> reference[:, 2:6, 2:6] = 3
    >>> prediction = np.roll(reference, 1, axis=2)
    >>> scores = harness.score(prediction, reference, (8.0, 1.5, 1.5), structures={"LV": 3})
    >>> scores.value("LV", "dice"), scores.value("LV", "hd")
    (0.75, 1.5)
    """
    return LabelMapScores(
        tuple(scoring.score(reference, prediction, spacing_mm, structures, metrics, engine=engine))
    )
