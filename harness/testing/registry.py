"""The checks of each kind of plugin, in the order in which they run."""

from __future__ import annotations

from collections.abc import Mapping

from harness.plugins.records import Kind
from harness.testing.check import Check

Needs = Mapping[str, tuple[str, ...]]
"""Checks by id, with the checks that must pass before."""

_FIRST: Mapping[str, Needs] = {"registration": {"registration": (), "light": ()}}
"""The checks of every kind, before anything is built."""

_CHECKS: Mapping[Kind, Mapping[str, Needs]] = {
    "model": {
        "models.shapes": {
            "builds": (),
            "shapes": ("builds",),
            "odd-sizes": ("shapes",),
            "depths": ("shapes",),
            "task": ("shapes",),
            "logits": ("shapes",),
        },
        "models.training": {
            "gradients": ("shapes",),
            "seeded": ("gradients",),
            "registered": ("builds",),
            "layout": ("gradients", "eval-repeatable", "eval-trace"),
            "autocast": ("gradients",),
            "flat-image": ("gradients",),
        },
        "models.evaluation": {
            "eval-repeatable": ("shapes",),
            "eval-batch": ("eval-repeatable", "eval-trace"),
            "eval-trace": ("shapes",),
            "input": ("shapes",),
            "state-dict": ("registered", "eval-repeatable", "gradients"),
        },
        "models.costs": {"parameters": ("builds",), "flops": ("shapes",), "step": ("layout", "autocast")},
    },
    "loss": {
        "losses.calls": {
            "builds": (),
            "slices": ("builds",),
            "volumes": ("builds",),
            "registered": ("builds",),
            "repeatable": ("slices",),
            "inputs": ("slices",),
            "layout": ("slices",),
            "batch-order": ("repeatable",),
        },
        "losses.extremes": {
            "perfect": ("slices",),
            "worst": ("slices",),
            "empty-target": ("slices",),
            "one-class-target": ("slices", "empty-target"),
            "half": ("slices", "registered"),
        },
        "losses.descent": {
            "gradient": ("slices", "registered", "repeatable"),
            "better-costs-less": ("repeatable",),
            "descends": ("gradient",),
        },
    },
    "dataset": {
        "datasets.listing": {
            "opens": (),
            "lazy": ("opens",),
            "ids": ("opens",),
            "phases": ("opens",),
            "split": ("opens",),
        },
        "datasets.reading": {
            "reads": ("opens",),
            "spacing": ("reads",),
            "grids": ("reads",),
            "intensities": ("grids",),
            "channels": ("grids",),
            "label-values": ("grids",),
        },
        "datasets.stability": {
            "files": ("reads",),
            "rereads": ("reads",),
            "threads": ("rereads",),
            "manifest": ("ids", "files", "threads", "spacing", "label-values", "intensities", "channels"),
        },
    },
}

_INFORM = {"parameters", "flops", "step"}


def checks_for(kind: Kind) -> tuple[Check, ...]:
    """All checks of plugins of `kind`; does not import them."""
    return tuple(
        Check(id_, kind, f"harness.testing.{module}", needs, id_ in _INFORM)
        for module, checks in {**_FIRST, **_CHECKS.get(kind, {})}.items()
        for id_, needs in checks.items()
    )
