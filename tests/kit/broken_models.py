"""Networks with a mistake each, of the kinds that people make."""

import random

import torch
from broken import Mistakes
from torch import nn
from torch.nn import functional as F

MISTAKES = Mistakes()
breaks = MISTAKES.breaks


class Net(nn.Module):
    """A network without a mistake, whose ways to go wrong are overridden."""

    def __init__(self, task, channels=None, classes=None):
        super().__init__()
        conv, norm = (nn.Conv2d, nn.BatchNorm2d) if task.dims == 2 else (nn.Conv3d, nn.BatchNorm3d)
        self.first = conv(channels or task.channels, 8, 3, padding=1)
        self.norm = norm(8)
        self.last = conv(8, classes or task.classes, 1)

    def forward(self, x):
        return self.after(self.last(self.within(F.relu(self.norm(self.first(self.before(x)))))))

    def before(self, x):
        return x

    def within(self, x):
        return x

    def after(self, x):
        return x


def sound(task):
    return Net(task)


@breaks("builds")
def takes_no_task():
    return nn.Conv2d(1, 4, 1)


@breaks("builds")
def gives_a_function(task):
    return Net(task).forward


@breaks("builds")
class NothingToTrain(nn.Module):
    def __init__(self, task):
        super().__init__()
        self.classes = task.classes

    def forward(self, x):
        return x.expand(-1, self.classes, -1, -1)


@breaks("shapes")
def forgets_the_background(task):
    return Net(task, classes=task.classes - 1)


@breaks("shapes")
class HalfResolution(Net):
    def after(self, x):
        return F.avg_pool2d(x, 2)


@breaks("shapes")
class ListOfScales(Net):
    def after(self, x):
        return [x, F.avg_pool2d(x, 2)]


@breaks("shapes")
class SmallBatchesOnly(Net):
    def before(self, x):
        if len(x) > 2:
            raise ValueError("two images at most")
        return x


@breaks("shapes")
class Labels(Net):
    def after(self, x):
        return (x == x.amax(1, keepdim=True)).long()


@breaks("shapes")
class SquareOnly(Net):
    def within(self, x):
        return x + x.mT


@breaks("odd-sizes")
class NoPadding(Net):
    def within(self, x):
        return x + F.interpolate(F.max_pool2d(x, 4), scale_factor=4)


@breaks("depths", dims=3)
class PoolsAlongZ(Net):
    def within(self, x):
        return x + F.interpolate(F.max_pool3d(x, (2, 1, 1)), scale_factor=(2, 1, 1))


@breaks("depths", dims=3)
class OneDepth(Net):
    """Position embeddings for an even number of slices."""

    def before(self, x):
        return x + torch.ones(2).repeat(x.shape[2] // 2)[:, None, None].to(x)


@breaks("task")
def one_channel(task):
    return Net(task, channels=1)


@breaks("task")
def four_classes(task):
    return Net(task, classes=4)


@breaks("logits")
class Softmax(Net):
    def after(self, x):
        return x.softmax(1)


@breaks("logits")
class Sigmoid(Net):
    def after(self, x):
        return x.sigmoid()


@breaks("gradients")
class Detached(Net):
    def within(self, x):
        return x.detach()


@breaks("gradients")
class ForgottenLayer(Net):
    def __init__(self, task):
        super().__init__(task)
        self.attention = nn.Conv2d(8, 1, 1)


@breaks("gradients")
class ThroughNumpy(Net):
    def before(self, x):
        return x * torch.from_numpy(self.first.weight.detach().numpy()).mean()

    def after(self, x):
        return torch.from_numpy(x.detach().numpy())


@breaks("seeded")
class FixedSeed(Net):
    def __init__(self, task):
        torch.manual_seed(42)
        super().__init__(task)


@breaks("seeded")
class OwnDice(Net):
    def __init__(self, task):
        super().__init__(task)
        with torch.no_grad():
            self.first.weight.mul_(random.SystemRandom().uniform(0.5, 1.5))


@breaks("registered")
class PlainTensor(Net):
    def __init__(self, task):
        super().__init__(task)
        self.scale = torch.ones(8, 1, 1)

    def within(self, x):
        return x * self.scale


@breaks("registered")
class ListOfLayers(Net):
    def __init__(self, task):
        super().__init__(task)
        self.more = [nn.Conv2d(8, 8, 1)]

    def within(self, x):
        return self.more[0](x)


@breaks("layout")
class Views(Net):
    def within(self, x):
        return x * x.view(len(x), -1).mean(1)[:, None, None, None]


@breaks("autocast")
class FixedPrecision(Net):
    def after(self, x):
        copied = torch.zeros(x.shape)
        copied[x > -1e9] = x.flatten()
        return copied


@breaks("autocast")
class LogOfSigmoid(Net):
    """In bfloat16 the sigmoid of 8 is 1, and the log of 0 infinite."""

    def after(self, x):
        return x + (1 - (x + 8).sigmoid()).log()


@breaks("flat-image")
class DividesByDeviation(Net):
    def before(self, x):
        return (x - x.mean((1, 2, 3), keepdim=True)) / x.std((1, 2, 3), keepdim=True)


@breaks("eval-repeatable")
class AlwaysDropout(Net):
    def within(self, x):
        return F.dropout(x, 0.5)


@breaks("eval-batch")
class BatchStatistics(Net):
    def __init__(self, task):
        super().__init__(task)
        self.norm = nn.BatchNorm2d(8, track_running_stats=False)


@breaks("eval-batch")
class BatchMean(Net):
    def before(self, x):
        return x - x.mean()


@breaks("eval-trace")
class Counts(Net):
    seen: torch.Tensor

    def __init__(self, task):
        super().__init__(task)
        self.register_buffer("seen", torch.zeros((), dtype=torch.int64))

    def before(self, x):
        self.seen += len(x)
        return x


@breaks("eval-trace")
class BackToTraining(Net):
    def after(self, x):
        self.norm.training = True
        return x


@breaks("input")
class InPlace(Net):
    def before(self, x):
        return x.sub_(x.mean((1, 2, 3), keepdim=True))


@breaks("state-dict")
class DrawnNumber(Net):
    def __init__(self, task):
        super().__init__(task)
        self.scale = 1 + torch.rand(()).item()

    def within(self, x):
        return x * self.scale


@breaks("state-dict")
class NotPersistent(Net):
    def __init__(self, task):
        super().__init__(task)
        self.register_buffer("scale", torch.rand(8, 1, 1), persistent=False)

    def within(self, x):
        return x * self.scale


@breaks("state-dict")
class RefusesItsOwnWeights(Net):
    def load_state_dict(self, state_dict, strict=True, assign=False):
        return super().load_state_dict({f"net.{name}": value for name, value in state_dict.items()})


class Scratch(Net):
    """Keeps outputs in a list whose first content nobody reads: no mistake."""

    def __init__(self, task):
        super().__init__(task)
        self.seen = [torch.rand(1)]

    def within(self, x):
        self.seen[0] = x
        return self.seen[0]


class MovesItself(Net):
    """A constant that follows by hand: no mistake."""

    def __init__(self, task):
        super().__init__(task)
        self.scale = torch.full((8, 1, 1), 0.5)

    def within(self, x):
        return x * self.scale.to(x)
