"""Checkpoints: written whole or not at all, the last two kept, read without running code from them."""

from __future__ import annotations

import io
import logging
import pickle
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from harness.store.atomic import storage_errors, write_atomic

log = logging.getLogger(__name__)

CURRENT, PREVIOUS, WEIGHTS = "checkpoint.pt", "checkpoint-previous.pt", "weights.pt"

SHARE = 0.05
"""Of a training's time, checkpoints may take this much: on a GPU an epoch can be as short as a write."""


def due(seconds: Mapping[str, float]) -> bool:
    """Whether one is due in a training that took so many `seconds` by phase; it is after its first epoch."""
    return seconds.get("checkpoint", 0.0) <= SHARE * seconds.get("train", 0.0)


def save(folder: Path, state: dict[str, Any]) -> None:
    """Make `state` the current checkpoint of `folder`; the one before stays as a spare."""
    current = folder / CURRENT
    with storage_errors(current):
        if current.exists():
            current.replace(folder / PREVIOUS)
    write_state(current, state)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write `state` with torch, atomically; ResourceError where the disk is full."""
    # Through memory: torch turns a full disk into an error about positions in a file.
    content = io.BytesIO()
    torch.save(state, content)
    write_atomic(path, lambda file: file.write(content.getbuffer()))


def read_state(path: Path) -> dict[str, Any] | None:
    """What `write_state` wrote, on the host; None where it is missing or can't be read."""
    if not path.exists():
        return None
    try:
        # On a full GPU reading to it would fail, as if the file were spoilt.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        log.warning("%s can't be read (%s)", path, error)
        return None
    return state


def load(folder: Path, key: str) -> dict[str, Any] | None:
    """The newest readable checkpoint made under train key `key`, on the host; None where there is none."""
    for name in (CURRENT, PREVIOUS):
        state = read_state(folder / name)
        if state is not None and state.get("key") == key and "criterion" in state:
            return state
    return None


def discard(folder: Path) -> None:
    """Remove checkpoints once the final weights are on disk."""
    for name in (CURRENT, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
