"""Records without training: external predictions, and saved predictions that are scored again."""

from __future__ import annotations

import math
import os
import shutil
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from harness.contract.local import LocalPaths
from harness.contract.record import DataUsed
from harness.contract.spec import RunSpec
from harness.data.case import Case, Volume
from harness.data.predictions import read_prediction
from harness.errors import DataError
from harness.metrics import Score
from harness.metrics.scoring import Engine
from harness.pipeline.saved_predictions import nifti_of, read_saved_prediction, save_prediction
from harness.pipeline.scoring import Scoring, case_scores
from harness.store.record import CaseScore, Record
from harness.store.runs import RunFolder

Advance = Callable[[int, int], None]


@dataclass(frozen=True)
class Scored:
    """Scores of cases; `differences` has, by metric, the largest difference between two engines' scores."""

    rows: tuple[CaseScore, ...]
    differences: Mapping[str, float]


def score_files(
    folder: RunFolder,
    spec: RunSpec,
    local: LocalPaths,
    cases: Sequence[Case],
    files: Mapping[str, Path],
    values: Mapping[str, int],
    *,
    engine: Engine,
    advance: Advance,
) -> tuple[Record, Mapping[str, float]]:
    """Score the files of an external entry, copy them into its folder, and write its record.

    `files` are by case id. A case without a file is scored as an empty prediction and listed in the record.
    `values` are the label values in the files, by structure.
    """
    copies = folder.path / "predictions.new"
    read = partial(_read_file, files, spec.dataset.structures, values, copies)
    new = not folder.path.exists()
    try:
        folder.path.mkdir(parents=True, exist_ok=True)
        with folder.locked():
            shutil.rmtree(copies, ignore_errors=True)
            scored = _score(spec, cases, read, engine, advance)
            missing = sorted(case.id for case in cases if case.id not in files)
            record = _external_record(spec, scored, missing)
            # All files are valid: only now is the old record, if there is one, replaced.
            folder.reopen()
            shutil.rmtree(folder.predictions, ignore_errors=True)
            copies.mkdir(exist_ok=True)
            copies.rename(folder.predictions)
            folder.plan(spec, local)
            folder.finish(record)
    except BaseException:
        shutil.rmtree(folder.path if new else copies, ignore_errors=True)
        raise
    return record, scored.differences


def _read_file(
    files: Mapping[str, Path],
    structures: Mapping[str, int],
    values: Mapping[str, int],
    copies: Path,
    case: Case,
    volume: Volume,
) -> NDArray[Any]:
    """The label map of a case, which is also copied; all background where the case has no file."""
    assert volume.labels is not None
    if case.id not in files:
        return np.zeros_like(volume.labels)
    labels = read_prediction(files[case.id], volume, structures, values, like=nifti_of(case))
    save_prediction(copies, case, labels, volume.spacing_mm)
    return labels


def _external_record(spec: RunSpec, scored: Scored, missing: list[str]) -> Record:
    data = DataUsed.of(spec, missing=tuple(missing))
    return Record(spec.run_id, spec.keys, spec, "done", data=data, cases=scored.rows)


def rescore(
    folder: RunFolder, spec: RunSpec, cases: Sequence[Case], *, engine: Engine, advance: Advance
) -> tuple[Record, Mapping[str, float]]:
    """Score the saved predictions of a finished run under `spec`, and replace its record.

    DataError if a prediction is missing or has another shape than the reference.
    """
    record = folder.record()
    assert record is not None
    missing = set(record.missing)

    def read(case: Case, volume: Volume) -> NDArray[Any]:
        assert volume.labels is not None
        if case.id in missing:
            return np.zeros_like(volume.labels)
        labels = read_saved_prediction(folder.predictions, case, volume.labels.shape)
        if labels is None:
            raise DataError("its prediction was not saved", where=f"{folder.id} {case.id}")
        return labels

    scored = _score(spec, cases, read, engine, advance)
    with folder.locked():
        folder.reopen()
        folder.plan(spec)
        rescored = replace(record, keys=spec.keys, spec=spec, cases=scored.rows)
        folder.finish(rescored)
    return rescored, scored.differences


def _score(
    spec: RunSpec,
    cases: Sequence[Case],
    read: Callable[[Case, Volume], NDArray[Any]],
    engine: Engine,
    advance: Advance,
) -> Scored:
    """Read and score the cases on all cores; the first error stops the others."""
    scoring = Scoring.of(spec, engine)
    fast = None if engine == "fast" else Scoring.of(spec)

    def score_case(case: Case) -> tuple[list[CaseScore], list[tuple[Score, Score]]]:
        volume = case.read()
        assert volume.labels is not None
        arrays = (volume.labels, read(case, volume), volume.spacing_mm)
        scores = scoring(*arrays)
        pairs = list(zip(scores, fast(*arrays), strict=True)) if fast else []
        return case_scores(case, volume.spacing_mm, scores), pairs

    rows: list[CaseScore] = []
    compared: list[tuple[Score, Score]] = []
    # Decompression (reading) and numpy (scoring) both release the interpreter lock.
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for done, (case_rows, pairs) in enumerate(pool.map(score_case, cases), 1):
                rows += case_rows
                compared += pairs
                advance(done, len(cases))
        except BaseException:
            pool.shutdown(cancel_futures=True)
            raise
    return Scored(tuple(rows), _differences(compared))


def _differences(compared: Iterable[tuple[Score, Score]]) -> dict[str, float]:
    """The largest difference between two engines by metric; infinite where only one has a value."""
    largest: dict[str, float] = {}
    for a, b in compared:
        difference = 0.0 if a.value == b.value else math.inf
        if a.value is not None and b.value is not None:
            difference = abs(a.value - b.value)
        largest[a.metric] = max(largest.get(a.metric, 0.0), difference)
    return largest
