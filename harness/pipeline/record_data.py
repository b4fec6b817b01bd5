"""The section `data` of a record."""

from __future__ import annotations

from typing import Any

from harness.contract.spec import RunSpec


def record_data(spec: RunSpec) -> dict[str, Any]:
    """Hashes of manifest and split, and the number of patients in each set."""
    return {
        "manifest_hash": spec.manifest_hash,
        "split_hash": spec.split_hash,
        "patients": spec.parts.sizes(),
    }
