"""Checks of prediction: the logits depend only on the image and the saved weights."""

from __future__ import annotations

import io

import torch

from harness.testing.check import CheckFailed, attempt
from harness.testing.models.fixtures import (
    build,
    close,
    difference,
    forward,
    images_of,
    labels_of,
    same,
    take_step,
)
from harness.testing.subject import Subject


@torch.no_grad()
def eval_repeatable(subject: Subject) -> str:
    """In eval mode, the same image always gives the same logits."""
    model, task = build(subject)
    images = images_of(task)
    first, second = (forward(model.eval(), images, task) for _ in range(2))
    if not close(first, second):
        raise CheckFailed(
            f"two predictions of the same images differ by {difference(first, second)}",
            "Switch off dropout and noise in eval mode: use nn.Dropout, or check self.training.",
        )
    return "identical twice"


@torch.no_grad()
def eval_batch(subject: Subject) -> str:
    """In eval mode, the logits of an image don't depend on the other images in the batch."""
    model, task = build(subject)
    images = images_of(task, batch=3)
    images[1:] = 4 * images[1:] + 2
    together = forward(model.eval(), images, task)[:1]
    alone = forward(model, images[:1], task)
    if not close(together, alone, 1e-3):
        raise CheckFailed(
            f"the logits of an image alone and in a batch of three differ by {difference(together, alone)}",
            "Use statistics of each image, or running ones (track_running_stats=True), never over dim 0.",
        )
    return "alone and in a batch of 3"


@torch.no_grad()
def eval_trace(subject: Subject) -> str:
    """Prediction has no side effects: weights, buffers and mode don't change in eval mode."""
    model, task = build(subject)
    before = {name: value.clone() for name, value in model.eval().state_dict().items()}
    forward(model, images_of(task), task)
    after = model.state_dict()
    changed = next((name for name in before if not same(before[name], after.get(name))), None)
    if changed is not None:
        raise CheckFailed(f"{changed} changes during prediction", "Change it only if self.training.")
    if any(part.training for part in model.modules()):
        raise CheckFailed(
            "forward switches back to training mode", "Leave train() and eval() to the harness."
        )
    return f"{len(before)} tensors unchanged"


@torch.no_grad()
def input(subject: Subject) -> str:
    """Forward does not modify its input."""
    model, task = build(subject)
    images = images_of(task)
    passed = images.clone()
    with attempt("forward", "Correct that line."):
        model.eval()(passed)
    if not torch.equal(images, passed):
        raise CheckFailed(
            "forward modifies its input",
            "Write x = x - y instead of x -= y, and don't use inplace=True on the input.",
        )
    return "unchanged"


def state_dict(subject: Subject) -> str:
    """A new network with the saved weights gives the same logits, so a run can be resumed and can predict."""
    remedy = "Keep everything that determines the output in parameters and persistent buffers."
    trained, task = build(subject)
    images = images_of(task)
    take_step(trained, images, labels_of(task, images), torch.optim.SGD(trained.parameters(), lr=0.1))
    fresh, _ = build(subject, seed=1)
    with attempt("saving and loading state_dict()", remedy):
        file = io.BytesIO()
        torch.save(trained.state_dict(), file)
        file.seek(0)
        fresh.load_state_dict(torch.load(file, weights_only=True))
    with torch.no_grad():
        first, second = (forward(model.eval(), images, task) for model in (trained, fresh))
    if not close(first, second):
        raise CheckFailed(
            f"a network with loaded weights gives logits that differ by {difference(first, second)}", remedy
        )
    return f"{len(trained.state_dict())} tensors"
