"""A failed run tells in one line whose fault it was and which line of whose file to look at."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import torch
from made_specs import run_protocol
from tiny_training import CROSS_ENTROPY, NET, made_spec, run_training

from harness.contract.record import Failure
from harness.contract.spec import RunSpec
from harness.data.case import Case
from harness.data.prepare import prepare
from harness.errors import Blame, ConfigError, DataError, PluginError, ResourceError
from harness.execute.failure import classify

Files = Callable[..., str]

SPEC = made_spec(NET, CROSS_ENTROPY)


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Files]:
    """Write files of a plugin package; gives its name."""
    name = "plugin_that_fails"

    def write(**files: str) -> str:
        folder = tmp_path / "site" / name
        folder.mkdir(parents=True)
        for stem, text in files.items():
            (folder / f"{stem}.py").write_text(text)
        monkeypatch.syspath_prepend(folder.parent)
        importlib.invalidate_caches()
        return name

    yield write
    for module in [module for module in sys.modules if module.partition(".")[0] == name]:
        del sys.modules[module]


def failure(spec: RunSpec, folder: Path) -> tuple[str, str, str]:
    """Status, blame and message of a training that must fail."""
    with pytest.raises(Exception) as caught:  # noqa: PT011  # any error must be told
        run_training(spec, folder)
    status, told = classify(caught.value, spec, "train")
    assert told.phase == "train"
    assert "\n" not in told.message
    return status, told.blame, told.message


def line_of(text: str, words: str) -> int:
    return next(number for number, line in enumerate(text.splitlines(), 1) if words in line)


NETWORK = """
import torch
from torch import nn

class Net(nn.Module):
    def __init__(self, task):
        super().__init__()
        self.conv = nn.Conv2d(task.channels, task.classes, 1)

    def forward(self, x):
        BODY
        return self.conv(x)

class Loss(nn.Module):
    def __init__(self, task):
        super().__init__()

    def forward(self, logits, labels):
        return logits.mean() + undefined_name
"""
FACTORY = "def make(task):\n    from .network import Net\n    return Net(task)\n"


def test_an_error_in_a_plugins_second_file_is_the_plugins(package: Files, tmp_path: Path) -> None:
    """The target is a function in __init__.py, the network lies beside it."""
    text = NETWORK.replace("BODY", 'raise KeyError("two\\nlines")')
    name = package(__init__=FACTORY, network=text)
    status, blame, message = failure(made_spec(f"{name}:make", CROSS_ENTROPY), tmp_path)
    assert (status, blame) == ("failed", "plugin")
    assert message.startswith(f"model my-model (network.py:{line_of(text, 'raise KeyError')}): KeyError")


def test_in_a_file_with_model_and_loss_the_one_at_fault_is_named(package: Files, tmp_path: Path) -> None:
    text = NETWORK.replace("BODY", "pass")
    name = package(__init__=FACTORY, network=text)
    spec = made_spec(f"{name}.network:Net", f"{name}.network:Loss")
    status, blame, message = failure(spec, tmp_path)
    assert (status, blame) == ("failed", "plugin")
    line = line_of(text, "undefined_name")
    assert message == f"loss my-loss (network.py:{line}): NameError: name 'undefined_name' is not defined"


def test_a_layer_that_does_not_fit_is_the_models_though_torch_raised(package: Files, tmp_path: Path) -> None:
    """The commonest mistake of all: channels that don't match, in a network of torch's own layers."""
    text = "from torch import nn\n\ndef make(task):\n    return nn.Sequential(nn.Conv2d(7, 2, 1))\n"
    name = package(__init__=text)
    status, blame, message = failure(made_spec(f"{name}:make", CROSS_ENTROPY), tmp_path)
    assert (status, blame) == ("failed", "plugin")
    assert message.startswith("model my-model (__init__.py:3): RuntimeError: Given groups=1")


@pytest.mark.parametrize(
    ("body", "told"),
    [
        ("return self.conv(x)[:, :1]", "forward returned logits (4, 1, 12, 12)"),
        ("return [self.conv(x)]", "forward returned a list, expected logits (2, 2, 12, 12)"),
        ("return self.conv(x) if self.training else x", "forward returned logits (2, 1, 12, 12)"),
    ],
)
def test_a_wrong_output_names_the_model_and_where_it_is_defined(
    package: Files, tmp_path: Path, body: str, told: str
) -> None:
    text = NETWORK.replace("BODY", body)
    name = package(__init__="", network=text)
    status, blame, message = failure(made_spec(f"{name}.network:Net", CROSS_ENTROPY), tmp_path)
    assert (status, blame) == ("failed", "plugin")
    assert message.startswith(f"model my-model (network.py:{line_of(text, 'class Net')}): {told}")


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("logits.flatten()[:3]", "returned a tensor (3,), expected a scalar"),
        ("0.5", "returned float, expected"),
    ],
)
def test_a_loss_that_is_no_scalar_is_the_losss_fault(
    package: Files, tmp_path: Path, result: str, told: str
) -> None:
    text = NETWORK.replace("logits.mean() + undefined_name", result)
    name = package(__init__="", network=text)
    status, blame, message = failure(made_spec(NET, f"{name}.network:Loss"), tmp_path)
    assert (status, blame) == ("failed", "plugin")
    assert message.startswith(f"loss my-loss (network.py:{line_of(text, 'class Loss')}): {told}")


def test_a_nan_loss_names_both_and_what_to_do(package: Files, tmp_path: Path) -> None:
    text = NETWORK.replace("undefined_name", "float('nan')")
    name = package(__init__="", network=text)
    status, blame, message = failure(made_spec(NET, f"{name}.network:Loss"), tmp_path)
    assert (status, blame) == ("failed", "plugin")
    assert message.startswith("my-model + my-loss: the loss is nan in epoch 1")
    assert "learning_rate" in message


@pytest.mark.parametrize("what", ["lacks a parameter", "is no module", "raises"])
def test_a_network_that_cannot_be_made_is_the_models_fault(package: Files, tmp_path: Path, what: str) -> None:
    text = {
        "lacks a parameter": "def make(task, depth):\n    pass\n",
        "is no module": "def make(task):\n    return 3\n",
        "raises": "def make(task):\n    return 1 / 0\n",
    }[what]
    name = package(__init__=text)
    _, blame, message = failure(made_spec(f"{name}:make", CROSS_ENTROPY), tmp_path)
    assert blame == "plugin"
    assert "my-model" in message


@pytest.mark.parametrize(
    "body",
    [
        "raise MemoryError",
        'raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 2.00 GiB")',
        "torch.empty(2**60)",
        "import numpy; numpy.ones(2**55)",
    ],
)
def test_memory_that_runs_out_is_nobodys_bug(package: Files, tmp_path: Path, body: str) -> None:
    name = package(__init__="", network=NETWORK.replace("BODY", body))
    status, blame, message = failure(made_spec(f"{name}.network:Net", CROSS_ENTROPY), tmp_path)
    assert (status, blame) == ("out-of-memory", "resource")
    assert "protocol.batch" in message
    assert "'train'" in message


def test_a_dataset_that_cannot_be_read_later_is_named(package: Files, tmp_path: Path) -> None:
    text = "def read():\n    return open('no such file')\n"
    name = package(__init__=text)
    read = importlib.import_module(name).read
    protocol = run_protocol(crop=(4, 4), spacing_mm=1.0)
    spec = replace(SPEC, dataset=replace(SPEC.dataset, target=f"{name}:open"))
    with pytest.raises(FileNotFoundError) as caught:
        prepare([Case("a", "a", None, read)], {"LV": 1}, protocol, tmp_path / "prepared")
    _, told = classify(caught.value, spec, "prepare")
    assert told.blame == "plugin"
    assert told.message.startswith("dataset my-data (__init__.py:2): FileNotFoundError")


@pytest.mark.parametrize(
    ("error", "blame"),
    [
        (PluginError("does not fit", where="net", remedy="Fix it."), "plugin"),
        (DataError("does not fit", where="net", remedy="Fix it."), "data"),
        (ResourceError("does not fit", where="net", remedy="Fix it."), "resource"),
        (ConfigError("does not fit", where="net", remedy="Fix it."), "harness"),
    ],
)
def test_what_harness_itself_says_is_told_as_it_is(error: Exception, blame: Blame) -> None:
    assert classify(error, SPEC, "predict") == (
        "failed",
        Failure("predict", blame, "net: does not fit. Fix it."),
    )


def test_our_own_bugs_are_not_put_on_a_plugin() -> None:
    with pytest.raises(IndexError) as caught:
        np.zeros(3)[[5]]
    status, told = classify(caught.value, SPEC, "score")
    assert (status, told.blame) == ("failed", "harness")
    assert told.message.startswith("IndexError: ")


def test_an_error_of_a_full_gpu_library_is_told_as_memory() -> None:
    for words in (
        "FIND was unable to find an engine to execute this computation",
        "GET was unable to find an engine to execute this computation",
        "cuDNN error: CUDNN_STATUS_NOT_INITIALIZED",
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`",
    ):
        status, told = classify(RuntimeError(words), SPEC, "train")
        assert (status, told.blame) == ("out-of-memory", "resource")
        assert words in told.message
    error = RuntimeError("CUDA error: out of memory\nCompile with TORCH_USE_CUDA_DSA")
    assert classify(error, SPEC, "train")[0] == "out-of-memory"
    assert classify(torch.cuda.OutOfMemoryError("x"), SPEC, "train")[0] == "out-of-memory"
