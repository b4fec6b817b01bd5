"""The loss under check, and logits of various quality for phantom labels."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor, nn
from torch.nn.functional import one_hot

from harness.contract.spec import ModelSpec
from harness.plugins.records import Dataset, Loss, Model
from harness.testing.phantom import phantom
from harness.testing.subject import Subject
from harness.train.build import check_loss, criterion_of, task_of

STRUCTURES = ("RV", "MYO", "LV")
CLASSES = len(STRUCTURES) + 1

CONFIDENT = 100.0
"""Logits of a fully confident network: exp(-200) is 0 in fp32, so a plain log gives infinity."""

FINITE = "Use log_softmax instead of log(softmax), and add a small number to denominators."


def build(subject: Subject, dims: int | None = None) -> nn.Module:
    """The loss, for a model of `dims`, by default of dimensions that it supports."""
    named = "a model"
    two_or_three: Literal[2, 3] = 3 if (dims or dims_of(subject)) == 3 else 2
    model = ModelSpec(name=named, label=named, version=1, params={}, dims=two_or_three)
    torch.manual_seed(0)
    return criterion_of(subject.loss, task_of(model, STRUCTURES, {}, 1))


def excluded(subject: Subject, dims: int) -> str | None:
    """Why models of `dims` can't be trained with the loss; None if they can."""
    assert isinstance(subject.record, Loss)
    model = Model("any", "any:any", dims, "any model")
    dataset = Dataset("any", "any:any", "any dataset", structures={n: i for i, n in enumerate(STRUCTURES, 1)})
    return subject.compatible(model, subject.record, dataset)


def dims_of(subject: Subject) -> int:
    """2, or 3 for a loss that supports only volumes."""
    return 3 if excluded(subject, 2) else 2


def noisy(dims: int) -> tuple[Tensor, Tensor]:
    """Noisy logits of a partly correct prediction, and the labels of the phantom."""
    _, labels = phantom(dims)
    logits = certain(labels, 0.5)
    return logits + torch.randn(logits.shape, generator=torch.Generator().manual_seed(0)), labels


def certain(labels: Tensor, sure: float = CONFIDENT) -> Tensor:
    """Logits `sure` for the class of `labels` and -`sure` for all others."""
    return sure * (2 * one_hot(labels, CLASSES).movedim(-1, 1).float().contiguous() - 1)


def value_of(criterion: nn.Module, logits: Tensor, labels: Tensor, learns: bool = True) -> Tensor:
    """The loss of copies, with a fixed seed; PluginError unless it is a scalar with a gradient."""
    copied = logits.clone(memory_format=torch.preserve_format)
    if learns and not copied.requires_grad:
        copied.requires_grad_()
    torch.manual_seed(0)
    value: Tensor = criterion(copied, labels.clone())
    if learns:
        check_loss(value)
    return value
