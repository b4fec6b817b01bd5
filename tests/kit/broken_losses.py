"""Losses with a mistake each, of the kinds that people make."""

import torch
from broken import Mistakes
from torch import nn
from torch.nn.functional import cross_entropy, one_hot

MISTAKES = Mistakes()
breaks = MISTAKES.breaks


def planes(logits, labels):
    """Probabilities and references ``(B, K, pixels)``."""
    p = logits.softmax(1)
    t = one_hot(labels, logits.shape[1]).movedim(-1, 1).to(p.dtype)
    return p.flatten(2), t.flatten(2)


class Loss(nn.Module):
    def __init__(self, task):
        super().__init__()


class Sound(Loss):
    """Dice and cross-entropy, without a mistake."""

    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        dice = (2 * (p * t).sum((0, 2)) + 1) / ((p + t).sum((0, 2)) + 1)
        return 1 - dice.mean() + cross_entropy(logits.float(), labels)


class PartlySingle(Sound):
    """One term in double precision and one in single: no mistake."""

    def forward(self, logits, labels):
        p, t = planes(logits, labels)
        return super().forward(logits, labels) + (1 - p * t).mean()


@breaks("builds")
class TakesNoTask(nn.Module):
    def forward(self, logits, labels):
        return cross_entropy(logits, labels)


@breaks("slices", "volumes")
class PerPixel(Loss):
    def forward(self, logits, labels):
        return cross_entropy(logits, labels, reduction="none")


@breaks("slices", "volumes")
class PlainNumber(Loss):
    def forward(self, logits, labels):
        return cross_entropy(logits, labels).item()


@breaks("slices", "volumes")
class OneHotLabels(Loss):
    def forward(self, logits, labels):
        return ((logits.softmax(1) - labels) ** 2).mean()


@breaks("slices", "volumes")
class NoGradient(Loss):
    def forward(self, logits, labels):
        return (logits.argmax(1) != labels).float().mean()


@breaks("volumes")
class SlicesOnly(Loss):
    def forward(self, logits, labels):
        logits = logits.float()
        return cross_entropy(logits.permute(0, 2, 3, 1).reshape(-1, logits.shape[1]), labels.flatten())


@breaks("registered")
class PlainWeights(Loss):
    def __init__(self, task):
        super().__init__(task)
        self.weights = torch.tensor(task.class_weights)

    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        return ((1 - p).clamp_min(0) * t).sum((0, 2)) @ self.weights


@breaks("repeatable")
class Schedule(Sound):
    def __init__(self, task):
        super().__init__(task)
        self.calls = 0

    def forward(self, logits, labels):
        self.calls += 1
        return super().forward(logits, labels) / self.calls


@breaks("inputs")
class ChangesLabels(Sound):
    def forward(self, logits, labels):
        labels.unsqueeze_(1)
        return super().forward(logits, labels[:, 0])


@breaks("inputs")
class ChangesLogits(Sound):
    def forward(self, logits, labels):
        with torch.no_grad():
            logits.sub_(logits.amax(1, keepdim=True))
        return super().forward(logits, labels)


@breaks("layout")
class Views(Sound):
    def forward(self, logits, labels):
        return super().forward(logits.view(-1).view_as(logits), labels)


@breaks("batch-order")
class FirstCountsMost(Loss):
    def forward(self, logits, labels):
        each = cross_entropy(logits.float(), labels, reduction="none").flatten(1).mean(1)
        return (each / torch.arange(1, len(each) + 1)).sum()


@breaks("perfect")
class RootOfDice(Loss):
    """The root's slope is infinite where all is right."""

    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        error = ((p - t) ** 2).flatten(1).sum(1)
        return error.sqrt().sum()


@breaks("perfect", "worst", "empty-target")
class ByHandBothWays(Loss):
    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        return -(t * p.log() + (1 - t) * (1 - p).log()).mean()


@breaks("worst")
class LogOfSoftmax(Loss):
    def forward(self, logits, labels):
        p, _ = planes(logits.float(), labels)
        return -p.gather(1, labels.flatten(1)[:, None]).log().mean()


@breaks("empty-target")
class GeneralisedDice(Loss):
    """Weights 1 / size²: infinite for a class that is absent."""

    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        weights = 1 / t.sum((0, 2)) ** 2
        return 1 - 2 * (weights * (p * t).sum((0, 2))).sum() / (weights * (p + t).sum((0, 2))).sum()


@breaks("one-class-target")
class PerBackground(Loss):
    def forward(self, logits, labels):
        total = cross_entropy(logits.float(), labels, reduction="sum")
        return total / (labels == 0).sum()


class _WrongBackward(torch.autograd.Function):
    @staticmethod
    def forward(ctx, p):
        ctx.save_for_backward(p)
        return p**2

    @staticmethod
    def backward(ctx, given):
        (p,) = ctx.saved_tensors
        return given * p


@breaks("gradient")
class WrongBackward(Loss):
    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        return _WrongBackward.apply(p - t).mean()


@breaks("gradient")
class DetachedWeight(Loss):
    """Focal loss whose factor is not differentiated, unlike the published one."""

    def forward(self, logits, labels):
        each = cross_entropy(logits, labels, reduction="none")
        return ((1 - (-each).exp()).detach() ** 2 * each).mean()


@breaks("half")
class SumsInHalf(Loss):
    def forward(self, logits, labels):
        p, t = planes(logits, labels)
        return 1 - 2 * (p * t).sum() / (p + t).sum()


@breaks("half", "gradient")
class OnePrecision(Loss):
    def forward(self, logits, labels):
        p, t = planes(logits, labels)
        return 1 - (p * t).sum(1).mean(0) @ torch.full((p.shape[2],), 1 / p.shape[2])


@breaks("better-costs-less")
class WrongSign(Loss):
    def forward(self, logits, labels):
        p, t = planes(logits.float(), labels)
        return (2 * (p * t).sum() + 1) / ((p + t).sum() + 1)


@breaks("better-costs-less")
class RewardsDoubt(Sound):
    """A bonus for entropy that outweighs the rest."""

    def forward(self, logits, labels):
        p, _ = planes(logits.float(), labels)
        return super().forward(logits, labels) + 8 * (p**2).sum(1).mean()


@breaks("descends")
class TooSmall(Sound):
    def forward(self, logits, labels):
        return 1e-12 * super().forward(logits, labels)
