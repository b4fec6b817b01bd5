"""Tensors and layers that a module holds without PyTorch knowing."""

from __future__ import annotations

import copy
from collections.abc import Iterator, Mapping, Sequence

from torch import Tensor, nn

from harness.testing.check import CheckFailed

_KEPT = frozenset(vars(nn.Module()))
"""What PyTorch itself keeps in every module."""


def check_registered(module: nn.Module, inputs: Sequence[Tensor]) -> str:
    """CheckFailed for a tensor or a layer that ``to`` and ``state_dict`` don't see, and `inputs` need.

    Scratch that a module keeps and never reads is nobody's business: so what is found counts only if
    the module fails on the meta device, where, as on a GPU, a tensor left behind fits nothing.
    """
    known = {id(value) for value in (*module.parameters(), *module.buffers(), *module.modules())}
    unknown = [
        (f"{name}.{key}" if name else key, held)
        for name, part in module.named_modules()
        for key, value in vars(part).items()
        if key not in _KEPT
        for held in _held(value)
        if id(held) not in known
    ]
    if unknown and not _moves(module, inputs):
        place, held = unknown[0]
        is_layer = isinstance(held, nn.Module)
        raise CheckFailed(
            f"self.{place} holds a {'layer' if is_layer else 'tensor'} "
            "that does not follow .to(device) nor state_dict()",
            "Keep layers in nn.ModuleList or nn.ModuleDict."
            if is_layer
            else f"Write self.register_buffer('{place.rpartition('.')[2]}', …), or make it an nn.Parameter.",
        )
    return f"{len(known)} tensors and layers"


def _moves(module: nn.Module, inputs: Sequence[Tensor]) -> bool:
    try:
        copy.deepcopy(module).to("meta").eval()(*(value.to("meta") for value in inputs))
    except Exception:
        return False
    return True


def _held(value: object, deep: int = 2) -> Iterator[Tensor | nn.Module]:
    if isinstance(value, Tensor | nn.Module):
        yield value
    elif deep and isinstance(value, list | tuple | set | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _held(one, deep - 1)
