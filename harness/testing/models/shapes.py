"""What a network must do with any input: logits, of the task's classes and the input's size."""

from __future__ import annotations

import torch

from harness.measure import cost
from harness.testing.check import CheckFailed, attempt
from harness.testing.models.given import BASE, STRUCTURES, build, by, dims_of, forward, images_of
from harness.testing.subject import Subject

SHAPES = {
    2: ((1, (64, 64)), (2, (64, 96)), (3, (96, 64))),
    3: ((1, (4, 64, 64)), (2, (8, 64, 64)), (3, (4, 64, 96))),
}
ODD = {2: ((65, 47), (50, 77)), 3: ((4, 65, 47), (4, 50, 77))}
DEPTHS = (1, 3, 5)


def builds(subject: Subject) -> str:
    """The target, called with a task and the parameters, gives a torch.nn.Module that can be trained."""
    with attempt(
        f"building {subject.record.target}",
        "Let it take (task, **params), every default of the record among the parameters.",
    ):
        model, _ = build(subject)
    trainable = cost.parameters(model)
    if not trainable:
        raise CheckFailed(
            "has no parameter to train", "Give the network layers, as attributes of the module."
        )
    return f"{type(model).__name__}, {len(list(model.parameters()))} tensors"


@torch.no_grad()
def shapes(subject: Subject) -> str:
    """Logits are floats (B, K, …) of the input's size, for several sizes, depths and batch sizes."""
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
    """Height and width need not be multiples of anything."""
    model, task = build(subject)
    model.eval()
    remedy = "Pad the input below and right to a multiple of your strides, and crop the logits back."
    for size in ODD[dims_of(subject)]:
        forward(model, images_of(task, size, 1), task, remedy)
    return ", ".join(by(size) for size in ODD[dims_of(subject)])


@torch.no_grad()
def depths(subject: Subject) -> str:
    """A 3D network takes any number of slices: hearts have from 6 to 20, and some scans one."""
    if dims_of(subject) == 2:
        return "takes slices"
    model, task = build(subject)
    model.eval()
    remedy = "Don't pool along z, or pad the slices to a multiple and crop the logits back."
    for depth in DEPTHS:
        forward(model, images_of(task, (depth, *BASE[3][1:]), 1), task, remedy)
    return f"{', '.join(map(str, DEPTHS))} slices"


@torch.no_grad()
def task(subject: Subject) -> str:
    """Input channels and classes are the task's, not the plugin's own numbers."""
    for channels, structures in ((2, STRUCTURES), (1, ("organ",)), (3, ("a", "b", "c", "d", "e"))):
        told = f"with {channels} image channels and {len(structures) + 1} classes"
        with attempt(told, "Take task.channels and task.classes."):
            model, task = build(subject, channels, structures)
        forward(model.eval(), images_of(task, batch=1), task, "Take task.channels and task.classes.", told)
    return "2, 4 and 6 classes; 1, 2 and 3 channels"


@torch.no_grad()
def logits(subject: Subject) -> str:
    """Logits, not probabilities: losses and the harness apply softmax themselves."""
    model, task = build(subject)
    given = forward(model.eval(), 3 * images_of(task), task)
    low, high = given.min().item(), given.max().item()
    if low >= 0 and high <= 1 and high > low:
        raise CheckFailed(
            "all values lie between 0 and 1, as probabilities do",
            "Leave the softmax or sigmoid at the end away.",
        )
    return f"from {low:.2g} to {high:.2g}"
