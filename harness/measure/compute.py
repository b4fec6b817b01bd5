"""Device and precision of a run. Recorded with the run, never part of its key."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path

import torch
from torch import Tensor, nn

from harness.measure.flat_volumes import in_full_precision
from harness.measure.visible import named_gpus


@dataclass(frozen=True)
class Compute:
    """A device and the precision of its matrix products (``bf16`` autocast, or ``fp32``)."""

    device: torch.device
    precision: str

    @classmethod
    def choose(cls, precision: str, *, deterministic: bool) -> Compute:
        """The first GPU if there is one, else the CPU; ``auto`` is bf16 where the hardware supports it.

        `deterministic` allows only deterministic algorithms. Otherwise a GPU benchmarks convolutions to find
        the fastest one for each shape, during the first step of training.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if precision == "auto":
            precision = "bf16" if _computes_bf16(device) else "fp32"
        # fp32 means full precision: by default torch computes convolutions in TF32.
        torch.backends.cudnn.allow_tf32 = precision != "fp32"
        # Networks use bf16 or fp32; other matrix products, such as an optimiser's, need full precision.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.cudnn.benchmark = not deterministic
        return cls(device, precision)

    @property
    def chooses(self) -> bool:
        """Whether the first call with a shape also chooses algorithms for it, and so takes longer."""
        return self.device.type == "cuda"

    @contextlib.contextmanager
    def without_benchmark(self) -> Iterator[None]:
        """Switch benchmarking of algorithms off: with volumes of many shapes it costs more than it saves."""
        before = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = False
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = before

    def autocast(self) -> AbstractContextManager[object]:
        """The context for forward passes."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def synchronise(self) -> None:
        """Wait until the device has finished all its work."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def compiled(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        """`module` under torch.compile, compiled for each shape; the weights are shared with `module`.

        With dynamic shapes, a training resumed after its coarse epochs would run other code.
        """
        compiled: Callable[[Tensor], Tensor] = torch.compile(module, dynamic=False)
        return compiled

    def place(self, module: nn.Module, dims: int) -> nn.Module:
        """Move a network to the device, in channels-last layout: up to 1.5 times faster, also on CPUs."""
        layout = torch.channels_last if dims == 2 else torch.channels_last_3d
        if self.device.type == "cpu" and self.precision == "bf16":
            in_full_precision(module)
        return module.to(self.device).to(memory_format=layout)  # type: ignore[call-overload, no-any-return]

    @staticmethod
    def channels_last(batch: Tensor) -> Tensor:
        """A batch ``(B, C, H, W)`` or ``(B, C, D, H, W)`` in channels-last layout."""
        layout = torch.channels_last if batch.ndim == 4 else torch.channels_last_3d
        return batch.contiguous(memory_format=layout)


def unusable_gpus() -> str | None:
    """A warning about GPUs that this process was given but torch can't use; None if there are none.

    Otherwise an old driver, or torch without CUDA, would make a training take days without a hint why.
    """
    named = named_gpus()
    if not named or torch.cuda.is_available():
        return None
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]  # torch has no stub
        reason = "torch finds none"
    except Exception as error:
        reason = " ".join(str(error).split())
    return f"GPU {', '.join(named)} can't be used, so runs use the CPU: {reason}"


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    # Without one of these, bf16 is emulated and slower than fp32.
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))
