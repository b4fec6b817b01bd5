"""Checkpoints: written atomically, the last two kept, loaded without executing code from them."""

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
"""The share of the training time that checkpoints may take: on a GPU an epoch can be as short as a write."""


def due(seconds: Mapping[str, float]) -> bool:
    """Whether a checkpoint is due after so many `seconds` by phase; it is after the first epoch."""
    return seconds.get("checkpoint", 0.0) <= SHARE * seconds.get("train", 0.0)


def save(folder: Path, state: dict[str, Any]) -> None:
    """Make `state` the current checkpoint of `folder`; the previous one stays as a backup."""
    current = folder / CURRENT
    with storage_errors(current):
        if current.exists():
            current.replace(folder / PREVIOUS)
    write_state(current, state)


def write_state(path: Path, state: dict[str, Any]) -> None:
    """Write `state` with torch, atomically; ResourceError if the disk is full."""
    # Through memory, because torch reports a full disk as an error about file positions.
    content = io.BytesIO()
    torch.save(state, content)
    write_atomic(path, lambda file: file.write(content.getbuffer()))


def read_state(path: Path) -> dict[str, Any] | None:
    """The state in `path`, loaded to the host; None if the file is missing or unreadable."""
    if not path.exists():
        return None
    try:
        # Loading to a full GPU would fail as if the file were damaged.
        state: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
    except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
        log.warning("%s can't be read (%s)", path, error)
        return None
    return state


def load(folder: Path, key: str) -> dict[str, Any] | None:
    """The newest readable checkpoint of the train key `key`, loaded to the host; None if there is none."""
    for name in (CURRENT, PREVIOUS):
        state = read_state(folder / name)
        if state is not None and state.get("key") == key and "criterion" in state:
            return state
    return None


def discard(folder: Path) -> None:
    """Delete the checkpoints, once the final weights are on disk."""
    for name in (CURRENT, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
