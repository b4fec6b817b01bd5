"""Prediction of a label map on a volume's native grid."""

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
    """A trained network with the protocol's preparation and post-processing."""

    model: nn.Module
    task: Task
    protocol: RunProtocol
    compute: Compute

    @torch.inference_mode()
    def __call__(self, volume: Volume) -> NDArray[np.uint8]:
        """Class indices ``(z, y, x)`` on the native grid of `volume`; its labels are not used.

        PluginError if the network's output has NaN, which no class can be derived from.
        """
        image, grid = network_image(volume, self.protocol, self.compute.device)
        maps = probabilities(self.model, image, self.task, self.compute)
        with calling("model"):
            if maps.isnan().any():
                raise PluginError(
                    "forward returned NaN for a volume, although the loss was finite",
                    remedy="Lower protocol.learning_rate, or check the network's normalisation in eval mode.",
                )
        labels: NDArray[np.uint8] = grid.native_labels(maps).cpu().numpy()
        if self.protocol.largest_component:
            labels = largest_components(labels, self.task.classes)
        return labels


def largest_components(labels: NDArray[np.uint8], classes: int) -> NDArray[np.uint8]:
    """Keep the largest face-connected component of each class; the others become background.

    `labels` is ``(z, y, x)``. Of components of equal size, the first in scan order is kept.
    """
    kept = np.zeros_like(labels)
    boxes = ndimage.find_objects(labels, max_label=classes - 1)
    for k, box in enumerate(boxes, 1):
        if box is None:
            continue
        components, count = ndimage.label(labels[box] == k)
        if count > 1:
            sizes = np.bincount(components.ravel())
            sizes[0] = 0
            components = components == sizes.argmax()
        kept[box][components > 0] = k
    return kept
