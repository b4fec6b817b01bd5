"""Which GPUs this process was given, as CUDA reads it; torch isn't asked."""

from __future__ import annotations

import os
from itertools import takewhile


def named_gpus() -> tuple[str, ...] | None:
    """The GPUs that CUDA_VISIBLE_DEVICES names; empty where it says none, None where it is not set."""
    named = os.environ.get("CUDA_VISIBLE_DEVICES")
    if named is None:
        return None
    # CUDA stops at the first that can't be one. Some sites write NoDevFiles into jobs without a GPU.
    return tuple(takewhile(_can_be_one, (gpu.strip() for gpu in named.split(","))))


def _can_be_one(name: str) -> bool:
    return name not in ("", "NoDevFiles") and not name.startswith("-")
