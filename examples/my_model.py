"""A model in a single file, without packaging: ``harness run quick -p examples/my_model.py -m dilated``.

The file is read whenever plugins are listed. So torch is imported inside the factory, by the run
that trains the network; an import at the top of the file would slow down every command.
"""

from harness import Model, hookimpl


@hookimpl
def harness_models():
    yield Model("dilated", "my_model:dilated", dims=2, summary="dilated convolutions", defaults={"width": 32})


def dilated(task, width):
    """`task` gives the image channels (context slices included) and the classes (background included)."""
    from torch import nn

    layers, channels = [], task.channels
    for dilation in (1, 2, 4, 8, 1):
        layers += [
            nn.Conv2d(channels, width, 3, padding="same", dilation=dilation),
            nn.BatchNorm2d(width),
            nn.ReLU(),
        ]
        channels = width
    return nn.Sequential(*layers, nn.Conv2d(width, task.classes, 1))
