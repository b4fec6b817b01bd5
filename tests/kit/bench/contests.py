"""All contests by name: what makes their work of its description, and their ways."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from bench import augmenting, predicting, preparing, training
from bench.work import Work

CONTESTS: dict[str, tuple[Callable[..., Any], dict[str, Callable[..., None]]]] = {
    "training": (Work, dict(training.WAYS)),
    "augmentation": (Work, dict(augmenting.WAYS)),
    "prediction": (Work, dict(predicting.WAYS)),
    "preparation": (preparing.Files, dict(preparing.WAYS)),
}


def device_name() -> str:
    """The GPU's name, or ``cpu``."""
    return torch.cuda.get_device_name(0) if torch.cuda.is_available() else "cpu"
