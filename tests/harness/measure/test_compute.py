"""Where a run computes: the GPU where there is one, and the precision that was asked for."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

from harness.measure.compute import Compute, unusable_gpus
from harness.measure.visible import named_gpus
from harness.plugins.records import Task
from harness.predict.forward import probabilities


@pytest.fixture
def no_gpu(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)


def gpu(monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int]) -> None:
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    monkeypatch.setattr(torch.cuda, "get_device_capability", lambda device: capability)


def cpu_flags(monkeypatch: pytest.MonkeyPatch, flags: str | None) -> None:
    def read(path: Path) -> str:
        if flags is None:
            raise FileNotFoundError(path)
        return flags

    monkeypatch.setattr(Path, "read_text", read)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_without_a_gpu_the_cpu_computes_as_asked(precision: str) -> None:
    assert Compute.choose(precision, deterministic=False) == Compute(torch.device("cpu"), precision)


@pytest.mark.usefixtures("no_gpu")
@pytest.mark.parametrize(
    ("flags", "expected"),
    [
        ("flags : fma avx2 avx512f", "fp32"),  # bf16 would be emulated
        ("flags : avx512f avx512_bf16", "bf16"),
        ("flags : amx_bf16 amx_tile", "bf16"),
        ("Features : asimd bf16 i8mm", "bf16"),  # ARM
        (None, "fp32"),  # no Linux
    ],
)
def test_auto_is_bf16_only_where_the_cpu_has_it(
    monkeypatch: pytest.MonkeyPatch, flags: str | None, expected: str
) -> None:
    cpu_flags(monkeypatch, flags)
    assert Compute.choose("auto", deterministic=False).precision == expected


@pytest.mark.parametrize(("capability", "expected"), [((7, 5), "fp32"), ((8, 0), "bf16"), ((9, 0), "bf16")])
def test_a_gpu_is_taken_and_auto_asks_what_it_can(
    monkeypatch: pytest.MonkeyPatch, capability: tuple[int, int], expected: str
) -> None:
    gpu(monkeypatch, capability)
    chosen = Compute.choose("auto", deterministic=False)
    assert chosen.device.type == "cuda"
    assert chosen.precision == expected
    assert Compute.choose("fp32", deterministic=False).precision == "fp32"


@pytest.mark.usefixtures("no_gpu")
def test_a_gpu_that_was_given_and_is_broken_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    """A driver too old has full-size nets train for days, and nobody would know why."""

    def init() -> None:
        raise RuntimeError("The NVIDIA driver on your\nsystem is too old")

    monkeypatch.setattr(torch.cuda, "init", init)
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    told = "GPU 1 can't be used, so runs use the CPU: The NVIDIA driver on your system is too old"
    assert unusable_gpus() == told
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "-1")
    assert unusable_gpus() is None
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES")
    assert unusable_gpus() is None


def test_a_gpu_that_works_is_nothing_to_tell(monkeypatch: pytest.MonkeyPatch) -> None:
    gpu(monkeypatch, (9, 0))
    monkeypatch.setenv("CUDA_VISIBLE_DEVICES", "1")
    assert unusable_gpus() is None


@pytest.mark.parametrize(
    ("text", "named"),
    [
        ("0,1", ("0", "1")),
        (" GPU-8a , MIG-1/2/3", ("GPU-8a", "MIG-1/2/3")),
        ("", ()),
        ("-1", ()),
        ("NoDevFiles", ()),
        ("-1,0", ()),
        ("1,-1,0", ("1",)),
        (None, None),
    ],
)
def test_gpus_are_those_that_cuda_would_see(
    monkeypatch: pytest.MonkeyPatch, text: str | None, named: tuple[str, ...] | None
) -> None:
    if text is None:
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    else:
        monkeypatch.setenv("CUDA_VISIBLE_DEVICES", text)
    assert named_gpus() == named


def test_no_algorithms_are_tried_out_in_prediction_and_they_are_again_afterwards(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Of volumes nearly each has a shape of its own, and each trial takes longer than predicting it."""
    monkeypatch.setattr(torch.backends.cudnn, "benchmark", True)
    seen = []

    class Net(nn.Conv2d):
        def forward(self, x: Tensor) -> Tensor:
            seen.append(torch.backends.cudnn.benchmark)
            return super().forward(x)

    task = Task(dims=2, channels=1, classes=2, class_weights=(1.0, 1.0), structures=("LV",), slices=1)
    cpu = Compute(torch.device("cpu"), "fp32")
    probabilities(Net(1, 2, 1), torch.zeros(3, 1, 8, 8), task, cpu)
    assert seen == [False]
    assert torch.backends.cudnn.benchmark


@pytest.mark.parametrize(("precision", "dtype"), [("fp32", torch.float32), ("bf16", torch.bfloat16)])
def test_matrix_products_run_in_the_precision(precision: str, dtype: torch.dtype) -> None:
    with Compute(torch.device("cpu"), precision).autocast():
        assert nn.Linear(2, 2)(torch.ones(1, 2)).dtype == dtype


@pytest.mark.parametrize(
    ("dims", "net", "shape"),
    [(2, nn.Conv2d(3, 4, 3), (2, 3, 8, 8)), (3, nn.Conv3d(3, 4, 3), (2, 3, 5, 8, 8))],
)
def test_channels_last_moves_memory_and_no_value(dims: int, net: nn.Module, shape: tuple[int, ...]) -> None:
    cpu, batch = Compute(torch.device("cpu"), "fp32"), torch.randn(*shape)
    before = net(batch)
    laid_out = cpu.channels_last(batch)
    layout = torch.channels_last if dims == 2 else torch.channels_last_3d
    assert laid_out.is_contiguous(memory_format=layout)
    assert torch.equal(laid_out, batch)
    torch.testing.assert_close(cpu.place(net, dims)(laid_out), before, rtol=1e-4, atol=1e-5)


def test_waiting_for_a_cpu_is_no_error() -> None:
    Compute(torch.device("cpu"), "fp32").synchronise()


@pytest.mark.parametrize("precision", ["fp32", "bf16"])
def test_matrix_products_outside_autocast_are_never_of_less_than_fp32(precision: str) -> None:
    """Muon's iteration runs away in TF32; convolutions in bf16 runs may have it."""
    Compute.choose(precision, deterministic=False)
    assert not torch.backends.cuda.matmul.allow_tf32
    assert torch.backends.cudnn.allow_tf32 == (precision == "bf16")
