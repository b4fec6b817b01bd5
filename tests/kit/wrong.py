"""A plugin file whose mistakes are on lines marked ``# name``, for tests that such a line is told."""

from functools import partial

from harness import Case, Dataset, Loss, Model, hookimpl


@hookimpl
def harness_models():
    yield Model("wrong-forward", "wrong:forward", 2, "raises in forward")
    yield Model("wrong-layer", "wrong:layer", 2, "has a layer that does not fit")
    yield Model("wrong-backward", "wrong:backward", 2, "raises on the way back")


@hookimpl
def harness_losses():
    yield Loss("wrong-loss", "wrong:loss", "raises")


@hookimpl
def harness_datasets():
    yield Dataset("wrong-reading", "wrong:Reading", "raises when read", structures={"LV": 1})
    yield Dataset("wrong-listing", "wrong:Listing", "raises when listed", structures={"LV": 1})


def forward(task):
    from torch import nn

    class Net(nn.Conv2d):
        def forward(self, x):
            return x.no_such_thing  # wrong-forward

    return Net(task.channels, task.classes, 1)


def layer(task):  # wrong-layer
    from torch import nn

    return nn.Conv2d(7, task.classes, 1)


def backward(task):
    import torch
    from torch import nn

    class Step(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.clone()

        @staticmethod
        def backward(ctx, given):
            raise ZeroDivisionError("on the way back")  # wrong-backward

    class Net(nn.Conv2d):
        def forward(self, x):
            return Step.apply(super().forward(x))

    return Net(task.channels, task.classes, 1)


def loss(task):
    from torch import nn

    class Wrong(nn.Module):
        def forward(self, logits, labels):
            return logits.mean() / len(logits.mean)  # wrong-loss

    return Wrong()


class Reading:
    def __init__(self, root):
        self.root = root

    def cases(self):
        return [Case("a", "a", None, partial(read, self.root / "a"), part="train")]


def read(path):
    return path.read_bytes()  # wrong-reading


class Listing(Reading):
    def cases(self):
        return [1 / 0]  # wrong-listing
