"""What the report needs to know of the machine, kept in the JSON of pytest-benchmark."""

from __future__ import annotations

import importlib.metadata
import os
from typing import Any

PACKAGES = (
    "torch",
    "numpy",
    "scipy",
    "monai",
    "torchio",
    "dynamic-network-architectures",
    "medpy",
    "SimpleITK",
)


def pytest_benchmark_update_machine_info(config: Any, machine_info: dict[str, Any]) -> None:
    """Name of processor and GPU, versions, and how busy the machine was before the first benchmark."""
    from bench.contests import device_name

    from harness.contract.layout import as_json
    from harness.measure.compute import Compute
    from harness.measure.provenance import hardware

    compute = Compute.choose("auto", deterministic=False)
    machine_info["harness"] = {
        **as_json(hardware(compute)),
        "device": device_name(),
        "precision": compute.precision,
        "versions": {name: version for name in ("cardiac-harness", *PACKAGES) if (version := _version(name))},
        "loadavg": os.getloadavg(),
    }


def pytest_benchmark_update_json(config: Any, benchmarks: Any, output_json: dict[str, Any]) -> None:
    """How busy it was after the last: what else ran meanwhile shows in the difference."""
    output_json["machine_info"]["harness"]["loadavg_after"] = os.getloadavg()


def _version(package: str) -> str | None:
    try:
        return importlib.metadata.version(package)
    except importlib.metadata.PackageNotFoundError:
        return None
