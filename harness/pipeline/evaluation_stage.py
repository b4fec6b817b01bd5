"""The second half of a run: predict every test case, score it, and time prediction by itself."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import numpy as np

from harness.data.case import Case, Volume
from harness.measure.clocks import Phases, median_and_p95
from harness.measure.compute import Compute
from harness.measure.contention import ContentionMonitor
from harness.measure.memory import device_peak, host_peak, reset_host_peak, reset_peak
from harness.measure.nvml import Gpu
from harness.pipeline.saved_predictions import Kept
from harness.pipeline.scoring import Scorer, Scoring
from harness.plugins.blame import calling
from harness.predict.native import Predictor
from harness.store.record import CaseScore

SCORERS = 2
"""Processes that score beside a GPU. One takes a few milliseconds for a volume of ACDC's size."""

TIMED = 20
"""Volumes whose latency is measured, the first of the test part: enough for a 95th percentile."""


@dataclass(frozen=True)
class Evaluated:
    """Scores of all test cases, figures as the record has them, and who else was at work."""

    rows: list[CaseScore]
    time_s: dict[str, float | int | None]
    memory_mib: dict[str, float | None]
    contention: dict[str, Any]


def evaluate(
    predictor: Predictor,
    spec: Mapping[str, Any],
    test: Sequence[Case],
    *,
    clock: Phases,
    kept: Kept | None,
    report: Callable[[dict[str, Any]], None],
) -> Evaluated:
    """Predict and score `test`, keep label maps in `kept`, then measure latency."""
    compute = predictor.compute
    gpu = Gpu.of(compute.device)
    reset_peak(compute.device)
    reset_host_peak()
    watch = ContentionMonitor(gpu)
    value_of = np.array([0, *spec["dataset"]["structures"].values()], np.uint8)
    first: list[Volume] = []
    warm: set[int] = set()
    with contextlib.ExitStack() as stack:
        with clock("score"):
            workers = SCORERS if compute.device.type == "cuda" else 0
            scorer = stack.enter_context(Scorer(Scoring.of(spec), workers))
        begun, before = time.perf_counter(), clock.seconds().get("warm-up", 0.0)
        for number, (case, volume) in enumerate(_read_ahead(test, clock)):
            # The first call is never typical; where algorithms are chosen, the first of each depth: networks
            # see one size of slice.
            depth = volume.image.shape[1]
            if not warm or (compute.chooses and depth not in warm):
                with clock("warm-up"):
                    predictor(volume)
            warm.add(depth)
            if number < TIMED:
                first.append(volume)
            with clock("predict"):
                # Labels arrive on the host, so nothing is left for the device to do.
                predicted = value_of[predictor(volume)]
            with clock("score"):
                assert volume.labels is not None
                scorer.add(case, volume.labels, predicted, volume.spacing_mm)
            if kept is not None:
                with clock("keep"):
                    kept.add(case, predicted, volume.spacing_mm)
            report({"predicted": number + 1, "volumes": len(test)})
        with clock("score"):
            rows = scorer.rows()
        pass_s = time.perf_counter() - begun - (clock.seconds().get("warm-up", 0.0) - before)
        host = host_peak(children=True)
        with clock("score"):
            stack.close()
        if kept is not None:
            with clock("keep"):
                kept.finish()
    with clock("latency"):
        latencies = [_latency(predictor, volume, compute) for volume in first]
    median, p95 = median_and_p95(latencies)
    allocated, reserved = device_peak(compute.device)
    return Evaluated(
        rows,
        time_s={
            "volume_median": median,
            "volume_p95": p95,
            "volume_n": len(latencies),
            "volumes_per_s": len(test) / pass_s if test else None,
        },
        memory_mib={
            "gpu_predict_allocated": allocated,
            "gpu_predict_reserved": reserved,
            "gpu_predict_process": gpu.process_mib() if gpu is not None else None,
            "host_peak": host,
        },
        contention=watch.seen(),
    )


def _latency(predictor: Predictor, volume: Volume, compute: Compute) -> float:
    """Seconds from a volume in host memory to its label map in host memory, nothing else under way."""
    compute.synchronise()
    start = time.perf_counter()
    predictor(volume)
    compute.synchronise()
    return time.perf_counter() - start


def _read_ahead(cases: Sequence[Case], clock: Phases) -> Iterator[tuple[Case, Volume]]:
    """Cases with their volumes; the next is read while the one before is predicted."""

    def read(case: Case) -> Volume:
        with calling("dataset"):
            return case.read()

    with ThreadPoolExecutor(1) as reader:
        ahead = [reader.submit(read, case) for case in cases[:1]]
        for number, case in enumerate(cases):
            with clock("read"):
                volume = ahead.pop().result()
            if number + 1 < len(cases):
                ahead.append(reader.submit(read, cases[number + 1]))
            yield case, volume
