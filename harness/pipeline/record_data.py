"""The section `data` of a record."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def record_data(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Hashes of manifest and split, and the number of patients in each set."""
    return {
        "manifest_hash": spec["manifest_hash"],
        "split_hash": spec["split_hash"],
        "patients": {name: len(patients) for name, patients in spec["parts"].items()},
    }
