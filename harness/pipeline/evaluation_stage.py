"""The second half of a run: predict and score every test case, then measure latency."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.contract.spec import RunSpec
from harness.data.case import Case, Volume
from harness.measure.clocks import Phases, median_and_p95
from harness.measure.contention import ContentionMonitor
from harness.measure.memory import device_peak, host_peak, reset_host_peak, reset_peak
from harness.measure.nvml import Gpu
from harness.pipeline.saved_predictions import PredictionWriter
from harness.pipeline.scoring import Scorer, Scoring
from harness.plugins.blame import calling
from harness.predict.predictor import Predictor
from harness.store.record import CaseScore

SCORERS = 2
"""Scoring processes while a GPU predicts. Each takes a few milliseconds for a volume of ACDC's size."""

TIMED = 20
"""How many test volumes latency is measured on, the first ones: enough for a 95th percentile."""


@dataclass(frozen=True)
class Evaluated:
    """Scores of all test cases; times, memory and contention as the record has them."""

    rows: list[CaseScore]
    time_s: dict[str, float | int | None]
    memory_mib: dict[str, float | None]
    contention: dict[str, Any]


def evaluate(
    predictor: Predictor,
    spec: RunSpec,
    test: Sequence[Case],
    *,
    clock: Phases,
    predictions: PredictionWriter | None,
    report: Callable[[dict[str, Any]], None],
) -> Evaluated:
    """Predict and score `test`, save the label maps with `predictions`, then measure latency."""
    device = predictor.compute.device
    gpu = Gpu.of(device)
    reset_peak(device)
    reset_host_peak()
    monitor = ContentionMonitor(gpu)
    scored = _predict_and_score(predictor, spec, test, clock, predictions, report)
    with clock("latency"):
        latencies = [_latency(predictor, volume) for volume in scored.first]
    median, p95 = median_and_p95(latencies)
    allocated, reserved = device_peak(device)
    return Evaluated(
        scored.rows,
        time_s={
            "volume_median": median,
            "volume_p95": p95,
            "volume_n": len(latencies),
            "volumes_per_s": len(test) / scored.seconds if test else None,
        },
        memory_mib={
            "gpu_predict_allocated": allocated,
            "gpu_predict_reserved": reserved,
            "gpu_predict_process": gpu.process_mib() if gpu is not None else None,
            "host_peak": scored.host_mib,
        },
        contention=monitor.seen(),
    )


@dataclass(frozen=True)
class _ScoredSet:
    """The scores of a test set, its first volumes, the seconds that it took and the peak host memory."""

    rows: list[CaseScore]
    first: list[Volume]
    seconds: float
    host_mib: float


def _predict_and_score(
    predictor: Predictor,
    spec: RunSpec,
    test: Sequence[Case],
    clock: Phases,
    predictions: PredictionWriter | None,
    report: Callable[[dict[str, Any]], None],
) -> _ScoredSet:
    value_of = np.array([0, *spec.dataset.structures.values()], np.uint8)
    first: list[Volume] = []
    with contextlib.ExitStack() as stack:
        with clock("score"):
            workers = SCORERS if predictor.compute.device.type == "cuda" else 0
            scorer = stack.enter_context(Scorer(Scoring.of(spec), workers))
        start, warm_up_before = time.perf_counter(), clock.seconds().get("warm-up", 0.0)
        warm_up = _WarmUp(predictor, clock)
        for number, (case, volume) in enumerate(_read_ahead(test, clock)):
            warm_up(volume)
            if number < TIMED:
                first.append(volume)
            with clock("predict"):
                # Labels arrive on the host, so nothing is left for the device to do.
                predicted = value_of[predictor(volume)]
            with clock("score"):
                assert volume.labels is not None
                scorer.add(case, volume.labels, predicted, volume.spacing_mm)
            if predictions is not None:
                with clock("keep"):
                    predictions.add(case, predicted, volume.spacing_mm)
            report({"predicted": number + 1, "volumes": len(test)})
        with clock("score"):
            rows = scorer.rows()
        warm_up_s = clock.seconds().get("warm-up", 0.0) - warm_up_before
        seconds = time.perf_counter() - start - warm_up_s
        host_mib = host_peak(children=True)
        with clock("score"):
            stack.close()
        if predictions is not None:
            with clock("keep"):
                predictions.finish()
    return _ScoredSet(rows, first, seconds, host_mib)


class _WarmUp:
    """Predicts a volume once untimed where its first prediction would take longer than the next.

    This is the very first volume, and on a GPU, which chooses algorithms by shape, the first one of each
    depth: networks see a single slice size.
    """

    def __init__(self, predictor: Predictor, clock: Phases) -> None:
        self._predictor = predictor
        self._clock = clock
        self._depths: set[int] = set()

    def __call__(self, volume: Volume) -> None:
        depth = volume.image.shape[1]
        if not self._depths or (self._predictor.compute.chooses and depth not in self._depths):
            with self._clock("warm-up"):
                self._predictor(volume)
        self._depths.add(depth)


def _latency(predictor: Predictor, volume: Volume) -> float:
    """Seconds from a volume in host memory to its label map in host memory, with nothing else running."""
    compute = predictor.compute
    compute.synchronise()
    start = time.perf_counter()
    predictor(volume)
    compute.synchronise()
    return time.perf_counter() - start


def _read_ahead(cases: Sequence[Case], clock: Phases) -> Iterator[tuple[Case, Volume]]:
    """Cases with their volumes; the next volume is read while the current one is predicted."""

    def read(case: Case) -> Volume:
        with calling("dataset"):
            return case.read()

    with ThreadPoolExecutor(1) as reader:
        reading = [reader.submit(read, case) for case in cases[:1]]
        for number, case in enumerate(cases):
            with clock("read"):
                volume = reading.pop().result()
            if number + 1 < len(cases):
                reading.append(reader.submit(read, cases[number + 1]))
            yield case, volume
