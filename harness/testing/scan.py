"""Find tensors and layers of a module that are not registered with PyTorch."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.overrides import TorchFunctionMode

from harness.testing.check import CheckFailed

_BUILT_IN = frozenset(vars(nn.Module()))
"""The attributes that PyTorch itself gives every module."""

_CROSSES = (Tensor.to, Tensor.cuda, Tensor.cpu, Tensor.type_as, Tensor.copy_)
"""Functions that accept tensors on different devices."""


def check_registered(module: nn.Module, inputs: Sequence[Tensor]) -> str:
    """CheckFailed for tensors and layers that ``to`` and ``state_dict`` miss, and that meet `inputs`.

    Attributes that the module never reads, or moves to the device itself, are allowed.
    """
    known = {id(value) for value in (*module.parameters(), *module.buffers(), *module.modules())}
    unknown = [
        (f"{name}.{key}" if name else key, held)
        for name, part in module.named_modules()
        for key, value in vars(part).items()
        if key not in _BUILT_IN
        for held in _held(value)
        if id(held) not in known
    ]
    for place, held in unknown:
        is_layer = isinstance(held, nn.Module)
        if _meet(module, inputs, [*held.parameters(), *held.buffers()] if is_layer else [held]):
            raise CheckFailed(
                f"self.{place} holds a {'layer' if is_layer else 'tensor'} "
                "that .to(device) and state_dict() do not include",
                "Keep layers in nn.ModuleList or nn.ModuleDict."
                if is_layer
                else f"Use self.register_buffer('{place.rpartition('.')[2]}', …) or nn.Parameter.",
            )
    return f"{len(known)} tensors and layers"


class _LeftBehind(TorchFunctionMode):
    """Simulates that some tensors stayed on the CPU, and notes when one meets a tensor that was moved."""

    def __init__(self, tensors: Iterable[Tensor]) -> None:
        super().__init__()
        # Scalars may stay on the CPU; references prevent ids from being reused.
        self.left = {id(value): value for value in tensors if value.ndim}
        self.met = False

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Iterable[type],
        args: tuple[Any, ...] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        operands = [value for value in _tensors((args, kwargs or {})) if value.ndim]
        result = func(*args, **(kwargs or {}))
        if func in _CROSSES:
            # Moving a tensor to its own device returns the tensor itself; here it must be another object.
            return result.view(result.shape) if isinstance(result, Tensor) else result
        if any(id(value) in self.left for value in operands):
            self.met = self.met or any(id(value) not in self.left for value in operands)
            self.left.update((id(value), value) for value in _tensors(result))
        return result


def _meet(module: nn.Module, inputs: Sequence[Tensor], tensors: Iterable[Tensor]) -> bool:
    left = _LeftBehind(tensors)
    # Other errors are reported by other checks.
    with torch.no_grad(), contextlib.suppress(Exception), left:
        module.eval()(*(value.clone() for value in inputs))
    return left.met


def _held(value: object, deep: int = 2) -> Iterator[Any]:
    if isinstance(value, Tensor | nn.Module):
        yield value
    elif deep and isinstance(value, list | tuple | set | Mapping):
        for item in value.values() if isinstance(value, Mapping) else value:
            yield from _held(item, deep - 1)


def _tensors(value: object) -> Iterator[Tensor]:
    return (held for held in _held(value, deep=4) if isinstance(held, Tensor))
