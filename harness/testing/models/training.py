"""Checks of training: all parameters learn, the seed determines everything, and values stay finite."""

from __future__ import annotations

import torch
from torch import nn

from harness.measure.compute import Compute
from harness.measure.flat_volumes import in_full_precision
from harness.testing.check import CheckFailed, attempt
from harness.testing.models.fixtures import (
    build,
    check_finite,
    close,
    difference,
    forward,
    images_of,
    labels_of,
    loss_of,
    outputs,
    same,
    take_step,
)
from harness.testing.scan import check_registered
from harness.testing.subject import Subject
from harness.train.supervise import supervised

CHANNELS_LAST = "Use reshape instead of view: the harness passes channels-last tensors."


def gradients(subject: Subject) -> str:
    """Every trainable parameter gets a finite, nonzero gradient within three steps."""
    silent: set[str] | None = None
    # A unit can be dead by chance: a second set of weights decides.
    for seed in (0, 1):
        silent_for_seed, total = _silent(subject, seed)
        silent = silent_for_seed if silent is None else silent & silent_for_seed
        if not silent:
            return f"all {total} tensors"
    assert silent is not None
    named = ", ".join(sorted(silent)[:4]) + (", …" if len(silent) > 4 else "")
    raise CheckFailed(
        f"no gradient reaches {named}",
        "Use these layers in forward, without detach() or no_grad(); or remove or freeze them.",
    )


def seeded(subject: Subject) -> str:
    """The run's seed alone determines the weights and all randomness in training."""
    remedy = "Use torch's global generator, and never seed it."
    states, outputs, generators = [], [], []
    for seed in (0, 0, 1):
        model, task = build(subject, seed=seed)
        generators.append(torch.get_rng_state())
        states.append({name: value.clone() for name, value in model.state_dict().items()})
        torch.manual_seed(seed)
        outputs.append(forward(model.train(), images_of(task), task).detach())
    different = next((name for name in states[0] if not same(states[0][name], states[1].get(name))), None)
    if different is not None:
        raise CheckFailed(f"two networks with the same seed differ in {different}", remedy)
    if not close(outputs[0], outputs[1]):
        raise CheckFailed("two networks with the same seed give different logits in training", remedy)
    if torch.equal(generators[0], generators[2]):
        raise CheckFailed("sets torch's seed, so all seeds of a leaderboard give the same result", remedy)
    return "seeds 0, 0 and 1"


def registered(subject: Subject) -> str:
    """All tensors and layers are registered with PyTorch, so that GPUs and checkpoints include them."""
    model, task = build(subject)
    return check_registered(model, [images_of(task)])


def layout(subject: Subject) -> str:
    """Channels-last images, as the harness passes them, give the same logits."""
    model, task = build(subject)
    images = images_of(task)
    with torch.no_grad():
        plain = forward(model.eval(), images, task)
    model = Compute(torch.device("cpu"), "fp32").place(model, task.dims)
    with torch.no_grad():
        channels_last = forward(model, Compute.channels_last(images), task, CHANNELS_LAST)
    if not close(plain, channels_last, 1e-3):
        raise CheckFailed(
            f"logits of the same images in channels-last layout differ by {difference(plain, channels_last)}",
            "Don't read strides or raw memory.",
        )
    with attempt("a training step in channels-last layout", CHANNELS_LAST):
        loss_of(model.train(), Compute.channels_last(images), task).backward()  # type: ignore[no-untyped-call]
    return "the same logits"


def autocast(subject: Subject) -> str:
    """Under bfloat16 autocast, as in runs on newer hardware, a training step stays finite."""
    model, task = build(subject)
    in_full_precision(model)
    remedy = (
        "Create tensors with the dtype of those they are combined with, and compute in fp32 what overflows."
    )
    images = images_of(task)
    with attempt("a training step under torch.autocast(dtype=torch.bfloat16)", remedy):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            returned = outputs(model.train(), images, task)
        loss = supervised(nn.CrossEntropyLoss(), returned, labels_of(task, images))
        loss.backward()  # type: ignore[no-untyped-call]  # torch has no stub
    check_finite(model, returned[0], "under autocast", remedy)
    return "bfloat16"


def flat_image(subject: Subject) -> str:
    """A constant image, such as the padding of a small scan, gives finite logits and gradients."""
    model, task = build(subject)
    images = torch.zeros_like(images_of(task))
    remedy = "Add a small number to standard deviations and other denominators."
    with attempt("a training step on a flat image", remedy):
        returned = outputs(model.train(), images, task)
        loss = supervised(nn.CrossEntropyLoss(), returned, labels_of(task, images))
        loss.backward()  # type: ignore[no-untyped-call]
    check_finite(model, returned[0], "for a flat image", remedy)
    with torch.no_grad():
        check_finite(model, forward(model.eval(), images, task), "for a flat image in eval mode", remedy)
    return "zeros"


def _silent(subject: Subject, seed: int) -> tuple[set[str], int]:
    """The trainable tensors without a nonzero gradient in three steps, and the number of all of them."""
    model, task = build(subject, seed=seed)
    # Freezing weights is allowed.
    silent = {name for name, value in model.named_parameters() if value.requires_grad}
    total = len(silent)
    optimiser = torch.optim.AdamW(model.parameters(), lr=1e-3)
    for number in range(3):
        images = images_of(task, seed=number)
        with attempt("a training step", "Let forward build the graph: don't use no_grad(), numpy or .data."):
            take_step(model, images, labels_of(task, images, number), optimiser)
        for name, value in model.named_parameters():
            if value.grad is None or name not in silent:
                continue
            if not value.grad.isfinite().all():
                raise CheckFailed(
                    f"the gradient of {name} is not finite", "Look for a division by zero or a root of zero."
                )
            if value.grad.any():
                silent.discard(name)
        if not silent:
            break
    return silent, total
