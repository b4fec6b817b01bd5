"""The opened dataset, and a sample of its cases and volumes, for checks."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from pathlib import Path

from harness.data.case import Case, Volume
from harness.data.source import Source, open_record
from harness.plugins.records import Dataset
from harness.testing.check import attempt
from harness.testing.subject import Subject

SAMPLE = 6
"""The number of cases read, spread over the dataset; ``harness data check`` reads all."""


def open_anew(subject: Subject) -> Source:
    assert isinstance(subject.record, Dataset)
    assert isinstance(subject.root, Path)
    return open_record(subject.record, subject.root, subject.resolved)


@lru_cache(maxsize=2)
def source_of(subject: Subject) -> Source:
    return open_anew(subject)


def sample_of(cases: Sequence[Case]) -> list[Case]:
    """Evenly spaced cases by id, from the first to the last, so that an official test set is included."""
    count = min(SAMPLE, len(cases))
    ordered = sorted(cases, key=lambda case: case.id)
    return [ordered[round(i * (len(cases) - 1) / max(1, count - 1))] for i in range(count)]


@lru_cache(maxsize=1)
def volumes_of(subject: Subject) -> list[tuple[Case, Volume]]:
    volumes = []
    for case in sample_of(source_of(subject).cases):
        with attempt(f"reading {case.id}", "Raise DataError if a file is damaged; otherwise correct read()."):
            volumes.append((case, case.read()))
    return volumes
