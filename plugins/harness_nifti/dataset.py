"""The dataset: cases from files, and patient, phase and group from their names.

nnU-Net: Isensee et al., Nature Methods 18:203-211, 2021, doi:10.1038/s41592-020-01008-z.
Decathlon: Antonelli et al., Nature Communications 13:4128, 2022, doi:10.1038/s41467-022-30695-9.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Sequence
from pathlib import Path
from typing import NoReturn

from harness.data.case import Case
from harness.data.nifti import nifti_case
from harness.errors import ConfigError, DataError
from harness_nifti.description import describe
from harness_nifti.files import Sample, find


class Nifti:
    """A folder with ``dataset.json``, ``imagesTr`` and ``labelsTr``.

    `patient`, `phase` and `group` are regular expressions that are searched for in a case's id; what
    their first group matches (without groups: the whole match) is the value. Without `patient` each
    case is a patient of its own, without the others there are no phases and no groups.
    """

    def __init__(self, root: Path, patient: str = "", phase: str = "", group: str = "") -> None:
        self._patient, self._phase, self._group = (
            _compiled(name, pattern)
            for name, pattern in (("patient", patient), ("phase", phase), ("group", group))
        )
        self._told = describe(root)
        self.structures = self._told.structures
        self.phases: tuple[str, ...] = ()

    def cases(self) -> Sequence[Case]:
        """All cases; images are not opened. One whose files are not complete raises when it is read."""
        cases = [self._case(sample) for sample in find(self._told)]
        self.phases = tuple(sorted({case.phase for case in cases if case.phase is not None}))
        return cases

    def _case(self, sample: Sample) -> Case:
        patient = _found(self._patient, "patient", sample.id) or sample.id
        phase = _found(self._phase, "phase", sample.id)
        group = _found(self._group, "group", sample.id)
        if sample.error is not None:
            read = functools.partial(_refuse, sample.error)
            return Case(sample.id, patient, phase, read, group=group, part=sample.part)
        return nifti_case(
            sample.id,
            patient,
            phase,
            sample.images,
            sample.label,
            self.structures.values(),
            group=group,
            part=sample.part,
            channels=len(self._told.channels),
        )


def _refuse(error: DataError) -> NoReturn:
    # A new one each time: a raised exception collects tracebacks.
    raise DataError(error.what, where=error.where, remedy=error.remedy)


def _compiled(parameter: str, pattern: object) -> re.Pattern[str] | None:
    if not isinstance(pattern, str):
        raise ConfigError(f"{pattern!r} is not a regular expression", where=f"parameter {parameter}")
    try:
        return re.compile(pattern) if pattern else None
    except re.error as error:
        raise ConfigError(
            f"'{pattern}' is not a regular expression: {error}", where=f"parameter {parameter}"
        ) from error


def _found(pattern: re.Pattern[str] | None, parameter: str, case_id: str) -> str | None:
    if pattern is None:
        return None
    match = pattern.search(case_id)
    groups = [] if match is None else [match[0]] if not pattern.groups else list(match.groups())
    value = next((group for group in groups if group), None)
    if value is None:
        raise ConfigError(
            f"'{pattern.pattern}' finds nothing in the case id '{case_id}'",
            where=f"parameter {parameter}",
            remedy="Write a pattern, without quotes, that fits every id.",
        )
    return value
