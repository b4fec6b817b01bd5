"""The size of a network: its parameters, and the FLOPs of a forward pass."""

from __future__ import annotations

import copy
import logging
from collections.abc import Sequence

import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

log = logging.getLogger(__name__)


def parameters(module: nn.Module) -> int:
    """Number of trainable parameters."""
    return sum(parameter.numel() for parameter in module.parameters() if parameter.requires_grad)


def flops(module: nn.Module, shape: Sequence[int]) -> int | None:
    """FLOPs of one forward pass over an input of `shape`; a multiply-add counts as two.

    Counts convolutions and matrix products on the meta device, which takes no memory and almost no time.
    None for a module that can't run there.
    """
    try:
        on_meta = copy.deepcopy(module).to("meta").eval()
        with FlopCounterMode(display=False) as counter, torch.no_grad():
            on_meta(torch.empty(*shape, device="meta"))
    except Exception as error:
        # A plugin may read values, which the meta device does not have; that is not an error.
        log.warning("FLOPs of %s not counted: %s", type(module).__name__, error)
        return None
    return int(counter.get_total_flops())
