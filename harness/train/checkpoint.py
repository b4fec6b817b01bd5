"""Checkpoints: written whole or not at all, the last two kept, read without running code from them."""

from __future__ import annotations

import contextlib
import io
import logging
import pickle
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import torch

from harness.store.atomic import storage_errors, write_atomic

log = logging.getLogger(__name__)

CURRENT, PREVIOUS, WEIGHTS = "checkpoint.pt", "checkpoint-previous.pt", "weights.pt"


SHARE = 0.05
"""Of a training's time, checkpoints may take this much: on a GPU an epoch can be as short as a write."""


class Pace:
    """When a checkpoint is due: after the first epoch, then as often as `SHARE` allows."""

    def __init__(self) -> None:
        self._ended, self._took = float("-inf"), 0.0

    def due(self) -> bool:
        """Whether enough time has passed since the last one, for what that one took."""
        return (time.perf_counter() - self._ended) * SHARE >= self._took

    @contextlib.contextmanager
    def writing(self) -> Iterator[None]:
        """The block writes one."""
        begun = time.perf_counter()
        yield
        self._ended = time.perf_counter()
        self._took = self._ended - begun


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


def load(folder: Path, key: str, device: torch.device) -> dict[str, Any] | None:
    """The newest readable checkpoint made under train key `key`, None where there is none."""
    for name in (CURRENT, PREVIOUS):
        path = folder / name
        if not path.exists():
            continue
        try:
            state: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
        except (OSError, RuntimeError, EOFError, ValueError, pickle.UnpicklingError) as error:
            log.warning("%s can't be read (%s); trying an older one", path, error)
            continue
        if state.get("key") == key and "criterion" in state:
            return state
    return None


def discard(folder: Path) -> None:
    """Remove checkpoints once the final weights are on disk."""
    for name in (CURRENT, PREVIOUS):
        (folder / name).unlink(missing_ok=True)
