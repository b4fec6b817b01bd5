"""Tensors and layers that a module holds without PyTorch knowing."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from harness.testing.check import CheckFailed

_KEPT = frozenset(vars(nn.Module()))
"""What PyTorch itself keeps in every module."""

_CROSSES = (Tensor.to, Tensor.cuda, Tensor.cpu, Tensor.type_as, Tensor.copy_)
"""What may be done to tensors on different devices."""


def check_registered(module: nn.Module, inputs: Sequence[Tensor]) -> str:
    """CheckFailed for tensors and layers that ``to`` and ``state_dict`` don't see, and `inputs` meet.

    Scratch that a module keeps and never reads is nobody's business, nor is what it moves itself.
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
    for place, held in unknown:
        is_layer = isinstance(held, nn.Module)
        if _meet(module, inputs, [*held.parameters(), *held.buffers()] if is_layer else [held]):
            raise CheckFailed(
                f"self.{place} holds a {'layer' if is_layer else 'tensor'} "
                "that does not follow .to(device) nor state_dict()",
                "Keep layers in nn.ModuleList or nn.ModuleDict."
                if is_layer
                else f"Write self.register_buffer('{place.rpartition('.')[2]}', …), or use nn.Parameter.",
            )
    return f"{len(known)} tensors and layers"


class _LeftBehind(TorchFunctionMode):
    """Plays that some tensors stayed on the CPU: notes when one meets a tensor that moved."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        # Numbers alone may be on the CPU; references keep ids from being used again.
        self.left = {id(value): value for value in tensors if value.ndim}
        self.met = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        given = [value for value in _tensors((args, kwargs or {})) if value.ndim]
        result = func(*args, **(kwargs or {}))
        if func in _CROSSES:
            # What is moved to where it already is comes back as it was; here it has to be another.
            return result.view(result.shape) if isinstance(result, Tensor) else result
        if any(id(value) in self.left for value in given):
            self.met = self.met or any(id(value) not in self.left for value in given)
            self.left.update((id(value), value) for value in _tensors(result))
        return result


def _meet(module: nn.Module, inputs: Sequence[Tensor], tensors: Iterable[Tensor]) -> bool:
    left = _LeftBehind(tensors)
    # What else is wrong with it, other checks tell.
    with torch.no_grad(), contextlib.suppress(Exception), left:
        module.eval()(*(value.clone() for value in inputs))
    return left.met


def _held(value: object, deep: int = 2) -> Iterator[Any]:
    if isinstance(value, Tensor | nn.Module):
        yield value
    elif deep and isinstance(value, list | tuple | set | Mapping):
        for one in value.values() if isinstance(value, Mapping) else value:
            yield from _held(one, deep - 1)


def _tensors(value: object) -> Iterator[Tensor]:
    return (held for held in _held(value, deep=4) if isinstance(held, Tensor))
