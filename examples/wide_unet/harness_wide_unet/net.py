"""The network, imported by the run that trains it."""

import torch
from torch import nn
from torch.nn import functional as F


def block(channels, width):
    """Twice a 3×3 convolution, batch norm and ReLU."""
    conv = (nn.Conv2d(channels, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())
    return nn.Sequential(*conv, nn.Conv2d(width, width, 3, padding=1), nn.BatchNorm2d(width), nn.ReLU())


class WideUNet(nn.Module):
    """One contraction by 4, one expansion, one skip."""

    def __init__(self, task, width):
        super().__init__()
        self.down, self.base = block(task.channels, width), block(width, 2 * width)
        self.up, self.head = block(3 * width, width), nn.Conv2d(width, task.classes, 1)

    def forward(self, x):
        skip = self.down(x)
        base = self.base(F.max_pool2d(skip, 4, ceil_mode=True))
        up = F.interpolate(base, size=skip.shape[2:], mode="bilinear")
        return self.head(self.up(torch.cat([skip, up], dim=1)))
