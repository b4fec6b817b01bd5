"""From label maps to the scores of a record; on a GPU, in separate processes during prediction.

Imports no torch, so that a scoring process starts in a fraction of a second.
"""

from __future__ import annotations

import logging
import multiprocessing
import os
import threading
from collections.abc import Mapping
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from types import TracebackType
from typing import Any

from numpy.typing import NDArray

from harness.contract.spec import RunSpec
from harness.data.case import Case
from harness.metrics import EmptyPolicy, Score, metric, score
from harness.metrics.empty import DEFAULT
from harness.metrics.scoring import Engine
from harness.store.record import CaseScore

log = logging.getLogger("harness.scoring")

Labels = NDArray[Any]
Spacing = tuple[float, float, float]


@dataclass(frozen=True)
class Scoring:
    """What to score and how; small, because it is sent to other processes."""

    structures: Mapping[str, int]
    metrics: tuple[str, ...]
    empty: EmptyPolicy = DEFAULT
    engine: Engine = "fast"

    @classmethod
    def of(cls, spec: RunSpec, engine: Engine = "fast") -> Scoring:
        """The scoring of a run; label values are the dataset's."""
        empty = spec.scoring.empty
        return cls(
            dict(spec.dataset.structures),
            spec.scoring.metrics,
            EmptyPolicy(empty.one_empty_distance, empty.both_empty),
            engine,
        )

    def __call__(self, reference: Labels, predicted: Labels, spacing_mm: Spacing) -> list[Score]:
        """The scores of one case; all have the state ``error`` if they can't be computed."""
        try:
            return score(
                reference,
                predicted,
                spacing_mm,
                self.structures,
                self.metrics,
                empty=self.empty,
                engine=self.engine,
            )
        except Exception:
            # A case that can't be scored must not cost the scores of the others.
            log.exception("a case could not be scored")
            return [
                Score(structure, name, None, metric(name).unit, "error")
                for structure in self.structures
                for name in self.metrics
            ]


def case_scores(case: Case, spacing_mm: Spacing, scores: list[Score]) -> list[CaseScore]:
    """The scores of a case as a record has them."""
    return [
        CaseScore(
            case=case.id,
            patient=case.patient,
            phase=case.phase,
            group=case.group,
            structure=score.structure,
            metric=score.metric,
            value=score.value,
            unit=score.unit,
            state=score.state,
            spacing_mm=spacing_mm,
        )
        for score in scores
    ]


class Scorer:
    """Scores cases in order: immediately or, with `workers`, in that many processes.

    Processes let a GPU predict while cases are scored. On a CPU prediction uses all cores anyway, and
    starting a process takes longer than scoring many cases.
    """

    def __init__(self, scoring: Scoring, workers: int) -> None:
        self._scoring = scoring
        self._pending: list[tuple[Case, Spacing, Future[list[Score]] | list[Score]]] = []
        self._pool = _pool(workers) if workers else None
        if self._pool is not None:
            # Start a process now, so that it is ready for the first prediction.
            self._pool.submit(os.getpid)

    def add(self, case: Case, reference: Labels, predicted: Labels, spacing_mm: Spacing) -> None:
        """Score a case; label maps are ``(z, y, x)`` in the dataset's label values."""
        arrays = (reference, predicted, spacing_mm)
        scores = self._scoring(*arrays) if self._pool is None else self._pool.submit(self._scoring, *arrays)
        self._pending.append((case, spacing_mm, scores))

    def rows(self) -> list[CaseScore]:
        """The scores of all cases, in the order in which they were added; waits for them."""
        return [
            row
            for case, spacing_mm, scores in self._pending
            for row in case_scores(
                case, spacing_mm, scores.result() if isinstance(scores, Future) else scores
            )
        ]

    def __enter__(self) -> Scorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    # A forked child would inherit the GPU context and the locks of threads.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Exit when the run is killed, which the pool does not notice: its processes keep its pipes open."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
