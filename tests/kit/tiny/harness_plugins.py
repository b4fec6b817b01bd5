"""Plugins for tests: hearts of a few pixels, a net of two convolutions, and plugins that fail.

The harness finds this file as it finds a user's, beside harness.toml.
"""

from functools import partial
from typing import Literal

from harness import Case, Dataset, Loss, Model, Volume, hookimpl


@hookimpl
def harness_datasets():
    yield Dataset(
        "tiny",
        "harness_plugins:Tiny",
        summary="discs in a ring",
        structures={"RV": 1, "MYO": 2, "LV": 3},
        phases=("ED", "ES"),
        defaults={"patients": 8, "test": 2},
    )


@hookimpl
def harness_models():
    yield Model("tiny-net", "harness_plugins:net", 2, summary="two convolutions", defaults={"maps": 8})
    yield Model("tiny-net-3d", "harness_plugins:net3d", 3, summary="two convolutions", defaults={"maps": 4})
    yield Model("slow", "harness_plugins:slow", 2, summary="takes its time", defaults={"pause_s": 0.1})
    yield Model("wrong-shape", "harness_plugins:wrong_shape", 2, summary="forgets a class")
    yield Model("raises", "harness_plugins:raises", 2, summary="raises in forward")
    yield Model("hungry", "harness_plugins:hungry", 2, summary="wants more memory than there is")
    yield Model("dies", "harness_plugins:dies", 2, summary="takes its process down")


@hookimpl
def harness_losses():
    yield Loss("nan-loss", "harness_plugins:nan_loss", summary="is not a number")


class Tiny:
    def __init__(self, root, patients, test):
        self.patients, self.test = patients, test

    def cases(self):
        for number in range(self.patients):
            part: Literal["train", "test"] = "test" if number >= self.patients - self.test else "train"
            for phase in ("ED", "ES"):
                patient = f"p{number:02}"
                yield Case(
                    f"{patient}_{phase}",
                    patient,
                    phase,
                    partial(heart, number, phase),
                    group="AB"[number % 2],
                    part=part,
                )


def heart(number, phase):
    import numpy as np

    noise = np.random.default_rng([number, phase == "ES"])
    y, x = np.mgrid[:24, :24]
    cy, cx = 12 + noise.uniform(-2, 2, size=2)
    radius = 5.5 if phase == "ED" else 4.5
    distance = np.hypot(y - cy, x - cx)
    labels = np.zeros((3, 24, 24), np.uint8)
    labels[:, np.hypot(y - cy, x - cx + 8) < 3] = 1
    labels[:, distance < radius] = 2
    labels[:, distance < radius - 2] = 3
    bright = np.array([0.0, 60.0, 25.0, 90.0])
    image = bright[labels] + noise.normal(0, 5, labels.shape)
    return Volume(image[None].astype(np.float32), labels, (8.0, 1.5, 1.5))


def net(task, maps=8):
    from torch import nn

    return nn.Sequential(
        nn.Conv2d(task.channels, maps, 3, padding=1), nn.ReLU(), nn.Conv2d(maps, task.classes, 3, padding=1)
    )


def net3d(task, maps=4):
    from torch import nn

    return nn.Sequential(
        nn.Conv3d(task.channels, maps, 3, padding=1), nn.ReLU(), nn.Conv3d(maps, task.classes, 3, padding=1)
    )


def _wrapped(task, before):
    from torch import nn

    class Wrapped(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = net(task)

        def forward(self, x):
            before(x)
            return self.net(x)

    return Wrapped()


def slow(task, pause_s=0.1):
    import pathlib
    import time

    hurry = pathlib.Path(__file__).with_name("hurry")
    return _wrapped(task, lambda x: time.sleep(0 if hurry.exists() else pause_s))


def wrong_shape(task):
    from torch import nn

    return nn.Conv2d(task.channels, task.classes - 1, 1)


def raises(task):
    def fail(x):
        raise RuntimeError("something in my network\nis wrong")

    return _wrapped(task, fail)


def hungry(task):
    import torch

    return _wrapped(task, lambda x: torch.empty(2**60))


def dies(task):
    import os
    import signal

    return _wrapped(task, lambda x: os.kill(os.getpid(), signal.SIGKILL))


def nan_loss(task):
    from torch import nn

    class NaN(nn.Module):
        def forward(self, logits, labels):
            return logits.mean() * float("nan")

    return NaN()
