"""Checks of a loss on ordinary logits: it returns one number, always the same, and has no side effects."""

from __future__ import annotations

import math

import torch

from harness.measure.compute import Compute
from harness.testing.check import CheckFailed, CheckSkipped, attempt
from harness.testing.losses.fixtures import FINITE, build, dims_of, excluded, noisy, value_of
from harness.testing.scan import check_registered
from harness.testing.subject import Subject


def builds(subject: Subject) -> str:
    """The target, called with a task and the parameters, returns a torch.nn.Module."""
    with attempt(
        f"building {subject.record.target}",
        "Let it take (task, **params), with every default of the record as a parameter.",
    ):
        return type(build(subject)).__name__


def slices(subject: Subject) -> str:
    """For slices, with logits (B, K, H, W) and labels (B, H, W), the loss is a number with a gradient."""
    return _scalar(subject, 2)


def volumes(subject: Subject) -> str:
    """The same for volumes, (B, K, D, H, W), unless harness_compatible excludes 3D models."""
    return _scalar(subject, 3)


def registered(subject: Subject) -> str:
    """Class weights and other tensors are buffers, so that they move to a GPU."""
    return check_registered(build(subject), noisy(dims_of(subject)))


def repeatable(subject: Subject) -> str:
    """The same prediction always has the same loss: the loss has no internal counter or schedule."""
    dims = dims_of(subject)
    criterion = build(subject, dims)
    logits, labels = noisy(dims)
    first, *others = (value_of(criterion, logits, labels).item() for _ in range(4))
    if any(not math.isclose(first, other, rel_tol=1e-5, abs_tol=1e-7) for other in others):
        raise CheckFailed(
            f"four calls with the same prediction gave {first:.6g}, {', '.join(f'{v:.6g}' for v in others)}",
            "Keep no state between calls: a resumed run would train with another loss.",
        )
    return f"{first:.4g} four times"


def inputs(subject: Subject) -> str:
    """The loss does not modify logits or labels: labels stay in memory for all epochs."""
    logits, labels = noisy(dims_of(subject))
    passed_logits, passed_labels = logits.clone(), labels.clone()
    with attempt("forward", "Work on copies."):
        build(subject)(passed_logits, passed_labels)
    for name, before, after in (("logits", logits, passed_logits), ("labels", labels, passed_labels)):
        if not torch.equal(before, after):
            raise CheckFailed(f"modifies its argument {name}", f"Work on {name}.clone().")
    return "unchanged"


def layout(subject: Subject) -> str:
    """Logits in channels-last layout, as networks return them, have the same loss."""
    dims = dims_of(subject)
    logits, labels = noisy(dims)
    plain = value_of(build(subject, dims), logits, labels).item()
    with attempt("with channels-last logits", "Write reshape or flatten instead of view."):
        channels_last = value_of(build(subject, dims), Compute.channels_last(logits), labels).item()
    if not math.isclose(plain, channels_last, rel_tol=1e-3, abs_tol=1e-6):
        raise CheckFailed(
            f"is {channels_last:.6g} in channels-last layout, {plain:.6g} otherwise",
            "Don't read strides or raw memory.",
        )
    return "the same value"


def batch_order(subject: Subject) -> str:
    """The order of the images in a batch does not matter."""
    dims = dims_of(subject)
    logits, labels = noisy(dims)
    logits, labels = torch.cat([logits, 2 * logits]), torch.cat([labels, labels.flip(-1)])
    order = torch.tensor([2, 0, 3, 1])
    in_order = value_of(build(subject, dims), logits, labels).item()
    shuffled = value_of(build(subject, dims), logits[order], labels[order]).item()
    if not math.isclose(in_order, shuffled, rel_tol=1e-4, abs_tol=1e-6):
        raise CheckFailed(
            f"is {in_order:.6g}, but {shuffled:.6g} for the shuffled batch", "Treat all images alike."
        )
    return "4 images"


def _scalar(subject: Subject, dims: int) -> str:
    reason = excluded(subject, dims)
    if reason:
        raise CheckSkipped(reason)
    logits, labels = noisy(dims)
    shape = f"logits {tuple(logits.shape)} and labels {tuple(labels.shape)}"
    remedy = "Return a scalar tensor, or exclude these models in harness_compatible."
    otherwise = "Correct that line, or exclude these models in harness_compatible."
    with attempt(f"with {shape}", remedy, otherwise):
        value = value_of(build(subject, dims), logits, labels)
    if not value.isfinite():
        raise CheckFailed(f"is {value.item()} for ordinary logits", FINITE)
    return f"{value.item():z.4g}"
