"""From label maps to lines of a record; on a GPU beside prediction, in processes of their own.

Imports no torch: a scoring process is up in a fraction of a second.
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
    """What is scored and how; small, so that it travels to other processes."""

    structures: Mapping[str, int]
    metrics: tuple[str, ...]
    empty: EmptyPolicy = DEFAULT
    engine: Engine = "fast"

    @classmethod
    def of(cls, spec: RunSpec, engine: Engine = "fast") -> Scoring:
        """As a run's spec says; label values are the dataset's own."""
        empty = spec.scoring.empty
        return cls(
            dict(spec.dataset.structures),
            spec.scoring.metrics,
            EmptyPolicy(empty.one_empty_distance, empty.both_empty),
            engine,
        )

    def __call__(self, reference: Labels, predicted: Labels, spacing_mm: Spacing) -> list[Score]:
        """Scores of one case; each in the state ``error`` if they can't be computed."""
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
            # One case that can't be scored must not cost the other scores: it is counted as lost.
            log.exception("a case could not be scored")
            return [
                Score(name, one, None, metric(one).unit, "error")
                for name in self.structures
                for one in self.metrics
            ]


def case_scores(case: Case, spacing_mm: Spacing, scores: list[Score]) -> list[CaseScore]:
    """Scores as lines of a record."""
    return [
        CaseScore(
            case=case.id,
            patient=case.patient,
            phase=case.phase,
            group=case.group,
            structure=one.structure,
            metric=one.metric,
            value=one.value,
            unit=one.unit,
            state=one.state,
            spacing_mm=spacing_mm,
        )
        for one in scores
    ]


class Scorer:
    """Scores cases one after the other, at once or, with `workers`, in that many processes.

    Beside a GPU that predicts, scoring must not take its turn. On a CPU prediction has all
    cores, there is no beside, and a process takes longer to start than many cases to score.
    """

    def __init__(self, scoring: Scoring, workers: int) -> None:
        self._scoring = scoring
        self._waiting: list[tuple[Case, Spacing, Future[list[Score]] | list[Score]]] = []
        self._pool = _pool(workers) if workers else None
        if self._pool is not None:
            # Started now, so that it is up when the first prediction is there.
            self._pool.submit(os.getpid)

    def add(self, case: Case, reference: Labels, predicted: Labels, spacing_mm: Spacing) -> None:
        """Take a case; label maps ``(z, y, x)`` in the dataset's values."""
        task = (reference, predicted, spacing_mm)
        found = self._scoring(*task) if self._pool is None else self._pool.submit(self._scoring, *task)
        self._waiting.append((case, spacing_mm, found))

    def rows(self) -> list[CaseScore]:
        """The scores of all cases, in the order they came; waits for them."""
        return [
            row
            for case, spacing_mm, found in self._waiting
            for row in case_scores(case, spacing_mm, found.result() if isinstance(found, Future) else found)
        ]

    def __enter__(self) -> Scorer:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        if self._pool is not None:
            self._pool.shutdown(wait=kind is None, cancel_futures=True)


def _pool(workers: int) -> ProcessPoolExecutor:
    # A forked child would inherit the GPU's context and the threads' locks.
    return ProcessPoolExecutor(workers, multiprocessing.get_context("spawn"), initializer=_end_with_parent)


def _end_with_parent() -> None:
    """Leave when the run is killed: the pool's own pipes stay open among its processes."""
    parent = multiprocessing.parent_process()
    assert parent is not None

    def wait() -> None:
        parent.join()
        os._exit(1)

    threading.Thread(target=wait, daemon=True).start()
