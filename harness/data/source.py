"""Open a dataset plugin and check its cases, structures and phases against the contract."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from harness.contract.spec import DatasetSpec
from harness.data.case import Case
from harness.errors import HarnessError, PluginError
from harness.plugins.blame import explain
from harness.plugins.records import Dataset
from harness.plugins.resolve import resolve


@dataclass(frozen=True)
class Source:
    """An opened dataset. `structures` maps names to label values, in the dataset's order."""

    cases: tuple[Case, ...]
    structures: dict[str, int]
    phases: tuple[str, ...]


def open_source(
    target: str,
    root: Path,
    params: Mapping[str, Any],
    *,
    name: str,
    structures: Mapping[str, int],
    phases: tuple[str, ...],
) -> Source:
    """Call a dataset's target; PluginError if it violates the contract, DataError from its own checks."""
    factory = resolve(target, where=name)
    if not callable(factory):
        raise PluginError(f"target {target!r} is not callable", where=f"dataset {name}")
    try:
        dataset = factory(root, **params)
        cases = tuple(dataset.cases())
    except HarnessError:
        raise
    except Exception as error:
        raise PluginError(explain(error, target.partition(":")[0]), where=f"dataset {name}") from error
    foreign = next((case for case in cases if not isinstance(case, Case)), None)
    if foreign is not None:
        raise PluginError(
            f"cases() returned a {type(foreign).__name__}, expected Case", where=f"dataset {name}"
        )
    for case in cases:
        _check_names(case, name)
    declared = getattr(dataset, "structures", None) or structures
    values = list(declared.values()) if isinstance(declared, Mapping) else []
    valid = all(type(value) is int and 0 < value < 256 for value in values)
    if not values or not valid or len(set(values)) < len(values):
        raise PluginError(
            f"structures {declared} must have at least one label value, all distinct and from 1 to 255",
            where=f"dataset {name}",
        )
    return Source(cases, dict(declared), tuple(getattr(dataset, "phases", None) or phases))


def _check_names(case: Case, dataset: str) -> None:
    """PluginError for an id that can't be a file name, and for a patient without a name."""
    for field, value in (("id", case.id), ("patient", case.patient)):
        if not isinstance(value, str) or not value.strip():
            raise PluginError(
                f"a case has the {field} {value!r}, expected a non-empty string", where=f"dataset {dataset}"
            )
    if "/" in case.id or "\\" in case.id or case.id in (".", ".."):
        raise PluginError(f"the case id {case.id!r} can't be a file name", where=f"dataset {dataset}")


def open_record(record: Dataset, root: Path, params: Mapping[str, Any]) -> Source:
    """Open a registered dataset."""
    return open_source(
        record.target, root, params, name=record.name, structures=record.structures, phases=record.phases
    )


def open_spec(dataset: DatasetSpec, root: Path) -> Source:
    """Open the dataset of a run."""
    return open_source(
        dataset.target,
        root,
        dataset.params,
        name=dataset.name,
        structures=dataset.structures,
        phases=dataset.phases,
    )
