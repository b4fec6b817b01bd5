"""The examples that authors copy: they are listed without torch, and their nets keep the contract."""

import subprocess
import sys
from pathlib import Path

import pytest

from harness import Task
from harness.plugins.manager import load
from harness.plugins.resolve import resolve

ROOT = Path(__file__).parents[3]
EXAMPLES = ROOT / "examples"
TASK = Task(dims=2, channels=3, classes=4, class_weights=(1.0,) * 4, structures=("RV", "MYO", "LV"), slices=3)


def logits_shape(target: object, params: dict[str, object], size: tuple[int, int]) -> tuple[int, ...]:
    torch = pytest.importorskip("torch")
    net = target(TASK, **params).eval()  # type: ignore[operator]
    return tuple(net(torch.zeros(2, TASK.channels, *size)).shape)


@pytest.mark.parametrize("size", [(32, 32), (37, 50), (3, 3)])
def test_the_single_file_model_keeps_the_contract(size: tuple[int, int]) -> None:
    found = load([EXAMPLES / "my_model.py"]).get("model", "dilated")
    target = resolve(found.record.target)
    assert logits_shape(target, dict(found.record.defaults), size) == (2, 4, *size)


@pytest.mark.parametrize("size", [(32, 32), (37, 50), (3, 3)])
def test_the_packaged_model_keeps_the_contract(size, install, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.syspath_prepend(str(EXAMPLES / "wide_unet"))
    install("harness-wide-unet", {"wide-unet": "harness_wide_unet"})
    found = load().get("model", "wide-unet")
    target = resolve(found.record.target)
    assert logits_shape(target, dict(found.record.defaults), size) == (2, 4, *size)


def test_listing_them_imports_no_heavy_library() -> None:
    code = (
        "import sys; sys.path.insert(0, 'examples/wide_unet')\n"
        "from pathlib import Path\n"
        "from harness.plugins.manager import load\n"
        "import harness_wide_unet\n"
        "assert list(harness_wide_unet.harness_models())\n"
        "assert 'dilated' in load([Path('examples/my_model.py')]).models\n"
        "print(sorted({'torch', 'numpy', 'pandas', 'pydantic', 'rich'} & set(sys.modules)))"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.stdout, done.returncode) == ("[]\n", 0), done.stderr
