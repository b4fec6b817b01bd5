"""Where and how precisely a run computes. Recorded with the run, never part of its key."""

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
        """The first GPU if there is one, else the CPU; ``auto`` is bf16 where hardware computes it.

        `deterministic` refuses algorithms that vary between runs; else a GPU tries which convolution
        is the fastest for a shape, which the first step of training pays for.
        """
        device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        if precision == "auto":
            precision = "bf16" if _computes_bf16(device) else "fp32"
        # What is called fp32 is: torch's own default computes convolutions in the shorter TF32.
        torch.backends.cudnn.allow_tf32 = precision != "fp32"
        # Networks multiply in bf16 or are called fp32. What is left, such as an optimiser's, means it.
        torch.backends.cuda.matmul.allow_tf32 = False
        torch.use_deterministic_algorithms(deterministic)
        torch.backends.cudnn.benchmark = not deterministic
        return cls(device, precision)

    @property
    def chooses(self) -> bool:
        """True if the first call with a shape chooses algorithms for it, and costs more than the next."""
        return self.device.type == "cuda"

    @contextlib.contextmanager
    def untried(self) -> Iterator[None]:
        """Have no algorithms tried out: for volumes of many shapes it costs more than it gives."""
        before = torch.backends.cudnn.benchmark
        torch.backends.cudnn.benchmark = False
        try:
            yield
        finally:
            torch.backends.cudnn.benchmark = before

    def autocast(self) -> AbstractContextManager[object]:
        """The context that forward passes run in."""
        if self.precision == "fp32":
            return contextlib.nullcontext()
        return torch.autocast(self.device.type, dtype=torch.bfloat16)

    def synchronise(self) -> None:
        """Wait until the device has done all that was asked of it."""
        if self.device.type == "cuda":
            torch.cuda.synchronize(self.device)

    def compiled(self, module: nn.Module) -> Callable[[Tensor], Tensor]:
        """`module` as torch.compile makes it, anew for each shape; its weights stay those of `module`.

        With sizes left open a training would compile otherwise when it is resumed after its coarse epochs.
        """
        compiled: Callable[[Tensor], Tensor] = torch.compile(module, dynamic=False)
        return compiled

    def place(self, module: nn.Module, dims: int) -> nn.Module:
        """Move a network to the device, in channels-last layout: up to 1.5 times faster on CPUs too."""
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
    """A sentence on GPUs that this process was given and torch can't use; None where there is nothing to say.

    A driver too old, or a torch without CUDA, would else have a training take days and nobody know why.
    """
    named = named_gpus()
    if not named or torch.cuda.is_available():
        return None
    try:
        torch.cuda.init()  # type: ignore[no-untyped-call]  # torch has no stub
        reason = "torch finds none"
    except Exception as error:
        reason = " ".join(str(error).split())
    return f"GPU {', '.join(named)} can't be used, so runs are on the CPU: {reason}"


def _computes_bf16(device: torch.device) -> bool:
    if device.type == "cuda":
        return torch.cuda.get_device_capability(device) >= (8, 0)
    try:
        flags = Path("/proc/cpuinfo").read_text()
    except OSError:
        return False
    # Without one of these, bf16 is emulated and slower than fp32.
    return any(flag in flags for flag in ("avx512_bf16", "amx_bf16", " bf16"))
