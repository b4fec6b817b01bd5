"""Checks of the output of a network: logits with the task's classes and the input's size."""

from __future__ import annotations

import torch

from harness.measure import cost
from harness.testing.check import CheckFailed, attempt
from harness.testing.models.fixtures import BASE, STRUCTURES, build, by, dims_of, forward, images_of
from harness.testing.subject import Subject

SHAPES = {
    2: ((1, (64, 64)), (2, (64, 96)), (3, (96, 64))),
    3: ((1, (4, 64, 64)), (2, (8, 64, 64)), (3, (4, 64, 96))),
}
ODD = {2: ((65, 47), (50, 77)), 3: ((4, 65, 47), (4, 50, 77))}
DEPTHS = (1, 3, 5)


def builds(subject: Subject) -> str:
    """The target, called with a task and the parameters, returns a trainable torch.nn.Module."""
    with attempt(
        f"building {subject.record.target}",
        "Let it take (task, **params), with every default of the record as a parameter.",
    ):
        model, _ = build(subject)
    trainable = cost.parameters(model)
    if not trainable:
        raise CheckFailed(
            "has no trainable parameter", "Give the network layers, as attributes of the module."
        )
    return f"{type(model).__name__}, {len(list(model.parameters()))} tensors"


@torch.no_grad()
def shapes(subject: Subject) -> str:
    """The logits are floats (B, K, …) of the input's size, for several sizes, depths and batch sizes."""
    model, task = build(subject)
    model.eval()
    for batch, size in SHAPES[dims_of(subject)]:
        logits = forward(model, images_of(task, size, batch), task)
        if not logits.is_floating_point() or not logits.isfinite().all():
            raise CheckFailed(
                f"logits for input {(batch, task.channels, *size)} are {logits.dtype}, or not finite",
                "Return unnormalised scores as floats.",
            )
    return f"{', '.join(by(size) for _, size in SHAPES[dims_of(subject)])}; batches of 1, 2, 3"


@torch.no_grad()
def odd_sizes(subject: Subject) -> str:
    """Height and width can be any numbers."""
    model, task = build(subject)
    model.eval()
    remedy = "Pad the input at the bottom and right to a multiple of your strides, and crop the logits."
    for size in ODD[dims_of(subject)]:
        forward(model, images_of(task, size, 1), task, remedy)
    return ", ".join(by(size) for size in ODD[dims_of(subject)])


@torch.no_grad()
def depths(subject: Subject) -> str:
    """A 3D network takes any number of slices: most scans have 6 to 20, and some have one."""
    if dims_of(subject) == 2:
        return "a 2D network"
    model, task = build(subject)
    model.eval()
    remedy = "Don't pool along z, or pad the slices to a multiple and crop the logits."
    for depth in DEPTHS:
        forward(model, images_of(task, (depth, *BASE[3][1:]), 1), task, remedy)
    return f"{', '.join(map(str, DEPTHS))} slices"


@torch.no_grad()
def task(subject: Subject) -> str:
    """The numbers of input channels and classes are taken from the task."""
    for channels, structures in ((2, STRUCTURES), (1, ("organ",)), (3, ("a", "b", "c", "d", "e"))):
        doing = f"with {channels} image channels and {len(structures) + 1} classes"
        with attempt(doing, "Use task.channels and task.classes."):
            model, task = build(subject, channels, structures)
        forward(model.eval(), images_of(task, batch=1), task, "Use task.channels and task.classes.", doing)
    return "2, 4 and 6 classes; 1, 2 and 3 channels"


@torch.no_grad()
def logits(subject: Subject) -> str:
    """The output is logits, not probabilities: losses and the harness apply softmax."""
    model, task = build(subject)
    output = forward(model.eval(), 3 * images_of(task), task)
    low, high = output.min().item(), output.max().item()
    if low >= 0 and high <= 1 and high > low:
        raise CheckFailed(
            "all values lie between 0 and 1, like probabilities",
            "Remove the final softmax or sigmoid.",
        )
    return f"from {low:.2g} to {high:.2g}"
