"""The CPU cores and GPUs available to this process, without torch."""

from __future__ import annotations

import os
from itertools import takewhile


def available_cores() -> list[int]:
    """The cores that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return sorted(os.sched_getaffinity(0))
    return list(range(os.cpu_count() or 1))


def named_gpus() -> tuple[str, ...] | None:
    """The GPUs in CUDA_VISIBLE_DEVICES; empty if it lists none, None if it is not set."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return None
    # CUDA stops at the first invalid name. Some sites set NoDevFiles in jobs without a GPU.
    return tuple(takewhile(_is_valid, (gpu.strip() for gpu in named.split(","))))


def _is_valid(name: str) -> bool:
    return name not in ("", "NoDevFiles") and not name.startswith("-")
