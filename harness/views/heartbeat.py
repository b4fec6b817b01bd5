"""The heartbeat of a run as text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from harness.tables.units import duration


def progress_text(heartbeat: Mapping[str, Any]) -> str:
    """The phase of a run; in training: loss, validation Dice and the time left."""
    phase = heartbeat.get("phase", "start")
    if phase == "prepare" and "cases" in heartbeat:
        return f"preparing {heartbeat['prepared']}/{heartbeat['cases']} cases"
    if phase == "predict" and "volumes" in heartbeat:
        return f"predicting {heartbeat['predicted']}/{heartbeat['volumes']} volumes"
    if phase != "train" or "epochs" not in heartbeat:
        return str(phase)
    words = []
    if "loss" in heartbeat:
        words.append(f"loss {heartbeat['loss']:.3f}")
    if "validation_dice" in heartbeat:
        words.append(f"Dice {heartbeat['validation_dice']:.3f}")
    # Excludes the first step, which also tunes and compiles.
    if heartbeat.get("work_timed") and heartbeat.get("train_s"):
        left = heartbeat["train_s"] / heartbeat["work_timed"] * heartbeat["work_left"]
        words.append(f"{duration(left)} left")
    return ", ".join(words) or "training"
