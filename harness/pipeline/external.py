"""Records without training: predictions made elsewhere, and kept ones scored anew."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.data.case import Case, Volume
from harness.data.predictions import read_prediction
from harness.errors import DataError
from harness.metrics import Score
from harness.metrics.scoring import Engine
from harness.pipeline.saved_predictions import keep, nifti_of, read_kept
from harness.pipeline.scoring import Scoring, case_scores
from harness.store.record import CaseScore, Record
from harness.store.runs import RunFolder

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """Scores of cases; `differences` is by metric the largest between the engines, where two were asked."""

    rows: tuple[CaseScore, ...]
    differences: Mapping[str, float]


def score_files(
    folder: RunFolder,
    spec: dict[str, Any],
    local: dict[str, Any],
    cases: Sequence[Case],
    files: Mapping[str, Path],
    values: Mapping[str, int],
    *,
    engine: Engine,
    advance: Advance,
) -> tuple[Record, Mapping[str, float]]:
    """Score the files of an external entry, keep them in its folder, and write its record.

    `files` are by case id; a case without one is scored as if nothing had been found in it, and
    named in the record. `values` are the label values in the files, by structure.
    """
    structures = spec["dataset"]["structures"]

    copies = folder.path / "predictions.new"

    def read(case: Case, volume: Volume) -> NDArray[Any]:
        assert volume.labels is not None
        if case.id not in files:
            return np.zeros_like(volume.labels)
        labels = read_prediction(files[case.id], volume, structures, values, like=nifti_of(case))
        keep(copies, case, labels, volume.spacing_mm)
        return labels

    record = Record(
        spec["run_id"],
        spec["keys"],
        spec,
        "done",
        data={
            "manifest_hash": spec["manifest_hash"],
            "split_hash": spec["split_hash"],
            "patients": {name: len(patients) for name, patients in spec["parts"].items()},
            "missing": sorted(case.id for case in cases if case.id not in files),
        },
    )
    new = not folder.path.exists()
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder.locked():
            shutil.rmtree(copies, ignore_errors=True)
            scored = _score(spec, cases, read, engine, advance)
            # Every file fits: from here on the old record, if there is one, no longer holds.
            folder.reopen()
            shutil.rmtree(folder.predictions, ignore_errors=True)
            copies.mkdir(exist_ok=True)
            copies.rename(folder.predictions)
            folder.plan(spec, local)
            record = replace(record, cases=scored.rows)
            folder.finish(record)
    except BaseException:
        shutil.rmtree(folder.path if new else copies, ignore_errors=True)
        raise
    return record, scored.differences


def rescore(
    folder: RunFolder, spec: dict[str, Any], cases: Sequence[Case], *, engine: Engine, advance: Advance
) -> tuple[Record, Mapping[str, float]]:
    """Score the kept predictions of a finished run as `spec` says, and write its record anew.

    DataError where a prediction is missing or does not fit.
    """
    record = folder.record()
    assert record is not None
    missing = set(record.data.get("missing", ()))

    def read(case: Case, volume: Volume) -> NDArray[Any]:
        assert volume.labels is not None
        if case.id in missing:
            return np.zeros_like(volume.labels)
        labels = read_kept(folder.predictions, case, volume.labels.shape)
        if labels is None:
            raise DataError("its prediction was not kept", where=f"{folder.id} {case.id}")
        return labels

    scored = _score(spec, cases, read, engine, advance)
    with folder.locked():
        folder.reopen()
        folder.plan(spec)
        anew = replace(record, keys=spec["keys"], spec=spec, cases=scored.rows)
        folder.finish(anew)
    return anew, scored.differences


def _score(
    spec: Mapping[str, Any],
    cases: Sequence[Case],
    read: Callable[[Case, Volume], NDArray[Any]],
    engine: Engine,
    advance: Advance,
) -> Scored:
    """Read and score cases on all cores; the first error ends it."""
    scoring = Scoring.of(spec, engine)
    fast = None if engine == "fast" else Scoring.of(spec)

    def one(case: Case) -> tuple[list[CaseScore], list[tuple[Score, Score]]]:
        volume = case.read()
        assert volume.labels is not None
        task = (volume.labels, read(case, volume), volume.spacing_mm)
        scores = scoring(*task)
        other = list(zip(scores, fast(*task), strict=True)) if fast else []
        return case_scores(case, volume.spacing_mm, scores), other

    rows: list[CaseScore] = []
    compared: list[tuple[Score, Score]] = []
    # Reading is unzipping and scoring is numpy: both leave the interpreter to other threads.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, (lines, others) in enumerate(pool.map(one, cases), 1):
                rows += lines
                compared += others
                advance(done, len(cases))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Scored(tuple(rows), _differences(compared))


def _differences(compared: Iterable[tuple[Score, Score]]) -> dict[str, float]:
    """The largest difference of two engines by metric; infinite where only one has a value."""
    found: dict[str, float] = {}
    for a, b in compared:
        off = 0.0 if a.value == b.value else math.inf
        if a.value is not None and b.value is not None:
            off = abs(a.value - b.value)
        found[a.metric] = max(found.get(a.metric, 0.0), off)
    return found
