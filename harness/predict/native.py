"""From a volume as it was scanned to a label map on the same grid."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import ndimage
from torch import nn

from harness.contract.protocol import RunProtocol
from harness.data.case import Volume
from harness.data.prepare import network_image
from harness.errors import PluginError
from harness.measure.compute import Compute
from harness.plugins.blame import calling
from harness.plugins.records import Task
from harness.predict.forward import probabilities


@dataclass(frozen=True)
class Predictor:
    """A trained network with the protocol's way in and out."""

    model: nn.Module
    task: Task
    protocol: RunProtocol
    compute: Compute

    @torch.inference_mode()
    def __call__(self, volume: Volume) -> NDArray[np.uint8]:
        """Class indices ``(z, y, x)`` on the native grid of `volume`; its labels are not looked at.

        PluginError for a network whose output has NaN: the largest of those is no class.
        """
        image, grid = network_image(volume, self.protocol, self.compute.device)
        maps = probabilities(self.model, image, self.task, self.compute)
        with calling("model"):
            if maps.isnan().any():
                raise PluginError(
                    "forward gave NaN for a volume, though the loss was finite",
                    remedy="Lower protocol.learning_rate, or check the network's normalisation in eval mode.",
                )
        labels: NDArray[np.uint8] = grid.native_labels(maps).cpu().numpy()
        if self.protocol.largest_component:
            labels = largest_components(labels, self.task.classes)
        return labels


def largest_components(labels: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """Keep the largest face-connected part of each class; the rest becomes background.

    `labels` is ``(z, y, x)``. Of parts of equal size the first in scan order stays.
    """
    kept = np.zeros_like(labels)
    boxes = ndimage.find_objects(labels, max_label=classes - 1)
    for k, box in enumerate(boxes, 1):
        if box is None:
            continue
        parts, count = ndimage.label(labels[box] == k)
        if count > 1:
            sizes = np.bincount(parts.ravel())
            sizes[0] = 0
            parts = parts == sizes.argmax()
        kept[box][parts > 0] = k
    return kept
